"""How sharp a picture is at its own resolution, and which of several frames of one scene is the sharpest."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from culld.imaging.edge_tiles import COARSE, FINE, TILE, busiest, edge_sums

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from culld.imaging.edge_tiles import Plane

    Box = tuple[float, float, float, float]

RISE = 2.563
"""Width from 10 to 90 % of a step that a Gaussian of standard deviation 1 has blurred."""
SHARP_WIDTH = 4.0
"""Width in pixels up to which a tile is sharp: a step blurred by a Gaussian of 1.56 px."""
_NARROWEST, _WIDEST = 1.0, 25.0  # px; the scales tell no more
_TEXTURED = 400.0  # least coarse sum of a textured tile: an edge of 30 grey levels over 10 px
_PRIOR = 200.0  # this much of a flat edge is added to each tile, so that weak tiles weigh little
_OF_A_TILE = 0.15  # least part of a tile's edges in one direction that counts by itself: movement blurs one direction
_TOP = 0.9  # quantile of the tiles, weighted by their edges


@dataclass(frozen=True, slots=True)
class Sharpness:
    """The sharpness of a picture.

    `value` is 1 / px: one over the width of the edges (10 to 90 %) in the sharpest tiles, 0 without any edge. `share`
    is the part of the textured tiles with edges up to `SHARP_WIDTH`. `peak` is the centre (x, y) of the sharpest tile
    in fractions of the picture. `tiles` are the sums of `edge_tiles.edge_sums`. `noise` is in grey levels.
    """

    value: float
    share: float
    peak: tuple[float, float]
    tiles: Plane
    noise: float


@dataclass(frozen=True, slots=True)
class Lead:
    """How much sharper a frame is than another one: the mean difference of the logarithm of edge steepness.

    `error` is its standard error: the scatter between tiles, and `_PER_GREY_LEVEL` of difference in noise. Differences
    below two errors or below `LEAST_LEAD` are ties. A disk of 1 px makes a lead of 0.08 on a sharp photo.
    """

    amount: float
    error: float

    @property
    def tie(self) -> bool:
        """Whether the difference is too small to be certain."""
        return abs(self.amount) < max(LEAST_LEAD, 2 * self.error)


LEAST_LEAD = 0.005
"""Frames of equal sharpness and noise, compressed with different qualities, differ by less than this."""
_PER_GREY_LEVEL = 0.002


def sharpness_of(pixels: NDArray[np.uint8], chosen: NDArray[np.bool_] | None = None) -> Sharpness:
    """Return the sharpness of native pixels: RGB (height, width, 3) or luma (height, width).

    `chosen` is a mask of tiles (height // TILE, width // TILE) to measure; by default `edge_tiles.busiest` chooses.
    """
    luma = pixels if pixels.ndim == 2 else np.asarray(Image.fromarray(pixels).convert("L"))
    sums, noise = edge_sums(luma, busiest(luma) if chosen is None else chosen)
    widths = edge_widths(sums)
    textured = np.isfinite(widths)
    if not textured.any():
        return Sharpness(0.0, 0.0, (0.5, 0.5), sums, noise)
    row, column = np.unravel_index(np.nanargmin(widths), widths.shape)
    peak = (float(column + 0.5) * TILE / luma.shape[1], float(row + 0.5) * TILE / luma.shape[0])
    value = _weighted_quantile(np.reciprocal(widths[textured]), sums[textured][..., 1].sum(axis=1), _TOP)
    return Sharpness(value, float(np.mean(widths[textured] <= SHARP_WIDTH)), peak, sums, noise)


def sharpness_in(pixels: NDArray[np.uint8], boxes: Sequence[Box]) -> Sharpness:
    """Return the sharpness of the tiles that boxes (x, y, width, height in fractions 0..1) touch."""
    return sharpness_of(pixels, tiles_in(boxes, pixels.shape[0], pixels.shape[1]))


def tiles_in(boxes: Sequence[Box], height: int, width: int) -> NDArray[np.bool_]:
    """Return the mask of the tiles of a picture that boxes (x, y, width, height in fractions 0..1) touch.

    Boxes may reach beyond the picture.
    """
    mask = np.zeros((height // TILE, width // TILE), np.bool_)
    for x, y, across, down in boxes:
        rows = slice(max(0, math.floor(y * height / TILE)), max(0, math.ceil((y + down) * height / TILE)))
        columns = slice(max(0, math.floor(x * width / TILE)), max(0, math.ceil((x + across) * width / TILE)))
        mask[rows, columns] = True
    return mask


def edge_widths(sums: Plane) -> Plane:
    """Return the width (10 to 90 %) in px of the edges of each tile; NaN where it is not textured.

    It is that of upright or of level edges, the wider one, where a tile has both. Below 1 px it falls with the
    steepness of lines and halos and is no width any more.
    """
    both = sums.sum(axis=2)
    present = sums[..., 1] >= _OF_A_TILE * both[..., None, 1]
    ratio = np.where(present, _steepness(sums), np.inf).min(axis=2)
    floor, ceiling = (_ratio((width / RISE) ** 2) for width in (_WIDEST, _NARROWEST))
    square = np.clip(ratio, floor, ceiling) ** 2
    beyond = np.maximum(ratio / ceiling, 1)
    widths: Plane = RISE * np.sqrt((COARSE - square * FINE) / (square - 1)) / beyond
    return np.where(both[..., 1] >= _TEXTURED, widths, np.nan).astype(np.float32)


def lead(first: Sharpness, second: Sharpness, within: NDArray[np.bool_] | None = None) -> Lead:
    """Return by how much the first of two frames of one scene is sharper, over the tiles that both have measured.

    `within` is a mask of tiles that narrows them, such as those of a subject (`tiles_in`). Upright and level edges of a
    tile are compared apart. Raises ValueError where the frames differ in size.
    """
    if first.tiles.shape != second.tiles.shape:
        raise ValueError(f"frames of {first.tiles.shape[:2]} and {second.tiles.shape[:2]} tiles are no burst")
    strength = np.maximum(first.tiles[..., 1], second.tiles[..., 1])
    shared = strength >= _TEXTURED / 2  # False where one is NaN
    if within is not None:
        shared &= within[..., None]
    weight = np.sqrt(strength[shared])
    difference = np.log(_steepness(first.tiles[shared]) / _steepness(second.tiles[shared]))
    total = float(weight.sum())
    if not total:
        return Lead(0.0, math.inf)
    mean = float((weight * difference).sum()) / total
    scatter = math.sqrt(float(np.square(weight * (difference - mean)).sum())) / total
    return Lead(mean, math.hypot(scatter, _PER_GREY_LEVEL * (first.noise - second.noise)))


def ranked(frames: Sequence[Sharpness], within: NDArray[np.bool_] | None = None) -> list[list[int]]:
    """Return the indexes of frames of one scene in groups, the sharpest first.

    A group holds the frames that tie with its first one. Raises ValueError where the frames differ in size.
    """
    leads = [[lead(one, other, within) for other in frames] for one in frames]
    total = [sum(ahead.amount for ahead in row) for row in leads]
    groups: list[list[int]] = []
    for index in sorted(range(len(frames)), key=lambda index: -total[index]):
        if groups and leads[groups[-1][0]][index].tie:
            groups[-1].append(index)
        else:
            groups.append([index])
    return groups


def _weighted_quantile(values: Plane, weights: Plane, share: float) -> float:
    """Return the value below which this share of the weight lies."""
    order = np.argsort(values)
    weight = weights[order]
    return float(np.interp(share * weight.sum(), np.cumsum(weight) - weight / 2, values[order]))


def _steepness(sums: Plane) -> Plane:
    """Return the ratio of the gradients, fine to coarse; 1 without edges."""
    least = np.float32(_PRIOR / 4)
    ratio: Plane = np.maximum(sums[..., 0] + _PRIOR, least) / np.maximum(sums[..., 1] + _PRIOR, least)
    return ratio


def _ratio(variance: float) -> float:
    """Return the ratio for edges that are blurred by a Gaussian of this variance in px²."""
    return math.sqrt((COARSE + variance) / (FINE + variance))
