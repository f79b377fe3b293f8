"""Where the content of two aligned frames differs: not their focus, exposure, noise or compression."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from culld.compare.light import CLIPPED, LINEAR, evened, match_light, usable_light

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from culld.compare.light import Light

    Frame = NDArray[np.uint8]
    Plane = NDArray[np.float32]

LONGEST: Final = 768
"""Longer side in px of the frames that the constants of this module are for."""
BOXES: Final = (0, 3, 5, 7, 11, 15, 21)
"""Widths in px of the box, applied twice, of the blurs that are tried on either frame; 0 is none."""
_SHIFT: Final = 3  # px: the neighbourhood whose levels a pixel may have, since frames lie up to 1 px apart
_WINDOW: Final = 9  # px: one blur must explain a patch of this side
_LEAST: Final = 10.8  # levels: smaller residuals are no change
_NOISE: Final = 6.75  # times the median residual of the frame; both by the calibration photos of `culld compare bench`
_EMPTY: Final = 5  # px: smaller black parts are dark content
_STEP: Final = 0.3  # of the logarithm of the residual, for the probability to go from 0.5 to 0.73


def content_change(first: Frame, second: Frame) -> Plane:
    """Return where the content differs, 0..1, of each pixel of two aligned uint8 RGB frames (height, width, 3).

    A pixel counts as changed above 0.5. For each patch the blur of either frame is looked for that explains the other
    one best; what is left is set against the noise. Pure black at the border of a frame counts as no pixels.
    """
    left = residual(*same_light(first, second, match_light(first, second)))
    least = max(_LEAST, _NOISE * float(np.median(left)))
    change = np.asarray(1 / (1 + np.power(np.maximum(left, 0.01) / least, -1 / _STEP)), np.float32)
    return np.where(_empty(first) | _empty(second), np.float32(0), change)


def _empty(frame: Frame) -> NDArray[np.bool_]:
    """Return where a frame has no pixels: pure black up to its border, as a warp leaves it, and what is near that."""
    import cv2

    square = np.ones((_EMPTY, _EMPTY), np.uint8)
    black = cv2.morphologyEx((frame.max(axis=2) == 0).astype(np.uint8), cv2.MORPH_OPEN, square)
    _, labels = cv2.connectedComponents(black)
    edges = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    empty = np.isin(labels, edges[edges > 0]).astype(np.uint8)
    return np.asarray(cv2.dilate(empty, np.ones((2 * _WINDOW, 2 * _WINDOW), np.uint8)) > 0)


def same_light(first: Frame, second: Frame, light: Light) -> tuple[Plane, Plane]:
    """Return both frames in the linear light, 0..1, of the darker one: float32 (height, width, 3).

    Where the brighter frame is clipped, and the darker one is at least as bright, they are made equal.
    """
    if light.exposure_ev > 0:
        two, one = same_light(second, first, light.inverse)
        return one, two
    table = light.table()
    channels = np.arange(3)
    other = LINEAR[second]
    mapped = evened(table[first, channels], other, usable_light(first) & usable_light(second))
    unknown = (first >= CLIPPED) & (other > mapped) | (second >= CLIPPED) & (mapped > other)
    return np.where(unknown, other, mapped), other


def residual(one: Plane, other: Plane) -> Plane:
    """Return what no blur of either frame explains, in levels 0..255 of the root of light: float32 (height, width)."""
    import cv2

    best = np.full(one.shape[:2], np.inf, np.float32)
    square = np.ones((_SHIFT, _SHIFT), np.uint8)
    for sharp, soft in ((one, other), (other, one)):
        root = _root(soft)
        for blurred in _blurs(sharp):
            here = _root(blurred)
            low, high = cv2.erode(here, square), cv2.dilate(here, square)
            away = root - np.clip(root, low, high)
            best = np.minimum(best, cv2.blur(np.einsum("yxc,yxc->yx", away, away), (_WINDOW, _WINDOW)))
    left: Plane = np.sqrt(np.maximum(best, 0) / 3)
    return left


def _blurs(light: Plane) -> Iterator[Plane]:
    """Yield linear light under each of the blurs."""
    import cv2

    for side in BOXES:
        soft = light if not side else cv2.blur(cv2.blur(light, (side, side)), (side, side))
        yield np.asarray(soft, np.float32)


def _root(light: Plane) -> Plane:
    """Return the levels 0..255 of the root of linear light, which are near those of sRGB."""
    import cv2

    return np.asarray(cv2.sqrt(light), np.float32) * np.float32(255)
