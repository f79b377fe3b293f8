"""The levels of the groups `light` and `grid`: functions of each pixel's brightness and colour, read as means.

They follow `culld.training.defects.feature_groups`; a test compares them with the features of the network. Left out are
what no pixel has by itself: ranks of tiles, and deviations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Plane = NDArray[np.float32]

LIGHT: Final = "light"
GRID: Final = "grid"
_BINS: Final = 32
_LUMA: Final = np.array([0.2126, 0.7152, 0.0722], np.float32)
_TILES: Final = (6, 8)
_PER_TILE: Final = 4
_PLANES: Final = 3
_SHARES: Final = 2 * _BINS
"""Where the shares stand in the group: behind the histogram and its running sum."""


def light_levels(frame: NDArray[np.uint8]) -> dict[str, Plane]:
    """Return the levels of a frame, uint8 RGB (384, 512, 3).

    `light` is float32 (96, 128, 39): 32 bins of brightness, and burnt, black, bright and coloured shares; `grid` is
    float32 (96, 128, 3): brightness, burnt, black.
    """
    colour = _halved(frame.astype(np.float32)) / np.float32(255)
    bright = colour @ _LUMA
    most, least = colour.max(axis=-1), colour.min(axis=-1)
    bins = np.maximum(1 - np.abs(bright[::2, ::2, None] - np.linspace(0, 1, _BINS, dtype=np.float32)) * (_BINS - 1), 0)
    shares = [
        _above(least, 0.98),
        _above(least, 0.9),
        _above(most, 0.98),
        _above(1 - most, 0.97),
        _above(1 - most, 0.9),
        bright,
        most - least,
    ]
    planes = [bright, np.clip((least - 0.93) * 20, 0, 1), np.clip((0.08 - most) * 20, 0, 1)]
    light = np.concatenate([bins, _halved(np.stack(shares, axis=-1))], axis=-1)
    return {LIGHT: light.astype(np.float32), GRID: _halved(np.stack(planes, axis=-1)).astype(np.float32)}


def light_gradient(name: str, level: Plane, groups: Mapping[str, int], by_features: Plane) -> Plane:
    """Return the gradient of a logit by one of these levels; `groups` says where each group of features starts."""
    start = groups[name]
    height, width, channels = level.shape
    if name == LIGHT:
        given = by_features[start : start + _SHARES + channels - _BINS]
        running = np.cumsum(given[_BINS:_SHARES][::-1])[::-1]
        each = np.concatenate([given[:_BINS] + running, given[_SHARES:]]) / np.float32(height * width)
        return np.broadcast_to(each.astype(np.float32), level.shape)
    count = _TILES[0] * _TILES[1]
    given = by_features[start : start + _PER_TILE * count].reshape(*_TILES, _PER_TILE)[..., :_PLANES]
    tall, wide = height // _TILES[0], width // _TILES[1]
    spread = np.repeat(np.repeat(given / np.float32(tall * wide), tall, axis=0), wide, axis=1)
    return spread.astype(np.float32)


def _halved(plane: Plane) -> Plane:
    height, width, channels = plane.shape
    halved: Plane = plane.reshape(height // 2, 2, width // 2, 2, channels).mean(axis=3).mean(axis=1)
    return halved


def _above(values: Plane, limit: float) -> Plane:
    """Return whether values are above a limit, softly over the last fiftieth, 0..1."""
    soft: Plane = np.clip((values - np.float32(limit - 0.02)) * 50, 0, 1)
    return soft
