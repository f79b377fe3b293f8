"""The figures of a segmentation on composites of scenes that it was not trained on.

Pixels are counted over the whole set; a class that a picture lacks adds its false alarms only. Intervals are by
bootstrap over scenes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from culld.records.regions import REGION_CLASSES, REGION_DEFECTS, RegionClass
from culld.training.dataset import number_of
from culld.training.segmentation.composites import composite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from culld.training.dataset import Scene
    from culld.training.segmentation.composites import Composite, Rules
    from culld.training.segmentation.experiment import SegmentationExperiment

    Pixels = NDArray[np.uint8]
    Maps = Mapping[str, NDArray[np.float32]]
    Segmenter = Callable[[Pixels], Maps]
    """From a picture to a map 0..1 of each class that it knows, by name."""

BLUR: Final = "blur"
"""Defocus or motion: what a measure of sharpness can tell."""
ANY: Final = "any defect"
STEPS: Final = 50
"""A map is counted at so many thresholds."""
NAMES: Final = (*map(str, REGION_CLASSES), BLUR)
_DRAWS: Final = 1000
_BLURRED = (RegionClass.DEFOCUS, RegionClass.MOTION)


class Kind(StrEnum):
    """What a picture of the set is."""

    COMPOSITE = "composite"
    """With one to three defects."""
    PASTED = "pasted"
    """With a region of another photo that has no defect."""
    PLAIN = "plain"
    """A patch of a photo as it is."""


TURNS: Final = (Kind.COMPOSITE, Kind.COMPOSITE, Kind.PASTED, Kind.PLAIN)
"""The pictures of each scene."""


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """Pixels of each picture of a kind, for one class and at each threshold i / STEPS; all int64.

    `inside` and `outside` of the true region are (pictures, STEPS + 1): those whose value is at least the threshold;
    pixels without weight are not counted. `total` is (pictures, 2): all pixels inside and outside. `scenes` numbers
    the scene of each picture.
    """

    scenes: NDArray[np.int64]
    inside: NDArray[np.int64]
    outside: NDArray[np.int64]
    total: NDArray[np.int64]


Counted: TypeAlias = "dict[tuple[str, Kind, str], Counts]"
"""The counts by segmenter, kind of picture and class."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure, and the ends of its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


def pictures(
    scenes: Sequence[Scene],
    photo: Callable[[Scene], Pixels],
    experiment: SegmentationExperiment,
    rules: Rules,
    turns: Sequence[Kind] = TURNS,
) -> Iterator[tuple[int, Kind, Composite]]:
    """Yield the number of the scene, the kind and the composite: for each scene one of each kind of `turns`.

    They depend on the scenes and on the split only, not on the seed of the training.
    """
    given = {
        Kind.COMPOSITE: replace(experiment, plain=0.0),
        Kind.PASTED: replace(experiment, plain=1.0, foreign=1.0),
        Kind.PLAIN: replace(experiment, plain=1.0, foreign=0.0),
    }
    for number, scene in enumerate(scenes):
        mine, other = photo(scene), photo(scenes[(number + 1) % len(scenes)])
        for turn, kind in enumerate(turns):
            rng = np.random.default_rng(number_of(experiment.split_seed, f"segment {turn}", scene.file))
            yield number, kind, composite(mine, other, given[kind], rules, rng)


def count(
    segmenters: Mapping[str, Segmenter], given: Iterable[tuple[int, Kind, Composite]], progress: Callable[[], object]
) -> Counted:
    """Return the counts by segmenter, kind and class; `progress` is called after each picture."""
    rows: dict[tuple[str, Kind, str], list[tuple[int, NDArray[np.int64], NDArray[np.int64]]]] = {}
    for scene, kind, each in given:
        truth = truths(each)
        for name, segmenter in segmenters.items():
            for label, values in segmenter(each.pixels).items():
                wanted, known = truth[label]
                one = (scene, _reached(values[wanted & known]), _reached(values[~wanted & known]))
                rows.setdefault((name, kind, label), []).append(one)
        progress()
    return {key: _counts(found) for key, found in rows.items()}


