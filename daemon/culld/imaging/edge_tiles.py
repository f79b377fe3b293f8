"""The edges of a picture in tiles: how steep they are at a fine and at a coarse scale, without bias from noise.

A pixel counts where the gradient of the smoothed picture is largest across the edge. There the gradient of the less
smoothed picture is projected on it. Both products are signed, so noise adds to their variance and hardly to their mean.
Energies of a Laplacian are squares: they need an exact model of the noise to rank frames with different amounts of it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Plane = NDArray[np.float32]

TILE = 64
"""Side of a tile in pixels."""
MARGIN = 5
"""Pixels around a tile that its filters reach."""
MOST = 700
"""Tiles that are measured at most; of larger pictures the tile with the most contrast in each block of tiles."""
FINE = 0.5 + 1 / 3
"""Variance in px² of the fine scale: binomial 1-2-1 and central difference."""
COARSE = FINE + 2.0
"""Variance in px² of the coarse scale: once more 1-2-1, with a step of two pixels."""
_LEAST = 2.0  # grey levels a pixel: weaker gradients are no edges
_ABOVE_NOISE = 6.0  # standard deviations of the coarse gradient of noise; 4 ranked 7 of 174 wrong, 6 none
_AT_CRESTS = 3.0  # the noise at crests to that anywhere: a crest is where noise has raised the gradient
_MOST_GRAIN = 0.6  # grey levels a pixel: a stronger coarse gradient in the smoothest cells is texture
_CELL = 16  # px, side of the cells of a tile in which noise is looked for
_CHUNK = 16  # tiles that are filtered together: their planes stay in the cache of a core


def edge_sums(luma: NDArray[np.uint8], chosen: NDArray[np.bool_]) -> tuple[Plane, float]:
    """Return the sums of the chosen tiles and the noise of the picture in grey levels.

    The sums are float32 (rows, columns, 2, 2): upright and level edges; fine times coarse gradient and coarse gradient
    squared, in (grey levels per px)², less what noise adds. They are NaN in tiles that are not chosen.
    """
    rows, columns = chosen.shape
    sums = np.full((rows, columns, 2, 2), np.nan, np.float32)
    places = np.argwhere(chosen)
    if not len(places):
        return sums, 0.0
    padded = np.pad(luma[: rows * TILE, : columns * TILE], MARGIN, mode="edge")
    tiles = np.lib.stride_tricks.sliding_window_view(padded, (TILE + 2 * MARGIN,) * 2)[::TILE, ::TILE]
    few = tiles[tuple(places[:: max(1, len(places) // 96)].T)]
    noise = noise_level(few)
    least = max(_LEAST, _ABOVE_NOISE * max(math.sqrt(_noise_part(noise, COARSE) / 2), _grain(few)))
    for start in range(0, len(places), _CHUNK):
        where = tuple(places[start : start + _CHUNK].T)
        sums[where] = _sums(tiles[where].astype(np.float32), noise, least)
    return sums, noise


def busiest(luma: NDArray[np.uint8], most: int = MOST) -> NDArray[np.bool_]:
    """Return the tiles to measure as a mask (rows, columns): all, or the one with the most contrast in each block."""
    rows, columns = luma.shape[0] // TILE, luma.shape[1] // TILE
    block = max(1, math.ceil(math.sqrt(rows * columns / most)))
    mask = np.ones((rows, columns), np.bool_)
    if block == 1:
        return mask
    contrast = np.zeros((-(-rows // block) * block, -(-columns // block) * block), np.float32)
    contrast[:rows, :columns] = 1 + _contrast(luma, rows, columns)
    blocks = contrast.reshape(contrast.shape[0] // block, block, -1, block).swapaxes(1, 2)
    flat = blocks.reshape(*blocks.shape[:2], -1)
    best = np.arange(block * block) == flat.argmax(axis=2)[..., None]
    chosen: NDArray[np.bool_] = (
        best.reshape(blocks.shape).swapaxes(1, 2).reshape(contrast.shape)[:rows, :columns] & mask
    )
    return chosen


def noise_level(tiles: NDArray[np.uint8]) -> float:
    """Return the standard deviation of the noise in grey levels, from the smoothest tenth of 16-px cells.

    The filter is the difference of two Laplacians, which straight edges do not pass (J. Immerkær, Fast noise variance
    estimation, 1996).
    """
    values = tiles.astype(np.float32)
    down = values[:, :-2] - 2 * values[:, 1:-1] + values[:, 2:]
    return math.sqrt(_smoothest(np.square(down[:, :, :-2] - 2 * down[:, :, 1:-1] + down[:, :, 2:])) / 36)


def _grain(tiles: NDArray[np.uint8]) -> float:
    """Return the standard deviation of the coarse gradient in the smoothest cells, at most `_MOST_GRAIN`.

    It is above that of white noise where a camera or a reduction has smoothed the noise.
    """
    x, y = _gradient(_smooth(_smooth(tiles.astype(np.float32), 1), 2))
    return min(_MOST_GRAIN, math.sqrt(_smoothest(x * x + y * y) / 2))


def _smoothest(squares: Plane) -> float:
    """Return the tenth percentile of the means of squares (n, height, width) in cells."""
    count, side = len(squares), squares.shape[1] // _CELL
    cells = squares[:, : side * _CELL, : side * _CELL].reshape(count, side, _CELL, side, _CELL)
    return float(np.quantile(cells.mean(axis=(2, 4)), 0.1))


def _sums(tiles: Plane, noise: float, least: float) -> Plane:
    """Return the sums (n, 2, 2) of tiles with their margins; `least` is the weakest gradient of an edge."""
    fine = _smooth(tiles, 1)
    coarse = _smooth(fine, 2)
    fine_x, fine_y = _gradient(fine[:, 2:-2, 2:-2])
    x, y = _gradient(coarse)
    square = x * x + y * y
    product = (fine_x * x + fine_y * y)[:, 1:-1, 1:-1]
    centre = square[:, 1:-1, 1:-1]
    upright = (np.abs(x) > np.abs(y))[:, 1:-1, 1:-1]
    crest_x = (centre >= square[:, 1:-1, :-2]) & (centre > square[:, 1:-1, 2:])
    crest_y = (centre >= square[:, :-2, 1:-1]) & (centre > square[:, 2:, 1:-1])
    strong = centre > least**2
    bias = np.array([_AT_CRESTS * _noise_part(noise, mean) for mean in ((FINE + COARSE) / 2, COARSE)], np.float32)
    return np.stack(
        [_sum(edges & strong, product, centre, bias) for edges in (crest_x & upright, crest_y & ~upright)], 1
    )


def _sum(edges: NDArray[np.bool_], product: Plane, square: Plane, bias: Plane) -> Plane:
    count = edges.sum(axis=(1, 2), dtype=np.float32)
    both = [np.einsum("nyx,nyx->n", edges.astype(np.float32), values) for values in (product, square)]
    less_noise: Plane = np.stack(both, 1) - count[:, None] * bias
    return less_noise


def _noise_part(noise: float, variance: float) -> float:
    """Return the mean product of the gradients of white noise at two scales with this mean variance."""
    return noise**2 / (4 * math.pi * variance**2)


def _contrast(luma: NDArray[np.uint8], rows: int, columns: int) -> Plane:
    """Return the mean contrast of each tile over steps of four pixels."""
    small = luma[: rows * TILE : 4, : columns * TILE : 4].astype(np.float32)
    steps = np.zeros_like(small)
    steps[:, 1:] += np.square(small[:, 1:] - small[:, :-1])
    steps[1:] += np.square(small[1:] - small[:-1])
    cells: Plane = steps.reshape(rows, TILE // 4, columns, TILE // 4).mean(axis=(1, 3))
    return cells


def _smooth(tiles: Plane, step: int) -> Plane:
    """Return tiles (n, height, width) convolved with 1-2-1 at this distance; each side loses `step` pixels."""
    half, quarter = np.float32(0.5), np.float32(0.25)
    rows: Plane = (tiles[:, : -2 * step] + tiles[:, 2 * step :]) * quarter + tiles[:, step:-step] * half
    whole: Plane = (rows[:, :, : -2 * step] + rows[:, :, 2 * step :]) * quarter + rows[:, :, step:-step] * half
    return whole


def _gradient(tiles: Plane) -> tuple[Plane, Plane]:
    """Return the central differences along x and y; each side loses one pixel."""
    half = np.float32(0.5)
    return (tiles[:, 1:-1, 2:] - tiles[:, 1:-1, :-2]) * half, (tiles[:, 2:, 1:-1] - tiles[:, :-2, 1:-1]) * half
