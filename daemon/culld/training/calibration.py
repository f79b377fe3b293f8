"""Calibration: from logits to probabilities, and the precision and recall of each threshold; pure numpy.

Both are computed on scenes that were not trained on, weighted to a stated share of defective photos.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from culld.records import NETWORK_DEFECTS, Defect, OperatingPoint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_NEWTON_STEPS = 50
_ENOUGH = 1e-6
_THRESHOLDS = (*np.arange(0.05, 0.9, 0.05), *np.arange(0.9, 0.99, 0.01), *np.arange(0.99, 1.0, 0.001))


@dataclass(frozen=True, slots=True)
class Calibration:
    """How the heads' logits become the logits of probabilities: `logit * scale + offset`, per head."""

    scale: tuple[float, float, float] = (1.0, 1.0, 1.0)
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def probabilities(self, logits: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the calibrated probabilities (n, 3) of logits (n, 3)."""
        raw = logits * np.array(self.scale) + np.array(self.offset)
        return np.asarray(1 / (1 + np.exp(-np.clip(raw, -60, 60))))


@dataclass(frozen=True, slots=True)
class LabelledLogits:
    """Logits (n, 3) of pictures, their labels (n, 3) of 0 to 1, and which of the labels are known (n, 3).

    Labels between 0 and 1 are taught, but neither calibrated on nor counted.
    """

    logits: NDArray[np.float32]
    labels: NDArray[np.float32]
    known: NDArray[np.bool_]

    @property
    def certain(self) -> NDArray[np.bool_]:
        """Which labels (n, 3) are known, and 0 or 1."""
        return np.asarray(self.known & ((self.labels == 0) | (self.labels == 1)))


def calibrate(rows: LabelledLogits, prevalence: Sequence[float]) -> Calibration:
    """Return the scale (one over the temperature) and offset per head that turn logits into calibrated probabilities.

    Half of the pictures that training makes are defective; in a real folder few are. The rows are weighted so that each
    defect has its `prevalence` (3), then the likelihood is maximised (Platt, 1999). `rows` must be of scenes that the
    heads were not trained on.
    """
    pairs = [_platt(rows.logits[:, head], *_balanced(rows, head, prevalence[head])) for head in range(3)]
    (a, b, c), (d, e, f) = zip(*pairs, strict=True)
    return Calibration((a, b, c), (d, e, f))


def _balanced(rows: LabelledLogits, head: int, prevalence: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    labels = rows.labels[:, head].astype(np.float64)
    weights = rows.certain[:, head].astype(np.float64)
    for label, share in ((1.0, prevalence), (0.0, 1 - prevalence)):
        chosen = labels == label
        weights[chosen] *= share / max(weights[chosen].sum(), 1.0)
    return labels, weights * len(labels)


def _platt(
    logits: NDArray[np.float32], labels: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[float, float]:
    """Weighted logistic regression on one input: Newton's method, each step halved until it helps.

    A weak prior around no change keeps nearly separable data from an endless slope.
    """
    design = np.stack([logits.astype(np.float64), np.ones(len(logits))], axis=1)
    found = prior = np.array([1.0, 0.0])

    def cost(at: NDArray[np.float64]) -> float:
        raw = design @ at
        return float(weights @ (np.logaddexp(0, raw) - labels * raw) + ((at - prior) ** 2).sum() / 2)

    for _ in range(_NEWTON_STEPS):
        chance = 1 / (1 + np.exp(-np.clip(design @ found, -40, 40)))
        slope = design.T @ (weights * (chance - labels)) + (found - prior)
        bend = (design * (weights * chance * (1 - chance))[:, None]).T @ design + np.eye(2)
        step = np.linalg.solve(bend, slope)
        while cost(found - step) > cost(found) and np.abs(step).max() > _ENOUGH:
            step = step / 2
        if np.abs(step).max() <= _ENOUGH:
            break
        found = found - step
    return max(float(found[0]), 0.05), float(found[1])


def operating_points(
    rows: LabelledLogits, calibration: Calibration, prevalence: Sequence[float]
) -> dict[Defect, tuple[OperatingPoint, ...]]:
    """Return the operating points of each defect at a row of thresholds, where its share of the photos has it."""
    chances = calibration.probabilities(rows.logits)
    found = {}
    for head, defect in enumerate(NETWORK_DEFECTS):
        certain = rows.certain[:, head]
        found[defect] = curve(chances[certain, head], rows.labels[certain, head] == 1, prevalence[head])
    return found


def curve(chances: NDArray[np.floating], truth: NDArray[np.bool_], prevalence: float) -> tuple[OperatingPoint, ...]:
    """Precision and recall of a row of thresholds, rising, up to the last one that any defective photo reaches.

    Half a false alarm is added to those seen (Jeffreys' estimate): on few photos none seen is no proof of none.
    Precision is made to rise with the threshold, each point taking the lowest of those above it.
    """
    clean = int((~truth).sum())
    rows: list[OperatingPoint] = []
    for threshold in _THRESHOLDS:
        recall = float((chances[truth] >= threshold).mean()) if truth.any() else 0.0
        if not recall:
            break
        false = (float((chances[~truth] >= threshold).sum()) + 0.5) / (clean + 1)
        hits = prevalence * recall
        precision = hits / (hits + (1 - prevalence) * false)
        rows.append(OperatingPoint(round(float(threshold), 4), round(precision, 4), round(recall, 4)))
    lowest, rising = 1.0, []
    for row in reversed(rows):
        lowest = min(lowest, row.precision)
        rising.append(OperatingPoint(row.threshold, lowest, row.recall))
    return tuple(reversed(rising))
