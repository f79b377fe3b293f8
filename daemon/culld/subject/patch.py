"""Bring a face to a common size: its luma with the face 160 pixels high, and its landmarks in the same pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from culld.imaging.decode import Region

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from culld.subject.faces import Face, Point

    Plane = NDArray[np.float32]

FACE = 160
"""The height of a face in a patch, in pixels."""
SIDE = 192
"""The height and width of a patch, in pixels; the centre of the face is its centre."""
_MARGIN = (SIDE / FACE - 1) / 2
_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
"""The weights of Rec. 709, on sRGB values."""


@dataclass(frozen=True, slots=True)
class Patch:
    """A face at a common size.

    `luma` (192, 192) holds sRGB-coded values 0..1; beyond the border of the photo its last pixels are repeated. `eyes`,
    `nose` and `mouth` are places (x, y) in it, `aspect` is the width of the face over its height, `height` the height
    of the face in pixels before it was scaled.
    """

    luma: Plane
    eyes: tuple[tuple[float, float], tuple[float, float]]
    nose: tuple[float, float]
    mouth: tuple[tuple[float, float], tuple[float, float]]
    aspect: float
    height: float


def face_region(face: Face, aspect: float) -> Region:
    """Return the part of the upright photo that a patch of this face needs; `aspect` is the photo's width over height.

    Judging needs no more pixels than 160 for the height of the face: a larger photo may be decoded at a reduced scale.
    """
    x, y, width, height = face.box
    tall = height * (0.5 + _MARGIN)
    wide = tall / aspect
    left, right = max(x + width / 2 - wide, 0.0), min(x + width / 2 + wide, 1.0)
    top, bottom = max(y + height / 2 - tall, 0.0), min(y + height / 2 + tall, 1.0)
    return Region(left, top, right - left, bottom - top)


def face_patch(pixels: NDArray[np.uint8], region: Region, face: Face) -> Patch:
    """Return the patch of a face from the pixels of a region of the upright photo, uint8 RGB (height, width, 3)."""
    luma = ((pixels.astype(np.float32) / 255) @ _LUMA).astype(np.float32)
    tall, wide = luma.shape
    x, y, width, height = face.box
    centre = _place(x + width / 2, y + height / 2, region, (wide, tall))
    size = height / region.height * tall
    step = max(1, int(size // (2 * FACE)))
    if step > 1:  # the mean of whole blocks first: the weights below cost as much as there are pixels
        luma = block_means(luma, step)
    scale = FACE / size
    rows = _weights(centre[1] / step, 1 / (scale * step), luma.shape[0])
    columns = _weights(centre[0] / step, 1 / (scale * step), luma.shape[1])

    def moved(point: Point) -> tuple[float, float]:
        across, down = _place(point.x, point.y, region, (wide, tall))
        return (across - centre[0]) * scale + SIDE / 2, (down - centre[1]) * scale + SIDE / 2

    eyes, mouth = (tuple(map(moved, pair)) for pair in (face.eyes, face.mouth))
    aspect = width / region.width * wide / size
    return Patch(
        (rows @ luma @ columns.T).astype(np.float32),
        (eyes[0], eyes[1]),
        moved(face.nose),
        (mouth[0], mouth[1]),
        aspect,
        size,
    )


def block_means(plane: Plane, side: int) -> Plane:
    """Return the means of the square blocks of a plane, without the rows and columns that fill no block.

    `mean` over both axes at once takes ten times as long.
    """
    tall, wide = (length // side for length in plane.shape)
    rows = plane[: tall * side, : wide * side].reshape(tall, side, wide * side).sum(axis=1)
    columns = np.stack([rows[:, start::side] for start in range(side)])
    means: Plane = columns.sum(axis=0) / np.float32(side * side)
    return means


def _place(x: float, y: float, region: Region, size: tuple[int, int]) -> tuple[float, float]:
    """Return a place in fractions of the photo as pixels of the region of this (width, height)."""
    return (x - region.x) / region.width * size[0], (y - region.y) / region.height * size[1]


def _weights(centre: float, step: float, size: int) -> Plane:
    """Return the weights (192, size) of a triangle filter that samples `size` pixels every `step` around `centre`."""
    places = np.clip(centre + (np.arange(SIDE) + 0.5 - SIDE / 2) * step, 0.5, size - 0.5)
    weights = np.maximum(0, 1 - np.abs(np.arange(size) + 0.5 - places[:, None]) / max(1.0, step))
    shares: Plane = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return shares
