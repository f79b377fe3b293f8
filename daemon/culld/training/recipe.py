"""A training run as a list of phases, from photographs to a model folder with its card."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from culld.training.dataset import HARD_TAGS, read_index, split
from culld.training.evaluate import Bench, evaluate
from culld.training.experiment import as_yaml
from culld.training.export import KERAS_FILE, LITERT_FILE, parity, write_litert
from culld.training.features import Extractor, Table
from culld.training.fit import calibrate, fit_heads
from culld.training.network import assemble, build_features, columns

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from culld.training.dataset import Scene, Split
    from culld.training.experiment import Experiment

    Frame = NDArray[np.uint8]
    Run = Callable[[Frame], NDArray[np.float32]]

_PARITY_FRAMES = 16


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a run is handed from outside.

    `weights`: MobileNetV2 in `.npz`, None for a random trunk. `decode` brings a file into the network's frame,
    `engine` opens a LiteRT file for one thread. `progress(phase, done, total)` hears how far it is. `experiment_text`
    is what goes into `train.yaml`, None for the experiment's own values.
    """

    photos: Path
    weights: Path | None
    cache: Path
    out: Path
    real_exposure: Path | None
    decode: Callable[[Path], Frame]
    engine: Callable[[Path], Run]
    progress: Callable[[str, int, int], None]
    experiment_text: str | None = None


@dataclass(frozen=True, slots=True)
class Trained:
    """What a run made: the digest of the shipped file, and the facts for the card."""

    digest: str
    data: dict[str, Any]
    metrics: dict[str, Any]
    calibration: dict[str, Any]


def train(experiment: Experiment, around: Surroundings) -> Trained:
    """Run all phases; files appear under `out` only when everything worked."""
    chosen = columns(experiment.pooling)
    scenes = split(read_index(around.photos), experiment)
    learn, hold = _features(scenes, experiment, around)

    heads = fit_heads(learn, chosen, experiment, lambda done, total: around.progress("heads", done, total))
    logits = heads.predict(hold.features[:, chosen], verbose=0)
    calibration = calibrate(logits, hold, experiment)

    model = assemble(build_features(around.weights, experiment.pooling), heads, calibration)
    work = around.cache / "work"
    digest = write_litert(model, work / LITERT_FILE)
    model.save(work / KERAS_FILE)
    (work / "train.yaml").write_text(around.experiment_text or as_yaml(experiment), "utf-8")

    worst = check_parity(model, work, scenes.test, around)
    figures = measure(work, scenes.test, experiment, around)
    _publish(work, around.out)
    fitted = {
        "method": "scale and offset per head, fitted on scenes that nobody trained on",
        "scale": [round(value, 4) for value in calibration.scale],
        "offset": [round(value, 4) for value in calibration.offset],
        "pictures": len(hold.labels),
        "prevalence": experiment.prevalence,
        "expected_calibration_error": figures.pop("expected_calibration_error"),
    }
    figures["largest_difference_to_keras"] = float(f"{worst:.1e}")
    return Trained(digest, describe(scenes, learn), figures, fitted)


def measure(folder: Path, scenes: Sequence[Scene], experiment: Experiment, around: Surroundings) -> dict[str, Any]:
    """The figures of the LiteRT file in a folder on these scenes."""
    bench = Bench(around.photos, around.decode, lambda: around.engine(folder / LITERT_FILE), around.progress)
    return evaluate(bench, scenes, experiment, around.real_exposure)


def check_parity(model: Any, folder: Path, scenes: Sequence[Scene], around: Surroundings) -> float:
    """How far LiteRT and Keras differ on some photos; raises `SystemFaultError` if it is too far."""
    frames = [around.decode(around.photos / scene.file) for scene in scenes[:_PARITY_FRAMES]]
    return parity(model, around.engine(folder / LITERT_FILE), frames)


def describe(scenes: Split, learn: Table) -> dict[str, Any]:
    """Where the photographs come from, under which licences, and how many of them did what."""
    everything = (*scenes.train, *scenes.calibration, *scenes.test)
    counts = Counter(f"{scene.source} ({scene.licence})" for scene in everything)
    return {
        "scenes": {"train": len(scenes.train), "calibration": len(scenes.calibration), "test": len(scenes.test)},
        "hard_negatives": {tag: sum(tag in scene.tags for scene in everything) for tag in HARD_TAGS},
        "training_pictures": len(learn.labels),
        "sources": dict(counts.most_common()),
    }


def _features(scenes: Split, experiment: Experiment, around: Surroundings) -> tuple[Table, Table]:
    """What the frozen trunk says of the training and of the calibration pictures."""
    trunk = around.cache / "trunk.tflite"
    write_litert(build_features(around.weights), trunk)
    extractor = Extractor(around.photos, around.decode, around.engine, trunk, around.cache / "features")
    parts = {"learn": scenes.train, "calibrate": scenes.calibration}
    tables = []
    for name, part in parts.items():
        draws = range(experiment.draws if name == "learn" else 1)
        told = [_told(around.progress, f"features to {name}, draw {draw + 1}") for draw in draws]
        tables.append(Table.joined([extractor.table(part, draw, experiment, told[draw]) for draw in draws]))
    return tables[0], tables[1]


def _told(progress: Callable[[str, int, int], None], phase: str) -> Callable[[int, int], None]:
    return lambda done, total: progress(phase, done, total)


def _publish(work: Path, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for name in (KERAS_FILE, LITERT_FILE, "train.yaml"):
        shutil.copyfile(work / name, out / name)
