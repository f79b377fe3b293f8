"""Measuring a finished model: the very bytes that ship, on pictures of scenes that nobody trained on."""

from __future__ import annotations

import csv
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from culld.errors import ConfigError
from culld.training import metrics
from culld.training.dataset import HARD_TAGS
from culld.training.journey import render
from culld.training.protocols import clean_ways, linear_protocol, seed_protocol, strong_blur

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from culld.training.dataset import Scene, Variant
    from culld.training.experiment import Experiment

    Frame = NDArray[np.uint8]
    Scores = NDArray[np.float32]
    Run = Callable[[Frame], NDArray[np.float32]]
    Progress = Callable[[str, int, int], None]

_T = TypeVar("_T")
_THREADS = 2
_CHUNK = 64
_SEED_LIMITS = (0.5, 0.5, 0.5)


@dataclass(frozen=True, slots=True)
class Bench:
    """What is needed to score pictures: the photo folder, the decoder, and an engine for each thread."""

    photos: Path
    decode: Callable[[Path], Frame]
    engine: Callable[[], Run]
    progress: Progress

    def score(self, name: str, variants: Sequence[Variant]) -> Scores:
        """Scores (n, 3) of these variants, in order; a scene is decoded once for neighbouring variants."""
        scenes = [list(group) for _, group in groupby(variants, key=lambda variant: variant.scene.file)]
        return self._each(name, scenes, self._scene)

    def score_files(self, name: str, files: Sequence[Path]) -> Scores:
        """Scores (n, 3) of photos as they are."""
        return self._each(name, files, lambda file, run: run(self.decode(file))[None])

    def _scene(self, group: list[Variant], run: Run) -> Scores:
        frame = self.decode(self.photos / group[0].scene.file)
        return np.stack([run(render(frame, variant)) for variant in group])

    def _each(self, name: str, items: Sequence[_T], work: Callable[[_T, Run], Scores]) -> Scores:
        local = threading.local()
        found: list[Scores] = []

        def one(item: _T) -> Scores:
            if not hasattr(local, "run"):
                local.run = self.engine()
            return work(item, local.run)

        with ThreadPoolExecutor(_THREADS) as pool:
            for start in range(0, len(items), _CHUNK):
                found += pool.map(one, items[start : start + _CHUNK])
                self.progress(name, len(found), len(items))
        return np.concatenate(found)


def evaluate(bench: Bench, scenes: Sequence[Scene], experiment: Experiment, real: Path | None) -> dict[str, Any]:
    """All figures of a model on these scenes, and on a folder of really mis-exposed photos if one is given."""
    tags = [threshold.tag for threshold in experiment.thresholds]
    rejects = [threshold.reject for threshold in experiment.thresholds]
    seeded = seed_protocol(scenes, experiment.seed)
    linear = linear_protocol(scenes, experiment.seed)
    seed_scores = bench.score("seed protocol", seeded)
    linear_scores = bench.score("linear light", linear)
    figures = {
        "scenes": len(scenes),
        "seed_protocol_at_0.5": metrics.summary(seed_scores, _labels(seeded), _SEED_LIMITS),
        "linear_protocol_at_tag": metrics.summary(linear_scores, _labels(linear), tags),
        "expected_calibration_error": _calibration(linear_scores, _labels(linear), experiment),
        "clean": _clean(seeded, seed_scores, tags, rejects),
        "clean_other_ways": _other_ways(bench, scenes, experiment),
        "strong_blur_found": _strong(bench, scenes, experiment),
    }
    if real is not None:
        figures["real_exposure_at_tag"] = _real(bench, real, tags)
    return figures


def _labels(variants: Sequence[Variant]) -> NDArray[np.float32]:
    return np.array([variant.labels for variant in variants], np.float32)


def _calibration(scores: Scores, labels: NDArray[np.float32], experiment: Experiment) -> dict[str, float]:
    errors = [
        metrics.calibration_error(scores[:, head], labels[:, head] > 0.5, experiment.prevalence) for head in range(3)
    ]
    blur, under, over = (round(error, 4) for error in errors)
    return {"blur": blur, "under": under, "over": over, "prevalence": experiment.prevalence}


def _clean(
    variants: Sequence[Variant], scores: Scores, tags: Sequence[float], rejects: Sequence[float | None]
) -> dict[str, Any]:
    """False flags on clean photos, all of them and each hard kind apart."""
    clean = np.array([not variant.steps for variant in variants])
    kinds = {"all": clean, "ordinary": clean & np.array([not variant.scene.hard for variant in variants])}
    for tag in HARD_TAGS:
        kinds[tag] = clean & np.array([tag in variant.scene.tags for variant in variants])
    return {
        kind: {
            "pictures": int(rows.sum()),
            "tagged": metrics.flagged(scores[rows], tags),
            "rejected": metrics.flagged(scores[rows], rejects),
        }
        for kind, rows in kinds.items()
        if rows.any()
    }


def _other_ways(bench: Bench, scenes: Sequence[Scene], experiment: Experiment) -> dict[str, Any]:
    variants = clean_ways(scenes, experiment.seed)
    return _clean(
        variants,
        bench.score("clean, other ways", variants),
        [threshold.tag for threshold in experiment.thresholds],
        [threshold.reject for threshold in experiment.thresholds],
    )


def _strong(bench: Bench, scenes: Sequence[Scene], experiment: Experiment) -> dict[str, Any]:
    """Which share of strongly blurred pictures reaches the thresholds of blur, in all and for each way of blurring."""
    variants = strong_blur(scenes, experiment.seed)
    blur = bench.score("strong blur", variants)[:, 0]
    threshold = experiment.thresholds[0]
    groups = np.array([variant.group for variant in variants])
    rows = {"all": np.full(len(blur), True)} | {name: groups == name for name in sorted(set(groups))}
    return {
        name: {
            "pictures": int(chosen.sum()),
            "tagged": round(float((blur[chosen] >= threshold.tag).mean()), 4),
            "rejected": round(float((blur[chosen] >= (threshold.reject or 2.0)).mean()), 4),
        }
        for name, chosen in rows.items()
    }


def _real(bench: Bench, folder: Path, tags: Sequence[float]) -> dict[str, Any]:
    """How many really under- and over-exposed photos are found, and how many of the others are called so."""
    try:
        with (folder / "index.csv").open(encoding="utf-8", newline="") as lines:
            rows = [(folder / row["file"], row["label"]) for row in csv.DictReader(lines)]
    except (OSError, KeyError) as error:
        raise ConfigError((f"{folder / 'index.csv'}: needs the columns file and label ({error})",)) from error
    scores = bench.score_files("real exposure", [file for file, _ in rows])
    labels = np.array([label for _, label in rows])
    return {
        str(label): {"pictures": int((labels == label).sum()), "tagged": metrics.flagged(scores[labels == label], tags)}
        for label in sorted(set(labels))
    }
