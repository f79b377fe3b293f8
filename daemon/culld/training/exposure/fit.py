"""Fit the small networks that correct the probabilities of under- and over-exposure; pure numpy, seconds on a core."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Vector = NDArray[np.float64]

_HIDDEN, _MEMBERS, _EPOCHS, _BATCH = 24, 3, 40, 256
_RATE, _DECAY, _SHRINK = 3e-3, 1e-3, 1e-3  # of Adam, of the weights, of the moves
_FIRST_BIAS = (0.0, -2.0, -2.0, -2.0)  # at the start the moves are small
_REACH = 4.0

_WEIGHTS: dict[str, tuple[float, float]] = {
    "as it is": (3, 3),
    "hard as it is": (6, 6),
    "clean": (2, 2),
    "hard clean": (4, 4),
    "mild": (2, 2),
    "over": (1, 6),
    "over, hard light": (1, 6),
    "over, hard light again": (1, 6),
    "under": (10, 1),
    "under, hard light": (12, 1),
    "both": (8, 6),
    "kadis exposure": (2, 12),
    "well on white": (3, 4),
    "well on black": (2, 2),
    "over on white": (1, 6),
    "over on black": (1, 0.5),
    "under on white": (0.3, 1),
    "under on black": (16, 1),
}
"""The weights of the groups of pictures for under and over; 1 for all others."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The pictures to learn from, one row each.

    `inputs` (n, k): the measures, then the network's log-odds of under and over. `strength` (n, 2): how far white and
    black grounds let the correction act. `labels` and `weights` (n, 2): of under and over; 0 where a label is unknown.
    """

    inputs: Vector
    strength: Vector
    labels: Vector
    weights: Vector


def group_weights(groups: Sequence[str], known: NDArray[np.bool_]) -> Vector:
    """Return the weights (n, 2) of pictures by their group, see `pictures`; `known` (n, 2) of their labels."""
    table = [_WEIGHTS.get(group.removeprefix("cut ").removeprefix("blob "), (1, 1)) for group in groups]
    return np.asarray(np.array(table, np.float64) * known)


def fit(rows: Rows, seed: int = 0) -> dict[str, Any]:
    """Return the parameters as `subject.exposure.load_correction` reads them; the same for the same rows and seed."""
    centre, scale = rows.inputs.mean(axis=0), rows.inputs.std(axis=0) + 1e-3
    inputs = np.clip((rows.inputs - centre) / scale, -_REACH, _REACH)
    members = [_member(inputs, rows, np.random.default_rng(seed + number)) for number in range(_MEMBERS)]
    names = ("first", "first_bias", "second", "second_bias")
    return {
        "centre": _rounded(centre),
        "scale": _rounded(scale),
        "members": [dict(zip(names, map(_rounded, member), strict=True)) for member in members],
    }


def _member(inputs: Vector, rows: Rows, rng: np.random.Generator) -> list[Vector]:
    count, width = inputs.shape
    weights = [
        rng.normal(0, width**-0.5, (width, _HIDDEN)),
        np.zeros(_HIDDEN),
        rng.normal(0, 0.1, (_HIDDEN, len(_FIRST_BIAS))),
        np.array(_FIRST_BIAS),
    ]
    first, second = ([np.zeros_like(each) for each in weights] for _ in range(2))
    step = 0
    for epoch in range(_EPOCHS):
        rate = _RATE * 0.5 * (1 + np.cos(np.pi * epoch / _EPOCHS))
        order = rng.permutation(count)
        for start in range(0, count, _BATCH):
            step += 1
            chosen = order[start : start + _BATCH]
            slopes = _slopes(weights, inputs[chosen], _part(rows, chosen))
            _adam(weights, slopes, first, second, (rate, step))
    return weights


def _part(rows: Rows, chosen: NDArray[np.int64]) -> Rows:
    return Rows(rows.inputs[chosen], rows.strength[chosen], rows.labels[chosen], rows.weights[chosen])


def _slopes(weights: list[Vector], inputs: Vector, rows: Rows) -> list[Vector]:
    """Return the gradient of the weighted cross-entropy; the moves are those of `subject.exposure`."""
    hidden = np.tanh(inputs @ weights[0] + weights[1])
    moves = hidden @ weights[2] + weights[3]
    white, black = rows.strength.T
    rise, gain = np.logaddexp(0, moves[:, 1:]), 1 / (1 + np.exp(-moves[:, 1:]))
    under = rows.inputs[:, -2] - black * rise[:, 1] + white * rise[:, 2]
    over = rows.inputs[:, -1] + white * moves[:, 0] + black * rise[:, 0]
    wrong = 1 / (1 + np.exp(-np.stack([under, over], axis=1))) - rows.labels
    wrong *= rows.weights
    u, o = wrong.T
    back = np.stack([o * white, o * black * gain[:, 0], -u * black * gain[:, 1], u * white * gain[:, 2]], axis=1)
    back = (back + _SHRINK * moves) / len(inputs)
    inner = (back @ weights[2].T) * (1 - hidden**2)
    return [inputs.T @ inner, inner.sum(axis=0), hidden.T @ back, back.sum(axis=0)]


def _adam(
    weights: list[Vector], slopes: list[Vector], first: list[Vector], second: list[Vector], pace: tuple[float, int]
) -> None:
    """Take one step of Adam (Kingma and Ba, 2015) with decay of the matrices, in place; `pace` is the rate and step."""
    rate, step = pace
    for place, slope in enumerate(slopes):
        first[place] += 0.1 * (slope - first[place])
        second[place] += 0.001 * (slope**2 - second[place])
        move = first[place] / (1 - 0.9**step) / (np.sqrt(second[place] / (1 - 0.999**step)) + 1e-8)
        decay = _DECAY if weights[place].ndim == 2 else 0.0
        weights[place] -= rate * (move + decay * weights[place])


def _rounded(values: Vector) -> Any:
    """Return the values as lists of numbers with four significant digits."""
    return np.vectorize(lambda value: float(f"{value:.4g}"))(values).tolist()
