"""Portraits whose people or whose ground is out of focus, made in linear light from a sharp photograph.

Images are float32 arrays (height, width, 3) in linear light 0..1; a box is (x, y, width, height) of a face in pixels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from culld.training.blur_kernels import convolve, gaussian

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Plane = NDArray[np.float32]
    Kernel = NDArray[np.float64]
    Box = tuple[float, float, float, float]

_DROPS, _HALF_WIDTHS = [-0.3, 0.15, 0.9, 9.0], [0.5, 0.6, 1.6, 1.8]
"""So far below the chin, in heights of the face, a body has this half width, in widths of the face."""
_LEAST_WEIGHT = np.float32(1e-4)


def people_matte(size: tuple[int, int], faces: Sequence[Box]) -> Plane:
    """Return the soft matte (height, width, 1), 0..1, of some people: an ellipse around each head, and a body below it.

    `size` is (height, width). The edge is blurred by a Gaussian of 6 % of the height of the face.
    """
    y, x = np.mgrid[: size[0], : size[1]] + 0.5
    matte = np.zeros((*size, 1), dtype=np.float32)
    for left, top, wide, tall in faces:
        across, down = x - left - wide / 2, (y - top - tall) / tall
        head = (across / (0.75 * wide + 0.1 * tall)) ** 2 + ((down + 0.6) / 0.8) ** 2 < 1
        body = (down > _DROPS[0]) & (np.abs(across) < wide * np.interp(down, _DROPS, _HALF_WIDTHS))
        person = (head | body).astype(np.float32)[..., None]
        matte = np.maximum(matte, convolve(person, gaussian(max(0.06 * tall, 1.0)))).astype(np.float32)
    return matte


def people_blurred(linear: Plane, matte: Plane, kernel: Kernel) -> Plane:
    """Return the photo with its people convolved by a kernel before a sharp ground: a missed focus."""
    return (convolve(linear, kernel) * matte + linear * (1 - matte)).astype(np.float32)


def ground_blurred(linear: Plane, matte: Plane, kernel: Kernel) -> Plane:
    """Return the photo with its ground convolved by a kernel behind sharp people, whose light stays out: bokeh."""
    ground = 1 - matte
    spread = convolve(linear * ground, kernel) / np.maximum(convolve(ground, kernel), _LEAST_WEIGHT)
    return (linear * matte + spread * ground).astype(np.float32)
