"""What the rules of a policy need to know of the regions of a photo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from culld.imaging.edge_tiles import TILE
from culld.imaging.sharpness import edge_widths, sharpness_of
from culld.records.regions import RegionClass, Regions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from culld.segment.masks import Segmentation

    Mask = NDArray[np.bool_]

SHARP_WIDTH: Final = 2.0
"""The width (10 to 90 %) in px of the frame up to which the edges of a tile are sharp.

On 57 scenes of the calibration split, with noise and JPEG compression over the blur, any width from 1.4 to 2 tells
sharp subjects from blurred photos equally well; `rules.sharp` and the masks alone do not, for noise hides blur from
them.
"""


def facts_of(found: Segmentation, pixels: NDArray[np.uint8]) -> Regions:
    """Return the facts about a segmented frame, uint8 RGB (height, width, 3).

    A tile is sharp where its edges are and the masks show no blur: a wall without texture is neither sharp nor blurred.
    """
    blurred = found.masks[RegionClass.DEFOCUS] | found.masks[RegionClass.MOTION]
    return Regions(found.shares, float(blurred.mean()), largest(_sharp_tiles(pixels) & ~_mostly(blurred)))


def largest(tiles: Mask) -> float:
    """Return the share, 0..1, of the largest coherent region of tiles, bool (rows, columns), that touch by a side."""
    waiting = tiles.copy()
    sizes = [_size(waiting, place) for place in np.argwhere(waiting).tolist()]
    return float(max(sizes, default=0) / max(tiles.size, 1))


def _sharp_tiles(pixels: NDArray[np.uint8]) -> Mask:
    rows, columns = pixels.shape[0] // TILE, pixels.shape[1] // TILE
    if not rows * columns:
        return np.zeros((rows, columns), np.bool_)
    widths = edge_widths(sharpness_of(pixels, np.ones((rows, columns), np.bool_)).tiles)
    sharp: Mask = np.isfinite(widths) & (widths <= SHARP_WIDTH)
    return sharp


def _mostly(mask: Mask) -> Mask:
    """Return for each tile whether the mask covers at least a half of it."""
    rows, columns = mask.shape[0] // TILE, mask.shape[1] // TILE
    tiles = mask[: rows * TILE, : columns * TILE].reshape(rows, TILE, columns, TILE)
    half: Mask = tiles.mean((1, 3)) >= 0.5
    return half


def _size(waiting: Mask, start: list[int]) -> int:
    """Return the number of tiles of the region of a tile, and take them out; 0 if it was taken out before."""
    reached, size = [(start[0], start[1])], 0
    while reached:
        row, column = reached.pop()
        inside = 0 <= row < waiting.shape[0] and 0 <= column < waiting.shape[1]
        if not inside or not waiting[row, column]:
            continue
        waiting[row, column] = False
        size += 1
        reached += [(row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)]
    return size
