"""`make cam-loss`: networks whose heat maps lie where they were trained to lie, and what the logit rests on.

Writes `report.md`, `figures.json` and `maps.png` into the folder of the experiment. No network is kept.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from culld.cli.model_common import ProgressBars, decode_file
from culld.imaging.encode import jpeg_roundtrip
from culld.training.cam_loss.experiment import CamLossExperiment, load_cam_loss
from culld.training.cam_loss.measure import Looked, energy_inside, look, repair_test, task_auc
from culld.training.cam_loss.network import build_frozen
from culld.training.cam_loss.pictures import Pair, PairFeatures, features_of, pair_of
from culld.training.cam_loss.train import BASELINE, train_all
from culld.training.dataset import Scene, number_of, read_index, split

Features = Callable[[NDArray[np.float32]], NDArray[np.float32]]

HALF = 0.5
FAITHFUL = 2.0
"""A map shows the evidence if its strongest cells count at least so many times as much as others."""
LEAST_GAIN, MOST_LOST = 0.5, 0.01
"""The bars: the energy in the target grows by half of its share, and the task loses a hundredth of its area."""


@dataclass(frozen=True, slots=True)
class Run:
    """The figures of one network of one seed.

    `energy` and `before` are the mean share of the map's energy inside its target, of this network and the baseline.
    """

    seed: int
    network: str
    auc: float
    energy: float
    before: float
    fall_strongest: float
    fall_random: float


def main(arguments: Sequence[str]) -> int:
    """Train, measure and write the report."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    options = _options(arguments)
    experiment = load_cam_loss(options.folder / "experiment.yaml")
    scenes = split(read_index(options.photos), experiment.splits)
    frozen = _frozen(options.weights)
    with ProgressBars() as bars:
        learn = _pairs(_some(scenes.train, experiment.scenes), options.photos, bars, "pictures to learn from")
        tested = _pairs(_some(scenes.test, experiment.tested), options.photos, bars, "pictures to test on")
        found, held = features_of(learn, frozen), features_of(tested, frozen)
        runs: list[Run] = []
        maps: dict[str, dict[str, NDArray[np.float32]]] = {}
        for number, seed in enumerate(experiment.seeds, start=1):
            bars.progress("seeds", number - 1, len(experiment.seeds))
            more, maps[f"seed {seed}"] = _run(found, held, tested, frozen, experiment, seed)
            runs += more
    _write(options.folder, runs, maps, held, experiment)
    return 0


def _run(
    learn: PairFeatures,
    held: PairFeatures,
    tested: Sequence[Pair],
    frozen: Features,
    experiment: CamLossExperiment,
    seed: int,
) -> tuple[list[Run], dict[str, NDArray[np.float32]]]:
    """Return the figures of the networks of one seed, and the mean map of each."""
    models = train_all(learn, experiment, seed, lambda _: None)
    baseline = look(models[BASELINE], held)
    runs, maps = [], {}
    for name, model in models.items():
        looked = look(model, held)
        rng = np.random.default_rng(number_of(seed, "repair", name))
        repaired = repair_test(model, frozen, tested[: experiment.repairs], looked, experiment.repaired, rng)
        energy, before = (_energy(each, held, name) for each in (looked, baseline))
        runs.append(Run(seed, name, task_auc(looked, held.labels), energy, before, repaired.strongest, repaired.random))
        maps[name] = np.maximum(looked.defective, 0).mean(axis=0)
    return runs, maps


def _energy(looked: Looked, held: PairFeatures, target: str) -> float:
    """The mean share of the energy inside a target; of the baseline that in the salient regions."""
    masks = held.targets.get(target, held.targets["saliency"])
    return float(energy_inside(looked, masks).mean())


def _frozen(weights: Path) -> Features:
    """The frozen layers as a function of frames."""
    import tensorflow as tf

    model = build_frozen(weights)
    graph = tf.function(lambda frames: model(frames, training=False))
    return lambda frames: np.asarray(graph(tf.constant(frames)))


def _some(scenes: Sequence[Scene], count: int) -> list[Scene]:
    """So many of the scenes, chosen by hash."""
    return sorted(scenes, key=lambda scene: number_of(1, "cam loss scenes", scene.file))[:count]


def _pairs(scenes: Sequence[Scene], photos: Path, bars: ProgressBars, phase: str) -> list[Pair]:
    found = []
    for number, scene in enumerate(scenes, start=1):
        found.append(pair_of(scene, photos, decode_file, jpeg_roundtrip, 1))
        bars.progress(phase, number, len(scenes))
    return found


def _write(
    folder: Path,
    runs: Sequence[Run],
    maps: Mapping[str, Mapping[str, NDArray[np.float32]]],
    held: PairFeatures,
    experiment: CamLossExperiment,
) -> None:
    from culld.training.plots import draw_maps  # noqa: PLC0415 (heavy)

    targets = {name: masks.mean(axis=0) for name, masks in held.targets.items()}
    first = {"clean pictures": np.zeros_like(targets["corners"])} | targets
    draw_maps({"target": dict(zip(("(none)", *targets), first.values(), strict=True)), **maps}, folder / "maps.png")
    figures = [{name: getattr(run, name) for name in Run.__slots__} for run in runs]
    (folder / "figures.json").write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    page = "\n".join(report_lines(runs, experiment)) + "\n"
    (folder / "report.md").write_text(page, "utf-8")
    print(page)


