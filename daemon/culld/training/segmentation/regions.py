"""Regions of a patch: groups of superpixels, ellipses, half planes, the whole frame; with hard or soft borders.

All are covers, float32 (height, width), 0..1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]
    Cover = NDArray[np.float32]

SOFTNESS: Final = (0.0, 1.0, 2.0, 5.0)
"""Standard deviations in px of the Gaussian that softens a border; one is drawn."""
SMALLEST, LARGEST = 0.05, 0.6
"""The share of the patch that a region covers."""
_REDUCED: Final = 3
_COLOUR: Final = 5.0
"""How far apart two colours of the whole range are, in distances between seeds: higher borders follow colour more."""


def draw_cover(pixels: Pixels, whole: float, rng: np.random.Generator) -> Cover:
    """Return the cover of a random region of a patch, uint8 RGB; the whole patch with probability `whole`."""
    size = pixels.shape[:2]
    if rng.random() < whole:
        return np.ones(size, np.float32)
    way = rng.random()
    if way < 0.5:
        cover = superpixels(pixels, rng)
    elif way < 0.8:
        cover = ellipse(size, rng)
    else:
        cover = half_plane(size, rng)
    return softened(cover, float(rng.choice(SOFTNESS)))


def superpixels(pixels: Pixels, rng: np.random.Generator) -> Cover:
    """Return a group of neighbouring superpixels: the nearest ones to a random place, up to a random share.

    A superpixel is one step of SLIC (Achanta et al. 2012): the pixels that are nearest to a seed in place and colour.
    """
    height, width = pixels.shape[:2]
    small = np.asarray(
        Image.fromarray(pixels).resize((width // _REDUCED, height // _REDUCED), Image.Resampling.BOX), np.float32
    )
    nearest, seeds = _assigned(small, int(rng.integers(5, 9)), rng)
    share = np.exp(rng.uniform(np.log(SMALLEST), np.log(LARGEST)))
    order = np.argsort(np.hypot(*(seeds - rng.uniform(0, 1, 2)).T))
    sizes = np.bincount(nearest.ravel(), minlength=len(seeds))[order]
    taken = order[: 1 + int(np.searchsorted(np.cumsum(sizes), share * nearest.size))]
    chosen = np.isin(nearest, taken).astype(np.float32)
    large = Image.fromarray(chosen).resize((width, height), Image.Resampling.BILINEAR)
    return (np.asarray(large) > 0.5).astype(np.float32)


def ellipse(size: tuple[int, int], rng: np.random.Generator) -> Cover:
    """Return a turned ellipse, such as a face or a thing."""
    share = np.exp(rng.uniform(np.log(SMALLEST), np.log(LARGEST)))
    aspect, turn = np.exp(rng.uniform(-0.6, 0.6)), rng.uniform(0, np.pi)
    radius = np.sqrt(share * size[0] * size[1] / np.pi)
    along, across = _turned(size, rng.uniform(0.15, 0.85, 2), turn)
    cover: Cover = (np.hypot(along * aspect, across / aspect) <= radius).astype(np.float32)
    return cover


def half_plane(size: tuple[int, int], rng: np.random.Generator) -> Cover:
    """Return one side of a line, such as a foreground or a sky; the line may bend."""
    along, across = _turned(size, rng.uniform(0.25, 0.75, 2), rng.uniform(0, 2 * np.pi))
    bend = rng.uniform(-1, 1) * 0.3 / size[0]
    return (across + bend * along**2 > 0).astype(np.float32)


def softened(cover: Cover, sigma: float) -> Cover:
    """Return a cover whose border is blurred by about this standard deviation in px."""
    if sigma == 0:
        return cover
    reach = max(1, round((np.sqrt(6 * sigma * sigma + 1) - 1) / 2))  # two boxes have the variance of the Gaussian
    for _ in range(2):
        cover = boxed(cover, reach)
    return np.clip(cover, 0, 1)


def boxed(plane: Cover, reach: int) -> Cover:
    """Return the mean over a square, borders repeated."""
    for axis in (0, 1):
        width = [(reach + 1, reach) if side == axis else (0, 0) for side in (0, 1)]
        sums = np.cumsum(np.pad(plane, width, mode="edge"), axis=axis, dtype=np.float64)
        size, span = plane.shape[axis], 2 * reach + 1
        ends, starts = sums.take(range(span, span + size), axis), sums.take(range(size), axis)
        plane = ((ends - starts) / span).astype(np.float32)
    return plane


def _assigned(
    small: NDArray[np.float32], count: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the seed of each pixel, and the places of the seeds, y and x in 0..1."""
    height, width = small.shape[:2]
    grid = (np.mgrid[0:count, 0:count].reshape(2, -1).T + rng.uniform(0.1, 0.9, (count * count, 2))) / count
    at = np.minimum((grid * (height, width)).astype(int), (height - 1, width - 1))
    places = np.mgrid[0:height, 0:width].reshape(2, -1).T / (height, width) * count
    colours = small.reshape(-1, 3) / 255 * _COLOUR
    features = np.concatenate((places, colours), axis=1).astype(np.float32)
    seeds = np.concatenate((grid * count, small[at[:, 0], at[:, 1]] / 255 * _COLOUR), axis=1).astype(np.float32)
    distance = (seeds**2).sum(axis=1) - 2 * features @ seeds.T
    return distance.argmin(axis=1).reshape(height, width), grid


def _turned(
    size: tuple[int, int], centre: NDArray[np.float64], turn: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the coordinates of each pixel in px along and across a direction, from a centre in fractions."""
    y, x = np.mgrid[0 : size[0], 0 : size[1]] - (centre * size)[:, None, None]
    return x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
