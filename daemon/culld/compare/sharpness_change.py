"""Where which of two aligned frames is sharper, by the steepness of their edges at native resolution."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from culld.compare.tile_pairs import tile_pairs
from culld.imaging.edge_tiles import COARSE, FINE
from culld.imaging.sharpness import RISE, Lead, Sharpness, lead

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from culld.compare.tile_pairs import TilePairs
    from culld.imaging.edge_tiles import Plane
    from culld.imaging.homography import Matrix, Points

MARKED: Final = 0.2
"""A cell is marked where the logarithm of the ratio is farther from 0: edges 1.22 times as steep."""
_MOST_RATIO: Final = 4.0  # larger ratios are those of edges that have vanished
_TEXTURED: Final = 200.0  # least coarse sum of the tile of the frame that shows more edges; see imaging.sharpness
_PRIOR: Final = 200.0  # this much of a flat edge is added to each tile, so that weak tiles weigh little
_NARROWEST, _WIDEST = 1.0, 25.0  # px: the scales tell no more
_UPRIGHT: Final = math.radians(20)  # a larger turn exchanges upright and level edges
_NEAR: Final = np.outer((1, 2, 1), (1, 2, 1)).astype(np.float32)


@dataclass(frozen=True, slots=True)
class SharpnessChange:
    """Which of two frames is sharper.

    `map` is float32 (rows, columns) over the whole first frame: ln of the ratio of edge steepness, above 0 where the
    first frame is sharper, NaN where neither frame has edges or the second one has no pixels. `ratio` is that of the
    edges of the whole frame, above 1 if the first one is sharper. `lead` tells whether the difference is certain.
    """

    map: Plane
    ratio: float
    lead: Lead


def sharpness_change(
    first: NDArray[np.uint8], second: NDArray[np.uint8], matrix: Matrix, within: NDArray[np.bool_] | None = None
) -> SharpnessChange:
    """Compare the sharpness of two frames of uint8 luma (height, width); `matrix` maps the second to the first one.

    `within` is as in `judged`.
    """
    return judged(tile_pairs(first, second, matrix), within, turned=is_turned(matrix))


def is_turned(matrix: Matrix) -> bool:
    """Return whether upright edges of the second frame are no upright edges of the first one."""
    return abs(math.atan2(matrix[1, 0], matrix[0, 0])) > _UPRIGHT


def judged(pairs: TilePairs, within: NDArray[np.bool_] | None = None, *, turned: bool = False) -> SharpnessChange:
    """Judge the tiles of two frames; of frames that are `turned` against each other, all edges of a tile together.

    `within`, a mask of any size over the first frame, marks the content that both show: tiles around other places are
    left out.
    """
    one, other = (_of_all_edges(each) if turned else each for each in (pairs.first, pairs.second))
    chosen = np.ones(len(pairs.places), np.bool_) if within is None else _inside(pairs.places, within)
    values, weight = logarithms(one.tiles[0], other.tiles[0])
    known = np.isfinite(values) & chosen
    mean = float(np.average(values[known], weights=weight[known])) if known.any() else 0.0
    cells = np.where(known, values, np.nan).astype(np.float32).reshape(pairs.grid)
    return SharpnessChange(_smoothed(cells, weight.reshape(pairs.grid)), math.exp(mean), lead(one, other, chosen[None]))


def _smoothed(values: Plane, weight: Plane) -> Plane:
    """Return the mean of each cell and its neighbours by their weights; cells without a value keep none.

    The cell itself counts four times, one beside it twice.
    """
    known = np.isfinite(values)
    mass = np.pad(np.where(known, weight, 0), 1)
    sums = np.pad(np.where(known, weight * values, 0), 1)
    near = [np.lib.stride_tricks.sliding_window_view(plane, (3, 3)) for plane in (sums, mass)]
    total, of = (np.einsum("rcyx,yx->rc", plane, _NEAR) for plane in near)
    return np.where(known, total / np.maximum(of, 1e-6), np.nan).astype(np.float32)


def _inside(places: Points, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which places (n, 2), x and y in fractions 0..1, are in a mask."""
    size = np.array([mask.shape[1], mask.shape[0]])
    x, y = np.minimum((places * size).astype(int), size - 1).T
    return np.asarray(mask[y, x])


def logarithms(first: Plane, second: Plane) -> tuple[Plane, Plane]:
    """Return ln of the ratio of edge steepness of each tile, and its weight: float32 (n,) from the sums (n, 2, 2).

    It is the ratio of the widths of the edges, of upright and level ones by what there is of each.
    """
    strength = np.maximum(first[..., 1], second[..., 1])
    weight = np.sqrt(np.maximum(strength, 0))
    widths = [
        _width((weight * _steepness(sums)).sum(axis=1) / np.maximum(weight.sum(axis=1), 1e-6))
        for sums in (first, second)
    ]
    values = np.clip(np.log(widths[1] / widths[0]), -math.log(_MOST_RATIO), math.log(_MOST_RATIO))
    textured = strength.sum(axis=1) >= _TEXTURED
    return np.where(textured, values, np.nan).astype(np.float32), weight.sum(axis=1)


def _steepness(sums: Plane) -> Plane:
    """Return the ratio of the gradients, fine to coarse; 1 without edges."""
    least = np.float32(_PRIOR / 4)
    ratio: Plane = np.maximum(sums[..., 0] + _PRIOR, least) / np.maximum(sums[..., 1] + _PRIOR, least)
    return ratio


def _width(steepness: Plane) -> Plane:
    """Return the width (10 to 90 %) in px of edges with this ratio of gradients."""
    floor, ceiling = (
        math.sqrt((COARSE + (width / RISE) ** 2) / (FINE + (width / RISE) ** 2)) for width in (_WIDEST, _NARROWEST)
    )
    square = np.square(np.clip(steepness, floor, ceiling))
    beyond = np.maximum(steepness / ceiling, 1)
    width: Plane = RISE * np.sqrt((COARSE - square * FINE) / (square - 1)) / beyond
    return width


def _of_all_edges(frame: Sharpness) -> Sharpness:
    """Return the sums of upright and level edges together, twice."""
    both = frame.tiles.sum(axis=2, keepdims=True)
    return replace(frame, tiles=np.repeat(both / np.float32(2), 2, axis=2))
