"""Measure how long this program and others take to the loss of the TensorFlow tutorial's loop.

All minimize the Gram objective of `problem.py`.

python benchmarks/time_to_loss.py
"""

import json
from dataclasses import dataclass
from pathlib import Path

import contenders
import machine
import problem
import pytorch
from absl import flags
from curves import seconds_to
from race import FINISHED, RUNNING, UNABLE, Contender, LoadingClock

from nst_tf import files
from nst_tf.cli import app
from nst_tf.images import image_io
from nst_tf.run.pyramid import schedule

_SAMPLES = machine.ROOT / "samples"
_PAIRS = (
    ("cincinnati_bridge", "vangogh_village_street_in_auvers"),
    ("raccoon", "hokusai_great_wave"),
    ("honey_bee", "kandinsky_composition_viii"),
)
_KEPT = ("nst_tf", "tutorial")
_SIZE = flags.DEFINE_integer("size", 512, "long side of the pictures in pixels")
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
    """One pair: its contenders, and what has been found so far.

    Attributes:
        name: of the pair.
        problem: what is to be minimized.
        contenders: by name.
        record: for JSON.
    """

    name: str
    problem: problem.Problem
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
    results = machine.provenance() | {"settings": _flags(), "pairs": {}}
    weights = None
    for pair in _PAIRS_FLAG.value:
        content, style = map(Path, pair.split(":"))
        task = problem.load(content, style, _SIZE.value)
        weights = weights or pytorch.load(task.settings)
        loading = LoadingClock()
        with loading.watching():
            race = _prepare(f"{content.stem} x {style.stem}", task, weights, loading)
            results["pairs"][race.name] = race.record
            _run(race, results)
        _summarize(race)


def _flags() -> dict:
    return {
        "size": _SIZE.value,
        "tutorial_steps": _STEPS.value,
        "early_steps": _EARLY.value,
        "cap_seconds": _CAP.value,
        "nst_tf_steps": schedule(problem.SETTINGS.scales, problem.SETTINGS.steps).numpy().tolist(),
    }


def _prepare(
    name: str, task: problem.Problem, weights: pytorch.Weights, loading: LoadingClock
) -> Race:
    """Check that all minimize the same, and line them up."""
    judge = problem.judge(task)
    loss = judge(task.start)
    problem.check("nst_tf", problem.own_loss(task), loss)
    objective = pytorch.Objective(weights, task.start, task.style, task.settings)
    problem.check("torch_lbfgs", float(objective.value(pytorch.as_tensor(task.start))), loss)
    factor = contenders.keras_io_factor(task)
    rivals = {
        "keras_io": contenders.keras_io(task, factor),
        "torch_lbfgs": contenders.torch_lbfgs(task, weights),
        "scipy_lbfgsb": contenders.scipy_lbfgsb(task),
    }
    lined_up = {
        "nst_tf": Contender(contenders.nst_tf(task), judge, loading, growth=1.03),
        "tutorial": Contender(
            contenders.tutorial(task, _STEPS.value),
            judge,
            loading,
            marks=(_EARLY.value, _STEPS.value),
        ),
    }
    for rival, stream in rivals.items():
        lined_up[rival] = Contender(stream, judge, loading, cap=_CAP.value)
    for contender in lined_up.values():
        if contender is not lined_up["nst_tf"]:
            contender.curve.append((0, 0.0, loss))
    record = {
        "height": task.start.shape[1],
        "width": task.start.shape[2],
        "start_loss": loss,
        "keras_io_factor": factor,
        "targets": {str(steps): {} for steps in (_EARLY.value, _STEPS.value)},
    }
    return Race(name, task, lined_up, record)


def _run(race: Race, results: dict) -> None:
    """Advance the contenders in turns until all have stopped."""
    while any(contender.state == RUNNING for contender in race.contenders.values()):
        for name, contender in race.contenders.items():
            if contender.state != RUNNING:
                continue
            contender.advance(None if name == "tutorial" else _stop_at(race, name))
            if contender.state == FINISHED and name in _KEPT and f"{name}_png" not in race.record:
                _keep(race, name)
            race.update()
            text = json.dumps(results, allow_nan=False)
            files.replace(Path(_OUTPUT.value) / "time_to_loss.json", text.encode())
            print(
                f"{race.name}: {name} {contender.state}, step {contender.steps}, "
                f"{contender.seconds:.1f} s, loss {contender.loss:.5g}",
                flush=True,
            )
        _lengthen(race)


def _stop_at(race: Race, name: str) -> float | None:
    """This program's own steps run to their end; all else stops at the tutorial's last loss."""
    own_steps = name == "nst_tf" and "nst_tf_png" not in race.record
    return None if own_steps else race.target()


def _lengthen(race: Race) -> None:
    """Let this program go on if its own steps end above the tutorial's last loss."""
    ours, target = race.contenders["nst_tf"], race.target()
    if ours.state != FINISHED or target is None or ours.loss <= target:
        return
    if "longer" in race.record:
        ours.state = UNABLE
        return
    race.record["longer"] = True
    more = contenders.nst_tf_longer(race.problem, ours.picture())
    ours.go_on(more, ours.seconds + _CAP.value)


def _keep(race: Race, name: str) -> None:
    """Save a finished picture."""
    contender = race.contenders[name]
    path = Path(_OUTPUT.value) / "pictures" / f"{race.name.replace(' x ', '_')}_{name}.png"
    image_io.write(path, contender.picture()[0])
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
