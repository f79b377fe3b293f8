"""Evaluation of a finished model: the LiteRT file that ships, on pictures of scenes that it was not trained on.

`predict` scores the pictures of every protocol; `report` turns the scores into figures.
"""

from __future__ import annotations

import csv
import hashlib
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from culld.errors import ConfigError
from culld.training.augment import Augmentation
from culld.training.export import LITERT_FILE, parity
from culld.training.protocols import clean_ways, kadis_protocol, linear_protocol, strong_blur
from culld.training.render import render
from culld.training.report import Predictions, evaluation_figures

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from culld.records import Threshold
    from culld.training.context import Frame, Run, RunContext
    from culld.training.dataset import Sample, Scene
    from culld.training.experiment import Experiment, TwoStageExperiment

    Scores = NDArray[np.float32]
    Score = Callable[[str, Sequence["PictureGroup"]], Scores]

KADIS_DRAWS = 3
"""The KADIS protocol is drawn this often; its figures are means over the draws."""

_THREADS = 2
_CHUNK = 64  # groups between two reports of progress
_PARITY_FRAMES = 16
_TIMED_FRAMES = 50


@dataclass(frozen=True, slots=True)
class PictureGroup:
    """`count` pictures that are made out of one photo; `make` decodes it and returns them."""

    count: int
    make: Callable[[], list[Frame]]


def evaluate_model(
    folder: Path,
    scenes: Sequence[Scene],
    thresholds: Sequence[Threshold],
    experiment: Experiment | TwoStageExperiment,
    context: RunContext,
) -> tuple[dict[str, Any], dict[str, Predictions]]:
    """Return the figures of the LiteRT file in a folder on these scenes, and the predictions by protocol."""
    score = network_scorer(lambda: context.engine(folder / LITERT_FILE), context.progress)
    predictions = predict(score, scenes, experiment.seed, context)
    tag, reject = [each.tag for each in thresholds], [each.reject for each in thresholds]
    return evaluation_figures(predictions, tag, reject, experiment.prevalence), predictions


def photos_digest(scenes: Sequence[Scene], seed: int) -> str:
    """Return 12 hex digits that identify the test pictures: they follow from the names of the scenes and the seed."""
    names = "\n".join([str(seed), *sorted(scene.file for scene in scenes)])
    return hashlib.sha256(names.encode()).hexdigest()[:12]


def measure(
    folder: Path, scenes: Sequence[Scene], experiment: Experiment | TwoStageExperiment, context: RunContext
) -> dict[str, Any]:
    """Return the figures for the card: those of `evaluate_model`, and the time of a frame in ms on this machine."""
    figures, _ = evaluate_model(folder, scenes, experiment.thresholds, experiment, context)
    return figures | {"milliseconds_per_frame": milliseconds_per_frame(folder, scenes, context)}


def predict(score: Score, scenes: Sequence[Scene], seed: int, context: RunContext) -> dict[str, Predictions]:
    """Return the predictions by protocol, with `real` among them if the context has a folder of mis-exposed photos.

    `score(phase, groups)` returns one row for each picture of the groups, in order.
    """
    protocols = {f"kadis {seed + draw}": kadis_protocol(scenes, seed + draw) for draw in range(KADIS_DRAWS)}
    for name, protocol in (("linear", linear_protocol), ("other ways", clean_ways), ("strong blur", strong_blur)):
        protocols[name] = protocol(scenes, seed)
    found = score_protocols(score, "pictures to measure on", protocols, context)
    if context.real_exposure is not None:
        found["real"] = _real(score, context.real_exposure, context)
    return found


def score_protocols(
    score: Score, phase: str, protocols: Mapping[str, Sequence[Sample]], context: RunContext
) -> dict[str, Predictions]:
    """Score the pictures of each protocol; a scene is decoded once and equal pictures are made once for all of them."""
    scenes: dict[str, dict[object, Sample]] = {}
    for sample in chain.from_iterable(protocols.values()):
        scenes.setdefault(sample.scene.file, {}).setdefault(_identity(sample), sample)
    row = {picture: number for number, picture in enumerate(chain.from_iterable(scenes.values()))}
    scores = score(phase, [_scene_pictures(list(pictures.values()), context) for pictures in scenes.values()])
    return {
        name: _predictions(samples, scores[[row[_identity(sample)] for sample in samples]])
        for name, samples in protocols.items()
    }


