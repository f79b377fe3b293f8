"""Weighted logistic regression with a quadratic penalty, by Newton's method; pure numpy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.float64]

_STEPS, _ENOUGH = 50, 1e-7


@dataclass(frozen=True, slots=True)
class Logistic:
    """A regression on features (n): their means and deviations, and the weights of the scaled ones with the offset."""

    means: Rows
    deviations: Rows
    weights: Rows
    offset: float

    def probabilities(self, rows: Rows) -> Rows:
        """Return the probability 0..1 of each row of features (m, n)."""
        scaled = (rows - self.means) / self.deviations
        chances: Rows = 1 / (1 + np.exp(-np.clip(scaled @ self.weights + self.offset, -30, 30)))
        return chances


def fit_logistic(rows: Rows, labels: Rows, shares: Rows, penalty: float = 1.0) -> Logistic:
    """Fit features (m, n) with labels 0 or 1 (m), which count by their shares (m); `penalty` is on squared weights."""
    means, deviations = rows.mean(axis=0), rows.std(axis=0) + 1e-9
    design = np.concatenate([(rows - means) / deviations, np.ones((len(rows), 1))], axis=1)
    ridge = np.diag([penalty] * rows.shape[1] + [1e-6])
    found = np.zeros(design.shape[1])
    for _ in range(_STEPS):
        chances = 1 / (1 + np.exp(-np.clip(design @ found, -30, 30)))
        slope = design.T @ (shares * (chances - labels)) + ridge @ found
        bend = (design * (shares * chances * (1 - chances))[:, None]).T @ design + ridge
        step = np.linalg.solve(bend, slope)
        found = found - step
        if np.abs(step).max() < _ENOUGH:
            break
    return Logistic(means, deviations, found[:-1], float(found[-1]))
