"""From logits to honest probabilities, and what each threshold of them means; pure numpy.

Both are fitted on scenes that nobody trained on, and weighed to a stated share of defective photos.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from culld.records import Defect, OperatingPoint
from culld.training.defects.network import Calibration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from culld.training.defects.features import Table
    from culld.training.experiment import Experiment

_NEWTON_STEPS = 50
_ENOUGH = 1e-6
_THRESHOLDS = (*np.arange(0.05, 0.9, 0.05), *np.arange(0.9, 0.99, 0.01), *np.arange(0.99, 1.0, 0.001))


def calibrate(logits: NDArray[np.float32], table: Table, experiment: Experiment) -> Calibration:
    """The scale (one over the temperature) and offset per head under which the logits are honest probabilities.

    Half of the pictures that training makes are defective; in a real folder few are. The rows are weighed so that each
    defect has the prevalence of the experiment, then the likelihood is maximised (Platt, 1999). A rate that the
    heads never saw must not be fitted to: `table` holds scenes that nobody trained on.
    """
    pairs = [_platt(logits[:, head], *_balanced(table, head, experiment)) for head in range(3)]
    (a, b, c), (d, e, f) = zip(*pairs, strict=True)
    return Calibration((a, b, c), (d, e, f))


def _balanced(table: Table, head: int, experiment: Experiment) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    labels = table.labels[:, head].astype(np.float64)
    weights = table.known[:, head].astype(np.float64)
    for label, share in ((1.0, experiment.prevalence[head]), (0.0, 1 - experiment.prevalence[head])):
        rows = labels == label
        weights[rows] *= share / max(weights[rows].sum(), 1.0)
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
    logits: NDArray[np.float32], table: Table, calibration: Calibration, prevalence: Sequence[float]
) -> dict[Defect, tuple[OperatingPoint, ...]]:
    """For each defect what a row of thresholds means where its share of the photos has it."""
    raw = logits * np.array(calibration.scale) + np.array(calibration.offset)
    chances = 1 / (1 + np.exp(-np.clip(raw, -60, 60)))
    found = {}
    for head, defect in enumerate(Defect):
        known = table.known[:, head]
        found[defect] = curve(chances[known, head], table.labels[known, head] > 0.5, prevalence[head])
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
