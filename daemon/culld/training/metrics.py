"""Metrics of scores against labels; pure numpy.

`scores` are probabilities (n, 3), `labels` 0 or 1 (n, 3), both in the order blur, under, over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from culld.records import NETWORK_DEFECTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Scores = NDArray[np.float32]
    Labels = NDArray[np.float32]
    Curve = NDArray[np.floating[Any]]

_BINS = 10


def summary(scores: Scores, labels: Labels, limits: Sequence[float]) -> dict[str, Any]:
    """Return the figures at these thresholds: over all labels, over whole pictures, and per defect."""
    found, truth = scores >= np.array(limits), labels > 0.5
    per_defect = {
        defect.value: _one(scores[:, i], found[:, i], truth[:, i]) for i, defect in enumerate(NETWORK_DEFECTS)
    }
    return {
        "pictures": len(scores),
        "micro_accuracy": _rounded((found == truth).mean()),
        "exact_match": _rounded((found == truth).all(axis=1).mean()),
        **per_defect,
    }


def flagged(scores: Scores, limits: Sequence[float | None]) -> dict[str, int]:
    """How many of these pictures reach each threshold, and how many reach any; None is never reached."""
    reached = scores >= np.array([2.0 if limit is None else limit for limit in limits])
    counts = {defect.value: int(reached[:, index].sum()) for index, defect in enumerate(NETWORK_DEFECTS)}
    return {**counts, "any": int(reached.any(axis=1).sum())}


def precision_recall(scores: NDArray[np.floating[Any]], truth: NDArray[np.bool_]) -> tuple[Curve, Curve]:
    """Recall and precision at every threshold that a score sets, from the strictest on."""
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(truth[order])
    last = np.append(np.diff(scores[order]) != 0, [True])  # of equal scores the last one counts
    return (hits / max(int(truth.sum()), 1))[last], (hits / np.arange(1, len(hits) + 1))[last]


def roc(scores: NDArray[np.floating[Any]], truth: NDArray[np.bool_]) -> tuple[Curve, Curve]:
    """The share of clean and of defective pictures flagged at every threshold that a score sets, from (0, 0) on."""
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.diff(scores[order]) != 0, [True])
    wrong, right = (np.cumsum(kind[order])[last] / max(int(kind.sum()), 1) for kind in (~truth, truth))
    return np.append([0.0], wrong), np.append([0.0], right)


def auc(scores: NDArray[np.floating[Any]], truth: NDArray[np.bool_]) -> float:
    """The chance that a defective picture scores above a clean one; ties count half; 0.5 without both kinds."""
    positive, negative = int(truth.sum()), int((~truth).sum())
    if not positive or not negative:
        return 0.5
    _, place, count = np.unique(scores, return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2)[place]
    return float((rank[truth].sum() - positive * (positive + 1) / 2) / (positive * negative))


def calibration_error(scores: NDArray[np.floating[Any]], truth: NDArray[np.bool_], prevalence: float) -> float:
    """The expected calibration error over ten equal bins, the pictures weighed to this share of defects."""
    if truth.all() or not truth.any():
        return 0.0
    weights = np.where(truth, prevalence / truth.mean(), (1 - prevalence) / (1 - truth.mean()))
    bins = np.minimum((scores * _BINS).astype(int), _BINS - 1)
    gaps = [abs(float((weights * (truth - scores))[bins == index].sum())) for index in range(_BINS)]
    return min(1.0, sum(gaps) / float(weights.sum()))  # rounding may reach past 1


def _one(scores: NDArray[np.float32], found: NDArray[np.bool_], truth: NDArray[np.bool_]) -> dict[str, float]:
    hits, wrong, missed = (int((a & b).sum()) for a, b in ((found, truth), (found, ~truth), (~found, truth)))
    return {
        "precision": _rounded(hits / max(hits + wrong, 1)),
        "recall": _rounded(hits / max(hits + missed, 1)),
        "f1": _rounded(2 * hits / max(2 * hits + wrong + missed, 1)),
        "auc": _rounded(auc(scores, truth)),
        "true_positive": hits,
        "false_positive": wrong,
        "false_negative": missed,
        "true_negative": int((~found & ~truth).sum()),
    }


def _rounded(value: float | np.floating[Any]) -> float:
    return round(float(value), 4)
