"""Measure how long nst_tf and others take to the loss of the TensorFlow tutorial's loop.

All minimize the Gram objective of `problem.py`.

python benchmarks/time_to_loss.py
"""

import json
from dataclasses import dataclass
from pathlib import Path

import contenders
import machine
import pytorch
from absl import flags
from curves import seconds_to
from problem import SETTINGS, Problem, check_loss, load, start_loss
from race import FINISHED, RUNNING, UNABLE, Contender

from nst_tf import atomic_files
from nst_tf.cli import app
from nst_tf.images import image_io
from nst_tf.run.pyramid import schedule

_SAMPLES = machine.ROOT / "samples"
_PAIRS = (
    ("cincinnati_bridge", "vangogh_village_street_in_auvers"),
    ("raccoon", "hokusai_great_wave"),
    ("honey_bee", "kandinsky_composition_viii"),
)
# Contenders whose images are saved.
_SAVED = ("nst_tf", "tutorial")
_SIZE = flags.DEFINE_integer("size", 512, "long side of the result in pixels")
_PAIRS_FLAG = flags.DEFINE_list(
    "pairs",
    [f"{_SAMPLES}/content/{content}.jpg:{_SAMPLES}/style/{style}.jpg" for content, style in _PAIRS],
    "pairs of files, content.jpg:style.jpg,...",
)
_STEPS = flags.DEFINE_integer("tutorial_steps", 1000, "steps of the tutorial's loop")
_EARLY = flags.DEFINE_integer("early_steps", 300, "steps after which its early loss is taken")
_CAP = flags.DEFINE_float("cap_seconds", 300, "seconds after which the other contenders stop")
_OUTPUT = flags.DEFINE_string("output_dir", "benchmarks", "folder of the results")


@dataclass
class Race:
    """One pair of images.

    Attributes:
        name: of the pair.
        problem: what is minimized.
        contenders: by name.
        record: the results so far, for JSON.
    """

    name: str
    problem: Problem
    contenders: dict[str, Contender]
    record: dict

    def target(self) -> float | None:
        """The tutorial's last loss, None while it is not known."""
        tutorial = self.contenders["tutorial"]
        return tutorial.curve[-1][2] if tutorial.state == FINISHED else None

    def update(self) -> None:
        """Bring the record up to date."""
        self.record["contenders"] = {
            name: contender.record() for name, contender in self.contenders.items()
        }
        for name, losses in self.record["targets"].items():
            for step, _, loss in self.contenders["tutorial"].curve:
                if step == int(name):
                    losses["loss"] = loss


def main() -> None:
    """Run the races one after another, and save after every turn."""
    results = machine.provenance() | {"settings": _settings(), "pairs": {}}
    weights = pytorch.load(SETTINGS)
    for pair in _PAIRS_FLAG.value:
        content, style = map(Path, pair.split(":"))
        problem = load(content, style, _SIZE.value)
        race = _prepare(f"{content.stem} x {style.stem}", problem, weights)
        results["pairs"][race.name] = race.record
        _run(race, results)
        _summarize(race)


def _settings() -> dict:
    return {
        "size": _SIZE.value,
        "tutorial_steps": _STEPS.value,
        "early_steps": _EARLY.value,
        "cap_seconds": _CAP.value,
        "nst_tf_steps": schedule(SETTINGS.scales, SETTINGS.steps).numpy().tolist(),
    }


def _prepare(name: str, problem: Problem, weights: pytorch.Weights) -> Race:
    """Check that all minimize the same objective, and line them up."""
    loss_fn = problem.loss_fn()
    loss = loss_fn(problem.start)
    check_loss("nst_tf", start_loss(problem), loss)
    objective = pytorch.Objective(weights, problem.start, problem.scaled_style, problem.settings)
    check_loss("torch_lbfgs", float(objective.value(pytorch.as_tensor(problem.start))), loss)
    factor = contenders.keras_io_factor(problem)
    rivals = {
        "keras_io": contenders.keras_io(problem, factor),
        "torch_lbfgs": contenders.torch_lbfgs(problem, weights),
        "scipy_lbfgsb": contenders.scipy_lbfgsb(problem),
    }
    lined_up = {
        "nst_tf": Contender(contenders.nst_tf(problem), loss_fn, interval_growth=1.03),
        "tutorial": Contender(
            contenders.tutorial(problem, _STEPS.value),
            loss_fn,
            required_steps=(_EARLY.value, _STEPS.value),
        ),
    }
    for rival, stream in rivals.items():
        lined_up[rival] = Contender(stream, loss_fn, max_seconds=_CAP.value)
    for contender_name, contender in lined_up.items():
        if contender_name != "nst_tf":
            contender.curve.append((0, 0.0, loss))
    record = {
        "height": problem.start.shape[1],
        "width": problem.start.shape[2],
        "start_loss": loss,
        "keras_io_factor": factor,
        "targets": {str(steps): {} for steps in (_EARLY.value, _STEPS.value)},
    }
    return Race(name, problem, lined_up, record)


def _run(race: Race, results: dict) -> None:
    """Advance the contenders in turns until all have stopped."""
    while any(contender.state == RUNNING for contender in race.contenders.values()):
        for name, contender in race.contenders.items():
            if contender.state != RUNNING:
                continue
            contender.advance(None if name == "tutorial" else _stop_at(race, name))
            if contender.state == FINISHED and name in _SAVED and f"{name}_png" not in race.record:
                _save_image(race, name)
            race.update()
            text = json.dumps(results, allow_nan=False)
            atomic_files.replace(Path(_OUTPUT.value, "time_to_loss.json"), text.encode())
            print(
                f"{race.name}: {name} {contender.state}, step {contender.steps}, "
                f"{contender.seconds:.1f} s, loss {contender.loss:.5g}",
                flush=True,
            )
        _extend(race)


def _stop_at(race: Race, name: str) -> float | None:
    """nst_tf's own steps run to their end; all else stops at the tutorial's last loss."""
    own_steps = name == "nst_tf" and "nst_tf_png" not in race.record
    return None if own_steps else race.target()


def _extend(race: Race) -> None:
    """Let nst_tf go on if its own steps end above the tutorial's last loss."""
    contender, target = race.contenders["nst_tf"], race.target()
    if contender.state != FINISHED or target is None or contender.loss <= target:
        return
    if "longer" in race.record:
        contender.state = UNABLE
        return
    race.record["longer"] = True
    more = contenders.nst_tf_longer(race.problem, contender.image())
    contender.extend(more, contender.seconds + _CAP.value)


def _save_image(race: Race, name: str) -> None:
    path = Path(_OUTPUT.value, "pictures", f"{race.name.replace(' x ', '_')}_{name}.png")
    image_io.write(path, race.contenders[name].image()[0])
    race.record[f"{name}_png"] = path.name


def _summarize(race: Race) -> None:
    for steps, target in race.record["targets"].items():
        for name, contender in race.contenders.items():
            seconds = seconds_to(contender.curve, target["loss"])
            when = (
                f"not within {contender.seconds:.0f} s" if seconds is None else f"{seconds:.1f} s"
            )
            print(f"{race.name}: tutorial's loss after {steps} steps: {name} {when}", flush=True)


if __name__ == "__main__":
    app.run(main)
