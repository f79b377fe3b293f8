"""Class activation maps: which cells of a level raise or lower a logit; pure NumPy.

`level` is float32 (height, width, channels), the output of a layer. `gradient` is that of the logit by it, in the same
shape. A map is float32 (height, width), signed, in units of the logit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from culld.explain.method import Method

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Plane = NDArray[np.float32]

LEAST_VARIANCE: Final = 1e-4
"""The network replaces a smaller variance by it, and such a channel has no gradient by its deviation."""
_TILES: Final = (6, 8)


@dataclass(frozen=True, slots=True)
class Pool:
    """How a level becomes features: `way` is mean, deviation or peak; the features are `start` to `end` of them all."""

    way: str
    start: int
    end: int


def pooled_gradient(level: Plane, pools: Sequence[Pool], by_features: Plane) -> Plane:
    """Return the gradient of a logit by a level, given that by the features that are pooled from it."""
    gradient = np.zeros_like(level)
    for pool in pools:
        given = by_features[pool.start : pool.end]
        if pool.way == "mean":
            gradient += given / np.float32(level.shape[0] * level.shape[1])
        elif pool.way == "deviation":
            gradient += _by_deviation(level, given)
        else:
            gradient += _by_peak(level, given)
    return gradient


def _by_deviation(level: Plane, given: Plane) -> Plane:
    count = np.float32(level.shape[0] * level.shape[1])
    centred = level - level.mean(axis=1).mean(axis=0)
    variance = np.square(centred).mean(axis=1).mean(axis=0)
    spread = np.sqrt(np.maximum(variance, np.float32(LEAST_VARIANCE)))
    factor = np.where(variance > LEAST_VARIANCE, given / (count * spread), np.float32(0))
    gradient: Plane = centred * factor.astype(np.float32)
    return gradient


def _by_peak(level: Plane, given: Plane) -> Plane:
    """The gradient by the largest mean of a tile: in that tile only, shared between equal ones."""
    tall, wide = (side // count for side, count in zip(level.shape[:2], _TILES, strict=True))
    means = level.reshape(_TILES[0], tall, _TILES[1], wide, -1).mean(axis=3).mean(axis=1)
    largest = means == means.max(axis=(0, 1))
    share = largest / largest.sum(axis=(0, 1)) * (given / np.float32(tall * wide))
    return np.repeat(np.repeat(share.astype(np.float32), tall, axis=0), wide, axis=1)


def class_activation_map(method: Method, level: Plane, gradient: Plane) -> Plane:
    """Return the map of a method.

    HiResCAM (arXiv 2011.08891) multiplies cell by cell, Grad-CAM (arXiv 1610.02391) by the mean gradient of a channel,
    Grad-CAM++ (arXiv 1710.11063) by a mean of its positive gradients, weighed by their higher powers. For a head that
    reads the mean of a level alone the first two are equal.
    """
    if method is Method.HIRESCAM:
        found = np.einsum("ijk,ijk->ij", level, gradient, optimize=False)
    elif method is Method.GRADCAM:
        found = level @ gradient.mean(axis=1).mean(axis=0)
    else:
        found = level @ _positive_weights(level, gradient)
    plane: Plane = found.astype(np.float32)
    return plane


def _positive_weights(level: Plane, gradient: Plane) -> Plane:
    """Return the mean of the positive gradients of each channel, weighed by g^2 / (2 g^2 + g^3 sum(A)).

    The weights of a channel sum to 1 over the cells with a positive gradient. In the code of the paper's authors the
    others count as well: for a negative gradient the divisor may be nearly 0, and in single precision that cell alone
    then decides the map.
    """
    positive = np.maximum(gradient, 0)
    square = np.square(positive)
    divisor = 2 * square + level.sum(axis=1).sum(axis=0) * square * positive
    alpha = np.divide(square, divisor, out=np.zeros_like(square), where=divisor > 0)
    total = alpha.sum(axis=1).sum(axis=0)
    found = (alpha * positive).sum(axis=1).sum(axis=0)
    weights: Plane = np.divide(found, total, out=np.zeros_like(found), where=total > 0)
    return weights
