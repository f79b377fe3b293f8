"""Where the content of two aligned frames differs: not their focus, exposure, noise or compression."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from culld.compare.light import CLIPPED, LINEAR, match_light

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
_WINDOW: Final = 9  # px: one blur must explain a patch of this side
_LEAST: Final = 5.0  # levels: smaller residuals are no change
_NOISE: Final = 3.0  # times the median residual of the frame
_STEP: Final = 0.3  # of the logarithm of the residual, for the probability to go from 0.5 to 0.73


def content_change(first: Frame, second: Frame) -> Plane:
    """Return where the content differs, 0..1, of each pixel of two aligned uint8 RGB frames (height, width, 3).

    A pixel counts as changed above 0.5. For each patch the blur of either frame is looked for that explains the other
    one best; what is left is set against the noise.
    """
    left = residual(*same_light(first, second, match_light(first, second)))
    least = max(_LEAST, _NOISE * float(np.median(left)))
    change: Plane = 1 / (1 + np.power(np.maximum(left, 0.01) / np.float32(least), -1 / _STEP))
    return change.astype(np.float32)


def same_light(first: Frame, second: Frame, light: Light) -> tuple[Plane, Plane]:
    """Return both frames in the linear light, 0..1, of the darker one: float32 (height, width, 3).

    Where the brighter frame is clipped, and the darker one is at least as bright, they are made equal.
    """
    if light.exposure_ev > 0:
        two, one = same_light(second, first, light.inverse)
        return one, two
    table = light.table()
    channels = np.arange(3)
    mapped, other = table[first, channels], LINEAR[second]
    unknown = (first >= CLIPPED) & (other > mapped) | (second >= CLIPPED) & (mapped > other)
    return np.where(unknown, other, mapped), other


def residual(one: Plane, other: Plane) -> Plane:
    """Return what no blur of either frame explains, in levels of square-root light (0..255), float32 (height, width)."""
    import cv2  # noqa: PLC0415

    best = None
    roots = [255 * np.sqrt(each) for each in (one, other)]
    for sharp, soft in ((one, roots[1]), (other, roots[0])):
        for blurred in blurs(sharp):
            root = 255 * cv2.sqrt(blurred)
            low, high = cv2.erode(root, np.ones((3, 3))), cv2.dilate(root, np.ones((3, 3)))
            away = cv2.max(cv2.max(low - soft, soft - high), 0)
            square = cv2.transform(away * away, np.full((1, 3), 1 / 3, np.float32))
            patch = cv2.blur(square, (_WINDOW, _WINDOW))
            best = patch if best is None else cv2.min(best, patch)
    return np.sqrt(np.maximum(best, 0))


def blurs(light: Plane) -> Iterator[Plane]:
    """Yield linear light under each of the blurs."""
    import cv2  # noqa: PLC0415

    for box in BOXES:
        yield light if not box else cv2.blur(cv2.blur(light, (box, box)), (box, box))