def report_lines(runs: Sequence[Run], experiment: CamLossExperiment) -> Iterator[str]:
    """Yield the lines of the report: the table, whether the bars were reached, and what follows from it."""
    yield "# Heat maps that lie where they were trained to lie\n"
    yield (
        f"Mean of {len(experiment.seeds)} seeds on {experiment.tested} photographs that no network had seen, each "
        "clean and blurred; the smallest and largest value in brackets. The map is Grad-CAM of the logit at the last "
        "layer, in front of an average and one dense layer, where HiResCAM is the same.\n"
    )
    yield "| trained to look at | area under the curve | energy in the target | of the baseline | energy by area |"
    yield "|---|---|---|---|---|"
    for name in _names(runs):
        some = [run for run in runs if run.network == name]
        share = _spread([run.energy for run in some]), _spread([run.before for run in some])
        by_area = f"{np.mean([run.energy for run in some]) / 0.25:.2f}"
        shown = ("nothing (baseline; salient regions)", "", by_area) if name == BASELINE else (name, share[1], by_area)
        yield f"| {shown[0]} | {_spread([run.auc for run in some], 4)} | {share[0]} | {shown[1]} | {shown[2]} |"
    yield ""
    yield from _bars(runs)
    yield "\nEach target is a quarter of the picture. ![mean maps](maps.png)\n"
    yield "## What the logit rests on\n"
    yield (
        f"{experiment.repaired:.0%} of a blurred picture is given back from its clean original: the cells where the "
        "map is strongest, or as many in the same shapes elsewhere. How far the logit falls:\n"
    )
    yield "| trained to look at | strongest cells | other cells | ratio |"
    yield "|---|---|---|---|"
    for name in _names(runs):
        some = [run for run in runs if run.network == name]
        falls = [np.mean([getattr(run, part) for run in some]) for part in ("fall_strongest", "fall_random")]
        ratios = [run.fall_strongest / run.fall_random for run in some]
        yield f"| {name} | {falls[0]:.2f} | {falls[1]:.2f} | {_spread(ratios, 2)} |"
    yield ""
    yield from _conclusion(runs)


def _conclusion(runs: Sequence[Run]) -> Iterator[str]:
    """Yield what the figures say: which maps lie in their targets, and which of them no longer show the evidence."""
    moved, empty = [], []
    for name in _names(runs)[1:]:
        some = [run for run in runs if run.network == name]
        moved += [name] if np.mean([run.energy for run in some]) > HALF else []
        empty += [name] if np.mean([run.fall_strongest / run.fall_random for run in some]) < FAITHFUL else []
    yield (
        f"The maps with more than half of their energy in the target: {', '.join(moved) or 'none'}. Those whose "
        f"strongest cells count less than {FAITHFUL:g} times as much as others: {', '.join(empty) or 'none'}."
    )
    if set(moved) & set(empty):
        yield (
            "So a map of a head that was trained by its map is no proof of what the head rests on: the map moved, the "
            "task did not suffer, and the evidence stayed where it was. culld shows maps of heads that were never "
            "trained by their maps, with the repair test of those heads beside them."
        )


def _names(runs: Sequence[Run]) -> list[str]:
    return list(dict.fromkeys(run.network for run in runs))


def _spread(values: Sequence[float], digits: int = 3) -> str:
    """The mean, with the smallest and the largest value."""
    low, high = min(values), max(values)
    return f"{np.mean(values):.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def _bars(runs: Sequence[Run]) -> Iterator[str]:
    """Yield a line for each target: by how much its share of the energy grew, and what the task lost."""
    areas = {run.seed: run.auc for run in runs if run.network == BASELINE}
    for name in _names(runs)[1:]:
        some = [run for run in runs if run.network == name]
        gain = np.mean([run.energy / run.before - 1 for run in some])
        lost = np.mean([areas[run.seed] - run.auc for run in some])
        reached = gain >= LEAST_GAIN and lost <= MOST_LOST
        yield (
            f"- {name}: the energy in the target grew by {gain:.2f} of its share (wanted {LEAST_GAIN}), the area under "
            f"the curve fell by {lost:.4f} (at most {MOST_LOST}): {'reached' if reached else 'missed'}."
        )


def _options(arguments: Sequence[str]) -> Any:
    parser = argparse.ArgumentParser(prog="bench.cam_loss", description=__doc__)
    parser.add_argument("folder", type=Path, help="the folder of the experiment, with experiment.yaml")
    parser.add_argument("--photos", type=Path, required=True, help="photographs with index.csv")
    parser.add_argument("--weights", type=Path, required=True, help="weights of MobileNetV2")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
