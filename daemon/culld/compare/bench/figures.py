"""Figures of a model of change from the counts of its pixels: IoU, F1, false-alarm area, with intervals; pure numpy.

IoU and F1 are those of the class "change". Each is counted over all pixels of the set (micro), and as the mean
over the pairs with a change (per pair): a pair without a change has neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

STEPS: Final = 1000
"""Thresholds are multiples of 1/STEPS."""
HALF: Final = STEPS // 2
"""The step of the threshold 0.5."""
DRAWS: Final = 1000
"""How often the scenes are drawn for an interval."""

_SEED = 1


@dataclass(frozen=True, slots=True)
class PairCounts:
    """The pixels of one pair by probability.

    `changed` and `unchanged` are int32 (STEPS + 1,): the number of pixels with and without a change whose probability
    lies in each step. `scene` names the photo and `kind` what was done to it.
    """

    scene: str
    kind: str
    changed: NDArray[np.int32]
    unchanged: NDArray[np.int32]

    @property
    def empty(self) -> bool:
        """Whether no pixel of the pair is changed."""
        return not self.changed.any()


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure 0..1 with its 95 % interval over scenes; None where no pair of the set has it."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one model at one threshold 0..1.

    `false_alarm` is the mean share of the area that is found in pairs without a change, those that were refocused left
    out, and `refocused` that in refocused pairs. `kinds` holds by kind the micro IoU of pairs with a change, and the
    share of the area of those without one.
    """

    threshold: float
    iou_micro: Estimate
    f1_micro: Estimate
    iou_pair: Estimate
    f1_pair: Estimate
    false_alarm: Estimate
    refocused: Estimate
    kinds: Mapping[str, Estimate]


def count(scene: str, kind: str, probability: NDArray[np.float32], mask: NDArray[np.bool_]) -> PairCounts:
    """Return the counts of a pair from its map of probabilities 0..1 and its mask of change, both (height, width).

    Raises ValueError for a map of another size or with a value that is no probability.
    """
    if probability.shape != mask.shape:
        raise ValueError(f"a map of {probability.shape} for a mask of {mask.shape}")
    if not bool(((probability >= 0) & (probability <= 1)).all()):  # false for NaN as well
        raise ValueError("a map holds a value that is no probability")
    steps = np.floor(probability.astype(np.float64) * STEPS + 1e-6).astype(np.intp)
    changed = np.bincount(steps[mask], minlength=STEPS + 1).astype(np.int32)
    return PairCounts(scene, kind, changed, np.bincount(steps[~mask], minlength=STEPS + 1).astype(np.int32))


def best_threshold(pairs: Sequence[PairCounts]) -> int:
    """Return the step, 1..STEPS, of the threshold with the highest micro F1; of equal ones the middle."""
    hits = _from_step(np.sum([pair.changed for pair in pairs], axis=0, dtype=np.int64))
    wrong = _from_step(np.sum([pair.unchanged for pair in pairs], axis=0, dtype=np.int64))
    f1 = 2 * hits / np.maximum(hits + wrong + hits[0], 1)  # 2tp / (2tp + fp + fn)
    highest = np.flatnonzero(f1[1:] >= f1[1:].max()) + 1
    return int(highest[len(highest) // 2])


def figures(pairs: Sequence[PairCounts], step: int, refocused: frozenset[str]) -> Figures:
    """Return the figures at the threshold of a step; `refocused` names the kinds whose focus alone was changed."""
    scenes = [pair.scene for pair in pairs]
    counts = np.array([_at(pair, step) for pair in pairs], np.float64).reshape(-1, 4)
    empty = np.array([pair.empty for pair in pairs], bool)
    kinds = np.array([pair.kind for pair in pairs])
    soft = np.isin(kinds, list(refocused))
    hits, wrong, missed, area = counts.T
    one = np.ones(len(pairs))
    union, both = hits + wrong + missed, 2 * hits + wrong + missed

    def mean(share: NDArray[np.float64], rows: NDArray[np.bool_]) -> Estimate:
        return estimate(share[rows], one[rows], [name for name, chosen in zip(scenes, rows, strict=True) if chosen])

    share = wrong / np.maximum(area, 1)
    return Figures(
        threshold=step / STEPS,
        iou_micro=estimate(hits, union, scenes),
        f1_micro=estimate(2 * hits, both, scenes),
        iou_pair=mean(hits / np.maximum(union, 1), ~empty),
        f1_pair=mean(2 * hits / np.maximum(both, 1), ~empty),
        false_alarm=mean(share, empty & ~soft),
        refocused=mean(share, empty & soft),
        kinds={kind: _of_kind(kind, kinds, empty, counts, scenes) for kind in sorted(set(kinds.tolist()))},
    )


def pair_figures(pair: PairCounts, step: int) -> tuple[float | None, float]:
    """Return the IoU of one pair at the threshold of a step, None without a change, and the share of the area found."""
    hits, wrong, missed, area = _at(pair, step)
    return (None if pair.empty else hits / (hits + wrong + missed)), (hits + wrong) / area


def estimate(above: NDArray[np.float64], below: NDArray[np.float64], scenes: Sequence[str]) -> Estimate:
    """Return the ratio of two sums over the rows, with the interval of a bootstrap that draws whole scenes.

    The rows of one scene are drawn together, because what is made of one photo is alike.
    """
    if not below.sum():
        return Estimate(None)
    _, place = np.unique(np.array(scenes), return_inverse=True)
    sums = np.stack([np.bincount(place, above), np.bincount(place, below)], axis=1)
    number = len(sums)
    drawn = np.random.default_rng(_SEED).multinomial(number, np.full(number, 1 / number), DRAWS) @ sums
    ratios = drawn[drawn[:, 1] > 0]
    low, high = np.percentile(ratios[:, 0] / ratios[:, 1], (2.5, 97.5))
    return Estimate(*(round(float(value), 4) for value in (above.sum() / below.sum(), low, high)))


def _of_kind(
    kind: str, kinds: NDArray[np.str_], empty: NDArray[np.bool_], counts: NDArray[np.float64], scenes: Sequence[str]
) -> Estimate:
    rows = np.flatnonzero(kinds == kind)
    names = [scenes[int(row)] for row in rows]
    hits, wrong, missed, area = counts[rows].T
    if empty[rows].all():
        return estimate(wrong / np.maximum(area, 1), np.ones(len(rows)), names)
    return estimate(hits, hits + wrong + missed, names)


def _at(pair: PairCounts, step: int) -> tuple[int, int, int, int]:
    """Return the pixels that are found rightly, found wrongly and missed at a threshold, and all pixels."""
    hits, wrong = int(pair.changed[step:].sum()), int(pair.unchanged[step:].sum())
    changed = int(pair.changed.sum())
    return hits, wrong, changed - hits, changed + int(pair.unchanged.sum())


def _from_step(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each step the number of pixels in it and above."""
    return np.asarray(np.cumsum(counts[::-1])[::-1], np.int64)
