"""Find the flat ground around a subject: paper, a pale wall, sky, snow; or black cloth and night.

The frame is cut into tiles of `TILE` pixels. A tile is ground if it is nearly white (or nearly black) and even, and if
other such tiles join it to the border of the frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Plane = NDArray[np.uint8]
    Mask = NDArray[np.bool_]

TILE: Final = 8
"""The side of a tile, in pixels of the frame; it divides both sides of the frame."""

_WHITE, _PALE = 236, 196  # the least channel of paper, and of a ground in soft shadow (0..255)
_BLACK, _DIM = 24, 56  # the largest channel of black cloth, and of a dark ground
_EVEN, _SHADED = 14, 36  # the largest span of luma within a tile (0..255)


@dataclass(frozen=True, slots=True)
class Planes:
    """The channels of a frame that the measures use, each uint8 (height, width): luma, least and largest channel."""

    luma: Plane
    least: Plane
    most: Plane


@dataclass(frozen=True, slots=True)
class Ground:
    """The ground of a frame, tile by tile: `tiles` bool (height / TILE, width / TILE).

    `strict`: those of `tiles` that are evenly white (or black), not only pale (or dim). `inner`: tiles that are evenly
    white (or black) and not joined to the border.
    """

    tiles: Mask
    strict: Mask
    inner: Mask


def planes_of(frame: NDArray[np.uint8]) -> Planes:
    """Return the planes of a frame, uint8 RGB (height, width, 3); luma has the weights of Rec. 709 in 256ths."""
    red, green, blue = (np.ascontiguousarray(frame[..., channel]) for channel in range(3))
    luma = red * np.uint16(54) + green * np.uint16(183) + blue * np.uint16(19)
    least = np.minimum(np.minimum(red, green), blue)
    most = np.maximum(np.maximum(red, green), blue)
    return Planes((luma >> 8).astype(np.uint8), least, most)


def grounds(planes: Planes) -> tuple[Ground, Ground]:
    """Return the white ground and the black ground of a frame."""
    span = tile_most(planes.luma) - tile_least(planes.luma)
    least, most = tile_least(planes.least), tile_most(planes.most)
    white = _ground((least >= _PALE) & (span <= _SHADED), (least >= _WHITE) & (span <= _EVEN))
    black = _ground((most <= _DIM) & (span <= _SHADED), (most <= _BLACK) & (span <= _EVEN))
    return white, black


def may_have_ground(frame: NDArray[np.uint8], share: float) -> bool:
    """Return False where no ground can cover this share (0..1) of a frame: too few tiles have a pixel of its level."""
    middles = frame[TILE // 2 :: TILE, TILE // 2 :: TILE]
    white, black = (middles.min(axis=2) >= _PALE).mean(), (middles.max(axis=2) <= _DIM).mean()
    return bool(max(white, black) >= share)


def tile_least(plane: Plane) -> Plane:
    """Return the least value of each tile of a plane, uint8 (height / TILE, width / TILE)."""
    height, width = plane.shape
    rows = plane.reshape(height // TILE, TILE, width).min(axis=1)
    return np.asarray(rows.reshape(height // TILE, width // TILE, TILE).min(axis=2))


def tile_most(plane: Plane) -> Plane:
    """Return the largest value of each tile of a plane, uint8 (height / TILE, width / TILE)."""
    height, width = plane.shape
    rows = plane.reshape(height // TILE, TILE, width).max(axis=1)
    return np.asarray(rows.reshape(height // TILE, width // TILE, TILE).max(axis=2))


def grown(mask: Mask) -> Mask:
    """Return a mask of tiles with the four neighbours of each of its tiles."""
    wide = mask.copy()
    wide[1:] |= mask[:-1]
    wide[:-1] |= mask[1:]
    wide[:, 1:] |= mask[:, :-1]
    wide[:, :-1] |= mask[:, 1:]
    return wide


def to_pixels(mask: Mask) -> Mask:
    """Return a mask of tiles as a mask of pixels, bool (height, width)."""
    return np.repeat(np.repeat(mask, TILE, axis=1), TILE, axis=0)


def _ground(tiles: Mask, strict: Mask) -> Ground:
    joined = _joined_to_border(tiles)
    return Ground(joined, strict & joined, strict & ~joined)


def _joined_to_border(mask: Mask) -> Mask:
    """Return the tiles of the mask from which a path in the mask leads to the border."""
    border = np.ones_like(mask)
    border[1:-1, 1:-1] = False
    joined = mask & border
    count = -1
    while count != (count := int(joined.sum())):
        joined = grown(joined) & mask
    return joined