def truths(each: Composite) -> dict[str, tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """Return the true region and the known pixels of each class, of `BLUR` and of `ANY`, bool (side, side)."""
    found = {str(label): (each.labels[..., at], each.weights[..., at]) for at, label in enumerate(REGION_CLASSES)}
    for name, parts in ((BLUR, _BLURRED), (ANY, REGION_DEFECTS)):
        wanted = np.logical_or.reduce([found[part][0] & found[part][1] for part in parts])
        found[name] = (wanted, wanted | np.logical_and.reduce([found[part][1] for part in parts]))
    return found


def dice(counts: Counts, threshold: float) -> Interval:
    """Return 2 TP / (2 TP + FP + FN) at a threshold 0..1."""
    return _interval(counts, threshold, lambda hit, false, missed: 2 * hit / np.maximum(2 * hit + false + missed, 1))


def iou(counts: Counts, threshold: float) -> Interval:
    """Return TP / (TP + FP + FN) at a threshold 0..1."""
    return _interval(counts, threshold, lambda hit, false, missed: hit / np.maximum(hit + false + missed, 1))


def false_area(counts: Counts, threshold: float) -> Interval:
    """Return the share of the pixels outside of a true region that are found nevertheless."""
    at = _step(threshold)
    return _resampled(counts.scenes, (counts.outside[:, at], counts.total[:, 1]), lambda false, all_: false / all_)


def best_threshold(counts: Counts, clean: Counts | None = None, most: float = 1.0) -> float:
    """Return the threshold with the best Dice, strictly between 0 and 1.

    With `clean`, those of pictures without the class, only thresholds count that find it on at most a share `most` of
    their area; if there is none, the highest one is returned.
    """
    steps = range(1, STEPS)
    if clean is not None:
        false = clean.outside.sum(axis=0) / max(int(clean.total[:, 1].sum()), 1)
        steps = range(next((step for step in steps if false[step] <= most), STEPS - 1), STEPS)
    return max(steps, key=lambda step: dice_value(counts, step / STEPS)) / STEPS


def dice_value(counts: Counts, threshold: float) -> float:
    """Return Dice without its interval."""
    at = _step(threshold)
    hit, false = counts.inside[:, at].sum(), counts.outside[:, at].sum()
    return float(2 * hit / max(hit + false + counts.total[:, 0].sum(), 1))


def mean_dice(counts: Sequence[tuple[Counts, float]]) -> Interval:
    """Return the mean of the Dice of classes, each with its threshold; all count the same pictures."""
    columns = []
    for each, threshold in counts:
        at = _step(threshold)
        columns += [each.inside[:, at], each.outside[:, at], each.total[:, 0]]

    def mean(*sums: NDArray[np.float64]) -> NDArray[np.float64]:
        trios = zip(sums[::3], sums[1::3], sums[2::3], strict=True)
        scores = [2 * hit / np.maximum(hit + false + all_, 1) for hit, false, all_ in trios]
        return np.asarray(np.mean(scores, axis=0))

    return _resampled(counts[0][0].scenes, columns, mean)


def of_scenes(counts: Counts, scenes: Sequence[int]) -> Counts:
    """Return the counts of the pictures of these scenes only."""
    chosen = np.isin(counts.scenes, scenes)
    return Counts(counts.scenes[chosen], counts.inside[chosen], counts.outside[chosen], counts.total[chosen])


def joined(parts: Sequence[Counts]) -> Counts:
    """Return the counts of the pictures of all parts."""
    columns = zip(*((part.scenes, part.inside, part.outside, part.total) for part in parts), strict=True)
    return Counts(*(np.concatenate(column) for column in columns))


def mean_interval(values: Sequence[float]) -> Interval:
    """Return the mean of one value for each scene, with its interval."""
    given = np.rint(np.asarray(values) * 1e9).astype(np.int64)
    return _resampled(np.arange(len(given)), (given, np.ones_like(given)), lambda sums, count: sums / count / 1e9)


def _reached(values: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return how many values reach each threshold, and all of them as the last number."""
    steps = np.floor(np.clip(values, 0, 1) * np.float32(STEPS) + np.float32(1e-4)).astype(np.int64)
    bins = np.bincount(steps, minlength=STEPS + 1)
    return np.append(np.cumsum(bins[::-1])[::-1], values.size)


def _counts(rows: Sequence[tuple[int, NDArray[np.int64], NDArray[np.int64]]]) -> Counts:
    scenes, inside, outside = (np.array(each) for each in zip(*rows, strict=True))
    return Counts(scenes, inside[:, :-1], outside[:, :-1], np.stack((inside[:, -1], outside[:, -1]), axis=1))


def _step(threshold: float) -> int:
    return round(threshold * STEPS)


def _interval(counts: Counts, threshold: float, score: Callable[..., NDArray[np.float64]]) -> Interval:
    at = _step(threshold)
    hit, false = counts.inside[:, at], counts.outside[:, at]
    return _resampled(counts.scenes, (hit, false, counts.total[:, 0] - hit), score)


def _resampled(
    scenes: NDArray[np.int64], columns: Sequence[NDArray[np.int64]], score: Callable[..., NDArray[np.float64]]
) -> Interval:
    """Return the score of the sums of columns (pictures), with its interval: bootstrap over scenes, always the same."""
    _, place = np.unique(scenes, return_inverse=True)
    sums = np.stack([np.bincount(place, weights=column) for column in columns], axis=1)
    weights = np.random.default_rng(0).multinomial(len(sums), np.full(len(sums), 1 / len(sums)), _DRAWS)
    drawn = score(*(weights @ sums).T)
    low, high = np.quantile(drawn, (0.025, 0.975))
    whole = sums.sum(axis=0)
    return Interval(float(np.asarray(score(*whole))), float(low), float(high))
