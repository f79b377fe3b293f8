"""Tiles of two aligned frames around the same places of the scene, each cut out of its own pixels.

A warp would soften one of the frames, so no pixel is interpolated: tiles are cut at whole pixels.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

from culld.imaging.edge_tiles import MARGIN, MOST, TILE, edge_sums
from culld.imaging.homography import inverse, project, resizing, scale_of
from culld.imaging.sharpness import Sharpness

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from culld.imaging.edge_tiles import Plane
    from culld.imaging.homography import Matrix, Points

    Luma = NDArray[np.uint8]

_SAME_SCALE: Final = 1.03  # up to this ratio of scales both frames are measured as they are
_LEAST_STEP: Final = TILE / 2  # px between the cells of a small frame
_COARSE: Final = 4  # px: the step at which the tiles with the most contrast are looked for
_REACH: Final = TILE // 2 + MARGIN
_PITCH: Final = 2 * TILE  # of the tiles in a mosaic: their margins do not meet


@dataclass(frozen=True, slots=True)
class TilePairs:
    """The measured tiles of two frames, one pair for each cell of a grid of (rows, columns) over the first frame.

    `scaled` is True where one frame was reduced to the scale of the other one. `places` are the centres x, y in
    fractions 0..1 of the first frame: float64 (cells, 2). The sums of both have the shape (1, cells, 2, 2); they are
    NaN where the second frame has no tile.
    """

    scaled: bool
    places: Points
    grid: tuple[int, int]
    first: Sharpness
    second: Sharpness


def tile_pairs(first: Luma, second: Luma, matrix: Matrix) -> TilePairs:
    """Measure the tile with the most contrast in each cell, in two frames of uint8 luma (height, width).

    `matrix` maps pixels of the second frame to those of the first one. If their scales differ, the finer frame is
    reduced to the scale of the other one before.
    """
    sizes = first.shape, second.shape
    first, second, matrix = _at_one_scale(first, second, matrix)
    here = _centres(first, second, matrix)
    flat = here.reshape(-1, 2)
    there = project(inverse(matrix), flat)
    inside = _inside(flat, first) & _inside(there, second)
    size = np.array([first.shape[1], first.shape[0]])
    return TilePairs(
        sizes != (first.shape, second.shape),
        (flat + 0.5) / size,
        (here.shape[0], here.shape[1]),
        _measured(first, flat, inside),
        _measured(second, there, inside),
    )


def _at_one_scale(first: Luma, second: Luma, matrix: Matrix) -> tuple[Luma, Luma, Matrix]:
    """Reduce the finer frame if a pixel of one shows more of the scene than one of the other."""
    scale = scale_of(matrix, (second.shape[0], second.shape[1]))
    if scale > _SAME_SCALE:
        first, by = _reduced(first, scale)
        return first, second, by @ matrix
    if scale < 1 / _SAME_SCALE:
        second, by = _reduced(second, 1 / scale)
        return first, second, matrix @ inverse(by)
    return first, second, matrix


def _reduced(luma: Luma, by: float) -> tuple[Luma, Matrix]:
    """Return luma reduced by this factor, and the matrix from its former pixels to the new ones.

    The filter is bicubic, between the bilinear and the Lanczos filters with which programs make small copies.
    """
    height, width = luma.shape
    size = max(1, round(width / by)), max(1, round(height / by))
    small = np.asarray(Image.fromarray(luma).resize(size, Image.Resampling.BICUBIC), np.uint8)
    return small, resizing(size[0] / width, size[1] / height)


def _centres(first: Luma, second: Luma, matrix: Matrix) -> Points:
    """Return the centre of the tile with the most contrast in either frame for each cell: (rows, columns, 2)."""
    import cv2

    small, other = (np.ascontiguousarray(luma[::_COARSE, ::_COARSE]) for luma in (first, second))
    coarse = np.diag([1 / _COARSE, 1 / _COARSE, 1.0])
    size = (small.shape[1], small.shape[0])
    moved = cv2.warpPerspective(other, coarse @ matrix @ inverse(coarse), size, flags=cv2.INTER_NEAREST)
    contrast = np.maximum(_contrast(small), _contrast(np.asarray(moved, np.uint8)))
    half = -(-_REACH // _COARSE)
    contrast[:half], contrast[-half:], contrast[:, :half], contrast[:, -half:] = (-1.0,) * 4
    step = max(_LEAST_STEP, math.sqrt(first.size / MOST))
    best = np.array([[_best(contrast, *cell) for cell in row] for row in _cells(small, step / _COARSE)]) * _COARSE
    most = np.maximum(np.array([first.shape[1], first.shape[0]]) - _REACH, _REACH)
    centres: Points = np.clip(best, _REACH, most).astype(np.float64)
    return centres


def _cells(small: Luma, step: float) -> list[list[tuple[int, int, int, int]]]:
    """Return the cells of a frame by rows, each as top, bottom, left, right in px."""
    rows, columns = (
        list(itertools.pairwise(np.linspace(0, side, max(1, round(side / step)) + 1).round().astype(int).tolist()))
        for side in small.shape
    )
    return [[(*row, *column) for column in columns] for row in rows]


def _best(contrast: Plane, top: int, bottom: int, left: int, right: int) -> tuple[int, int]:
    """Return x and y of the pixel of a cell with the most contrast around it."""
    cell = contrast[top:bottom, left:right]
    y, x = divmod(int(cell.argmax()), cell.shape[1])
    return left + x, top + y


def _contrast(small: Luma) -> Plane:
    """Return the mean contrast of the tile around each pixel of a coarse frame."""
    import cv2

    values = small.astype(np.float32)
    steps = np.zeros_like(values)
    steps[:, 1:] += np.square(values[:, 1:] - values[:, :-1])
    steps[1:] += np.square(values[1:] - values[:-1])
    side = TILE // _COARSE
    return np.asarray(cv2.blur(steps, (side, side)), np.float32)


def _inside(centres: Points, luma: Luma) -> NDArray[np.bool_]:
    """Return which tiles lie in a frame with their margins."""
    whole = centres.round()
    inside = (whole >= _REACH) & (whole <= np.array([luma.shape[1], luma.shape[0]]) - _REACH)
    return np.asarray(inside.all(axis=1))


def _measured(luma: Luma, centres: Points, chosen: NDArray[np.bool_]) -> Sharpness:
    """Return the sums of the tiles around the chosen centres (n, 2), measured side by side in a mosaic."""
    sums = np.full((1, len(centres), 2, 2), np.nan, np.float32)
    count = int(chosen.sum())
    if not count:
        return Sharpness(0.0, 0.0, (0.5, 0.5), sums, 0.0)
    columns = math.ceil(math.sqrt(count))
    mosaic = np.zeros((-(-count // columns) * _PITCH, columns * _PITCH), np.uint8)
    taken = np.zeros((mosaic.shape[0] // TILE, mosaic.shape[1] // TILE), np.bool_)
    for number, (x, y) in enumerate(centres[chosen].round().astype(int).tolist()):
        row, column = divmod(number, columns)
        top, left = row * _PITCH + _PITCH // 2 - MARGIN, column * _PITCH + _PITCH // 2 - MARGIN
        patch = luma[y - _REACH : y + _REACH, x - _REACH : x + _REACH]
        mosaic[top : top + 2 * _REACH, left : left + 2 * _REACH] = patch[
            : mosaic.shape[0] - top, : mosaic.shape[1] - left
        ]
        taken[2 * row + 1, 2 * column + 1] = True
    found, noise = edge_sums(mosaic, taken)
    sums[0, chosen] = found[taken]
    return Sharpness(0.0, 0.0, (0.5, 0.5), sums, noise)