def network_scorer(open_network: Callable[[], Run], progress: Callable[[str, int, int], None]) -> Score:
    """Return a `score` function for `predict` that opens one network for each of its threads."""

    def score(phase: str, groups: Sequence[PictureGroup]) -> Scores:
        local = threading.local()

        def score_group(group: PictureGroup) -> Scores:
            if not hasattr(local, "run"):
                local.run = open_network()
            return np.array([local.run(frame) for frame in group.make()], np.float32).reshape(group.count, 3)

        parts: list[Scores] = []
        with ThreadPoolExecutor(_THREADS) as pool:
            for start in range(0, len(groups), _CHUNK):
                parts += pool.map(score_group, groups[start : start + _CHUNK])
                progress(phase, sum(map(len, parts)), sum(group.count for group in groups))
        return np.concatenate(parts)

    return score


def milliseconds_per_frame(folder: Path, scenes: Sequence[Scene], context: RunContext) -> float:
    """Return the median time in ms that the LiteRT file takes for the clean frame of a scene, on this machine."""
    frames = [context.decode(context.photos / scene.file) for scene in scenes[:_TIMED_FRAMES]]
    return milliseconds(context.engine(folder / LITERT_FILE), frames)


def milliseconds(run: Run, frames: Sequence[Frame]) -> float:
    """Return the median time in ms that `run` takes for a frame; a first run on the first frame is not counted."""
    run(frames[0])
    found = []
    for frame in frames:
        start = time.perf_counter()
        run(frame)
        found.append(time.perf_counter() - start)
    return round(statistics.median(found) * 1000, 1)


def check_parity(model: Any, folder: Path, scenes: Sequence[Scene], context: RunContext) -> float:
    """Return how far LiteRT and Keras differ on some photos; raises `SystemFaultError` if it is too far."""
    frames = [context.decode(context.photos / scene.file) for scene in scenes[:_PARITY_FRAMES]]
    return parity(model, context.engine(folder / LITERT_FILE), frames)


def _identity(sample: Sample) -> tuple[object, ...]:
    """Return equal values for samples that give equal pictures: the seed changes nothing where no step is drawn."""
    untouched = not sample.steps and sample.augmentation == Augmentation()
    return sample.scene.file, sample.steps, sample.augmentation, 0 if untouched else sample.seed


def _scene_pictures(samples: Sequence[Sample], context: RunContext) -> PictureGroup:
    def make() -> list[Frame]:
        frame = context.decode(context.photos / samples[0].scene.file)
        return [render(frame, sample, context.jpeg) for sample in samples]

    return PictureGroup(len(samples), make)


def _predictions(samples: Sequence[Sample], scores: Scores) -> Predictions:
    labels = np.array([sample.labels for sample in samples], np.float32)
    groups = np.array([sample.group for sample in samples])
    return Predictions(labels, groups, tuple(sample.scene.tags for sample in samples), scores)


def _real(score: Score, folder: Path, context: RunContext) -> Predictions:
    """Score photos with the label `under` or `over`; any other label is a mild case that has neither defect.

    Raises `ConfigError` if the folder has no index.csv with the columns file and label.
    """
    try:
        with (folder / "index.csv").open(encoding="utf-8", newline="") as lines:
            rows = [(folder / row["file"], row["label"]) for row in csv.DictReader(lines)]
    except (OSError, KeyError) as error:
        raise ConfigError((f"{folder / 'index.csv'}: needs the columns file and label ({error})",)) from error
    scores = score("real exposure", [_photo(file, context) for file, _ in rows])
    labels = np.array([[0, label == "under", label == "over"] for _, label in rows], np.float32)
    return Predictions(labels, np.array([label for _, label in rows]), (frozenset(),) * len(rows), scores)


def _photo(file: Path, context: RunContext) -> PictureGroup:
    return PictureGroup(1, lambda: [context.decode(file)])
