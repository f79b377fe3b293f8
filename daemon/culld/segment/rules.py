"""The classes that follow from the pixels by a rule: crushed shadow, clipped highlight, no texture; and what is sharp.

All take a picture, uint8 RGB (height, width, 3), and return bool (height, width). Lengths are px of a picture of about
1,000 px, grey levels are 0..255.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]
    Mask = NDArray[np.bool_]
    Single = NDArray[np.float32]

Kind = TypeVar("Kind", np.bool_, np.float32)

CRUSHED_UP_TO: Final = 8
"""A pixel is crushed if its brightest channel is no brighter than this."""
CLIPPED_FROM: Final = 250
"""A pixel is clipped if two of its channels are at least this."""
FLAT_RANGE: Final = 10.0
"""A place is flat if the grey levels round it, within `WINDOW`, differ by less than this."""
WINDOW: Final = 16
"""How far a window of 33 px reaches to each side."""
_MAJORITY: Final = 4
_STEP: Final = 4
_EDGE: Final = 12.0
_NARROW: Final = 3.5
_LUMA: Final = np.array([0.299, 0.587, 0.114], np.float32)


def crushed(pixels: Pixels) -> Mask:
    """Return where most pixels within 9x9 are crushed."""
    red, green, blue = _channels(pixels)
    return most(np.maximum(np.maximum(red, green), blue) <= CRUSHED_UP_TO)


def clipped(pixels: Pixels) -> Mask:
    """Return where most pixels within 9x9 are clipped."""
    red, green, blue = (channel >= CLIPPED_FROM for channel in _channels(pixels))
    return most((red & green) | (green & blue) | (red & blue))


def flat(pixels: Pixels) -> Mask:
    """Return where the smoothed luma within 33x33 spans less than `FLAT_RANGE` grey levels."""
    soft = _binomial(_binomial(luma_of(pixels)))
    mask: Mask = _local(soft, WINDOW, np.maximum) - _local(soft, WINDOW, np.minimum) < FLAT_RANGE
    return mask


def sharp(pixels: Pixels) -> Mask:
    """Return where an edge within 33x33 is sharp: it spans 12 grey levels within 9 px, no wider than 3.5 px.

    Its width is its span over the gradient in its middle: 2.5 times the standard deviation of a Gaussian blur.
    """
    soft = _binomial(luma_of(pixels))
    span = _local(soft, _STEP, np.maximum) - _local(soft, _STEP, np.minimum)
    narrow: Mask = (span >= _EDGE) & (span <= _NARROW * _gradient(soft))
    return _local(narrow, WINDOW, np.logical_or)


def most(mask: Mask, reach: int = _MAJORITY) -> Mask:
    """Return where at least half of the square of pixels round a place, 9x9 by default, are set.

    Those past the border repeat it.
    """
    sums = np.pad(mask, reach, mode="edge").astype(np.int32)
    for axis in (0, 1):
        total = np.cumsum(sums, axis=axis)
        total = np.insert(total, 0, 0, axis=axis)
        size = mask.shape[axis]
        start = 2 * reach + 1
        sums = total.take(range(start, start + size), axis) - total.take(range(size), axis)
    half: Mask = 2 * sums > (2 * reach + 1) ** 2
    return half


def luma_of(pixels: Pixels) -> Single:
    """Return the luma of a picture, float32 0..255."""
    found: Single = pixels @ _LUMA
    return found


def _channels(pixels: Pixels) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    """Return red, green and blue: numpy is slow where it reduces an axis of three."""
    return pixels[..., 0], pixels[..., 1], pixels[..., 2]


def _gradient(plane: Single) -> Single:
    """Return the size of the gradient per px by central differences."""
    padded = np.pad(plane, 1, mode="edge")
    across = padded[1:-1, 2:] - padded[1:-1, :-2]
    down = padded[2:, 1:-1] - padded[:-2, 1:-1]
    size: Single = np.sqrt(across * across + down * down) / np.float32(2)
    return size


def _binomial(plane: Single) -> Single:
    """Return a plane convolved with the 3x3 binomial kernel, borders repeated."""
    padded = np.pad(plane, 1, mode="edge")
    tall = padded[:-2] + 2 * padded[1:-1] + padded[2:]
    soft: Single = (tall[:, :-2] + 2 * tall[:, 1:-1] + tall[:, 2:]) / np.float32(16)
    return soft


def _local(plane: NDArray[Kind], reach: int, extreme: Callable[..., NDArray[Kind]]) -> NDArray[Kind]:
    """Return the extreme of the square window of each place; the window is doubled until it is wide enough."""
    wide = 2 * reach + 1
    found = np.pad(plane, reach, mode="edge")
    for axis in (0, 1):
        span, size = 1, plane.shape[axis]
        while span < wide:
            step = min(span, wide - span)
            length = found.shape[axis] - step
            found = extreme(_part(found, axis, 0, length), _part(found, axis, step, length))
            span += step
        found = _part(found, axis, 0, size)
    return found


def _part(plane: NDArray[Kind], axis: int, start: int, length: int) -> NDArray[Kind]:
    """Return `length` rows or columns from `start` on."""
    return plane[start : start + length] if axis == 0 else plane[:, start : start + length]
