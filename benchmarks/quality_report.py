"""The part of RESULTS.md about the default beside an earlier commit's."""

import statistics

from tables import provenance, table

_TEXT = """Each pair is stylized by the default of an earlier commit and by this one's, and both
pictures are scored by the same evaluator. Style: how far brushwork and colors are from the
painting's, as the squared 2-Wasserstein distance of features at layers where neither compares
style (block1_conv2 to block4_conv2), relative to the painting's; 0 is the painting itself.
Content: how far shapes are from the photograph's, as the relative squared error of the features of
block4_conv2; 0 is the photograph itself. SSIM: how like the photograph its structure is, pixel by
pixel; 1 is the photograph itself. Grain: the finest detail, below one pixel, over the painting's;
above 1 the picture is grainier than the painting, below 1 smoother. Seconds: of the whole process,
from its start to the written picture. Each cell is before → after. The last row has the medians of
after over before, and for grain the median of both."""

_PICTURES = """Three of the pairs are in `samples/`; the other pictures are not in the repository.
Looked at one by one at full size, of the ten pairs at 512 px that were stylized first: the picture
of before is the one to hang for the honey bee in Kandinsky's style, which has more of his circles
and arcs on it, and for the raccoon in the Great Wave's, which has more waves. There the new one
keeps more of the animal. Moraine Lake, the torii and Singapore are as good before as after. In the
others it is the new one, for whole faces and calm skies."""

_FORMATS = {"style": ".4f", "content": ".3f", "ssim": ".3f", "grain": ".2f", "seconds": ".1f"}


def parts(all_results: list[dict]) -> list[str]:
    """Paragraphs of Markdown from the results of `quality.py`, one dict for each size."""
    if not all_results:
        return []
    paragraphs = ["## The default beside an earlier commit's", _TEXT.replace("\n", " ")]
    paragraphs.append(_PICTURES.replace("\n", " "))
    for results in sorted(all_results, key=lambda each: (each["settings"]["size"], _suffix(each))):
        paragraphs += _size_parts(results)
    return paragraphs


def medians(pairs: list[dict]) -> dict[str, float]:
    """Medians over all pairs.

    Of the ratios after over before by `style`, `content` and `seconds`, and of the grain by
    `grain_before` and `grain_after`.
    """
    flat = [{name: _flat(each) for name, each in pair.items()} for pair in pairs]
    result = {
        key: statistics.median(pair["after"][key] / pair["before"][key] for pair in flat)
        for key in ("style", "content", "seconds")
    }
    for name in ("before", "after"):
        result[f"grain_{name}"] = statistics.median(pair[name]["grain"] for pair in flat)
    return result


def _size_parts(results: dict) -> list[str]:
    settings, pairs = results["settings"], results["pairs"]
    rows = [["pair", "style", "content", "SSIM", "grain", "seconds"]]
    for name, pair in pairs.items():
        before, after = _flat(pair["before"]), _flat(pair["after"])
        cells = [f"{before[key]:{spec}} → {after[key]:{spec}}" for key, spec in _FORMATS.items()]
        rows.append([name, *cells])
    middle = medians(list(pairs.values()))
    grain = f"{middle['grain_before']:.2f} → {middle['grain_after']:.2f}"
    last = ["median", f"{middle['style']:.2f}x", f"{middle['content']:.2f}x", "", grain]
    rows.append([*last, f"{middle['seconds']:.2f}x ({1 / middle['seconds']:.1f} times sooner)"])
    return [
        f"### At {settings['size']} px" + _suffix(results).replace("_", ", "),
        f"Before is commit {settings['before']}. Rounds: {settings['rounds']}, in turns; seconds "
        "are medians.",
        table(rows),
        "A pair a row: before, after, the photograph, the painting.",
        f"![Before, after, photograph, painting](quality_{settings['size']}{_suffix(results)}.jpg)",
        provenance(results),
    ]


def _suffix(results: dict) -> str:
    """Of the files' names, for results of another machine; those measured first have none."""
    return results["settings"].get("suffix", "")


def _flat(scores: dict) -> dict[str, float]:
    """The same with the median of the seconds."""
    return scores | {"seconds": statistics.median(scores["seconds"])}
