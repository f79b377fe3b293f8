"""Measure the light on a frame: its ground, the levels of what stands before it, clipping, and soft edges.

Each measure is a share (0..1) unless its comment names another unit; `measure` returns them as one vector.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from culld.subject.ground import grounds, grown, planes_of, tile_least, tile_most, to_pixels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from culld.subject.ground import Ground, Mask, Plane, Planes

    Box = tuple[float, float, float, float]
    Vector = NDArray[np.float64]

MEASURES: Final = 60
WHITE_GROUND: Final = 28
BLACK_GROUND: Final = 36
"""The length of the vector of `measure`, and the places of the shares of the frame that each ground covers."""

_LEVELS = np.arange(256) / 255
_LIGHT = np.where(_LEVELS <= 0.04045, _LEVELS / 12.92, ((_LEVELS + 0.055) / 1.055) ** 2.4)  # IEC 61966-2-1
_STOPS = np.log2(np.maximum(_LIGHT, 2.0**-9) / 0.18)  # from the 18 % grey
_STEPS = (12, 30, 60, 100, 150, 200, 230, 246, 253)  # levels of luma between which shares are counted
_RANKS = (0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98)  # shares of the subject at which its light is read
_FACES = 0.5  # the weight of the faces, if there are any, against the rest of the subject
_FEW = 200  # a subject of fewer pixels is not measured: the whole frame is
_RIM_WHITE, _RIM_BLACK = 215, 40  # pixels of the ground's level next to the ground belong to it


def measure(frame: NDArray[np.uint8], faces: Sequence[Box] = ()) -> Vector:
    """Return the measures (`MEASURES`,) of a network frame, uint8 RGB (height, width, 3).

    `faces` are boxes (x, y, width, height) in fractions 0..1 of the frame: half of the subject's levels are theirs.
    """
    planes = planes_of(frame)
    white, black = grounds(planes)
    subject = _subject(planes, white, black)
    counts = np.bincount(planes.luma[subject], minlength=256)
    whole = np.bincount(planes.luma.ravel(), minlength=256)
    levels = _with_faces(_shares(counts if counts.sum() >= _FEW else whole), planes.luma, faces)
    parts = (
        *(_between_steps(_shares(whole)), _between_steps(levels), _stops_at_ranks(levels), [subject.mean()]),
        *(_extent(white), _extent(black)),
        *(_rim(planes.least, white), _rim(~planes.most, black)),
        *(_clipping(planes, subject), _texture(planes, white, black)),
    )
    return np.concatenate([np.asarray(part, np.float64) for part in parts])


def stops(frame: NDArray[np.uint8], box: Box) -> float:
    """Return the median light in a box of a frame in stops from the 18 % grey, -6.5..2.5.

    The frame is uint8 RGB (height, width, 3) of any size; `box` is (x, y, width, height) in fractions 0..1 of it.
    """
    return float(_STOPS[int(np.median(_cut(planes_of(frame).luma, box)))])


def _subject(planes: Planes, white: Ground, black: Ground) -> Mask:
    """Return the pixels that are no ground, bool (height, width)."""
    inside = to_pixels(~(white.tiles | black.tiles))
    inside &= ~(to_pixels(grown(white.tiles)) & (planes.least >= _RIM_WHITE))
    inside &= ~(to_pixels(grown(black.tiles)) & (planes.most <= _RIM_BLACK))
    return inside


def _with_faces(levels: Vector, luma: Plane, faces: Sequence[Box]) -> Vector:
    """Return the shares (256,) of the subject's levels with those of the faces mixed in."""
    if not faces:
        return levels
    counts = sum(np.bincount(_cut(luma, box).ravel(), minlength=256) for box in faces)
    return (1 - _FACES) * levels + _FACES * _shares(np.asarray(counts))


def _cut(luma: Plane, box: Box) -> Plane:
    """Return the pixels of a box, one at the least."""
    height, width = luma.shape
    x, y, w, h = box
    top, left = min(max(int(y * height), 0), height - 1), min(max(int(x * width), 0), width - 1)
    return luma[top : max(int((y + h) * height), top + 1), left : max(int((x + w) * width), left + 1)]


def _shares(counts: NDArray[np.int64]) -> Vector:
    return np.asarray(counts / counts.sum(), np.float64)


def _between_steps(levels: Vector) -> Vector:
    sums = np.cumsum(levels)[[step - 1 for step in _STEPS]]
    return np.diff(np.concatenate([[0.0], sums, [1.0]]))


def _stops_at_ranks(levels: Vector) -> Vector:
    """Return the light at `_RANKS`, in stops from the 18 % grey."""
    places = np.searchsorted(np.cumsum(levels), _RANKS)
    return np.asarray(_STOPS[np.minimum(places, 255)])


def _extent(ground: Ground) -> list[float]:
    """Return the shares of a ground: of the frame, strict, inner, of the four sides in order, strict within it."""
    tiles, strict = ground.tiles, ground.strict
    sides = sorted(float(side.mean()) for side in (tiles[0], tiles[-1], tiles[:, 0], tiles[:, -1]))
    whole = float(tiles.mean())
    return [whole, float(strict.mean()), float(ground.inner.mean()), *sides, float(strict.mean()) / max(whole, 1e-6)]


def _rim(plane: Plane, ground: Ground) -> list[float]:
    """Return what the tiles next to a ground hold: pixels of its level, pixels between (soft edges), and others.

    `plane` is bright where the ground is.
    """
    rim = to_pixels(grown(ground.tiles) & ~ground.tiles)
    values = plane[rim]
    if not values.size:
        return [0.0, 0.0, 0.0]
    clear, soft = values >= 247, values >= 200
    return [float(clear.mean()), float(soft.mean() - clear.mean()), float((values < 128).mean())]


def _clipping(planes: Planes, subject: Mask) -> list[float]:
    """Return the shares of the subject with a clipped channel, all clipped, clipped colour, black; its chroma."""
    most, least = planes.most[subject], planes.least[subject]
    if not most.size:
        return [0.0] * 6
    hot = most >= 252
    spread = float((most - least).mean()) / 255
    shares = (hot, least >= 250, hot & (least < 200), least <= 2, most <= 8)
    return [*(float(share.mean()) for share in shares), spread]


def _texture(planes: Planes, white: Ground, black: Ground) -> list[float]:
    """Return the spans of luma in the subject's tiles (quartiles, of 255), and the shares of bright and dark tiles."""
    low, high = tile_least(planes.luma), tile_most(planes.luma)
    spans = (high - low)[~(white.tiles | black.tiles)]
    if spans.size < 8:
        spans = (high - low).ravel()
    quartiles = np.percentile(spans, (25, 75)) / 255
    return [float(quartiles[0]), float(quartiles[1]), float((low >= 240).mean()), float((high <= 20).mean())]
