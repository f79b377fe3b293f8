"""Hand-made measures of blur, which the segmentation network is compared with.

Both return a map 0..1 in the size of a picture, uint8 RGB: the higher, the more blurred. They cannot tell defocus from
motion, and call a place without texture blurred.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from culld.segment.rules import luma_of
from culld.training.segmentation.regions import boxed

Pixels = NDArray[np.uint8]
Single = NDArray[np.float32]

TILE = 16
"""The tiles of the variance of the Laplacian, in px: a place has the variance of the 33x33 px round it."""
REACH = 10
"""LBP counts over 21x21 px, as in its paper."""
_THRESHOLD = 0.016 * 255


def laplacian(pixels: Pixels) -> Single:
    """Return 1 less the logarithm of the variance of the Laplacian (Pech-Pacheco et al. 2000), 0..1."""
    plane = luma_of(pixels)
    padded = np.pad(plane, 1, mode="edge")
    edges = padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:] - 4 * plane
    mean, square = boxed(edges, TILE), boxed(edges * edges, TILE)
    return np.clip(1 - np.log10(1 + np.maximum(square - mean * mean, 0)) / 4, 0, 1).astype(np.float32)


def lbp(pixels: Pixels) -> Single:
    """Return 1 less the share of local binary patterns that only sharp places have (Yi and Eramian 2016), 0..1.

    These are the rotation-invariant patterns 6 to 9: of the 8 neighbours at least 6 differ from the centre, or those
    that do are no single arc. The threshold of a difference is that of the paper.
    """
    plane = luma_of(pixels)
    padded = np.pad(plane, 1, mode="edge")
    height, width = plane.shape
    around = ((0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0))
    steps = [np.abs(padded[down : down + height, right : right + width] - plane) for down, right in around]
    higher = [step >= _THRESHOLD for step in steps]
    changes = np.sum([one != other for one, other in zip(higher, higher[1:] + higher[:1], strict=True)], axis=0)
    number = np.where(changes <= 2, np.sum(higher, axis=0), 9)
    share = boxed((number >= 6).astype(np.float32), REACH)
    return np.clip(1 - share, 0, 1).astype(np.float32)


RIVALS: Final[dict[str, Callable[[Pixels], Single]]] = {"Laplacian tiles": laplacian, "LBP": lbp}
