"""The light of two aligned frames: by how much one is brighter, in which colours, and the tone curve between them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Frame = NDArray[np.uint8]
    Plane = NDArray[np.float32]

DARKEST: Final = 6
"""Levels below it are too coarse to tell the light by."""
CLIPPED: Final = 250
"""Levels from it on may stand for more light than the file holds."""
_CELL: Final = 16  # px: means over cells of this side do not depend on focus or on a shift of 1 px
_MOST_CURVE: Final = 0.35  # the exponent of the curve between two frames is 1 within this
_ROUNDS: Final = 8
_LEAST_SPREAD: Final = 0.03  # in powers of two: cells closer than this to the curve all count in full
_LEAST_CELLS: Final = 12
_USABLE: Final = 0.8  # of the pixels of a cell that counts
_MOST_UNEVEN: Final = 1.0  # in powers of two
_RIDGE: Final = 1e-3  # keeps the surface flat where no cell holds it
_LUMINANCE: Final = np.array([0.2126, 0.7152, 0.0722], np.float32)  # of linear light, ITU-R BT.709


@dataclass(frozen=True, slots=True)
class Light:
    """How the light of the second frame follows from that of the first one, by channel.

    log2(second) = `offset` + `exponent` * log2(first), in linear light 0..1. `exposure_ev` is the change of luminance
    in EV where both frames hold it, positive if the second frame is brighter; NaN if no part of them can be compared.
    """

    offset: tuple[float, float, float]
    exponent: tuple[float, float, float]
    exposure_ev: float

    @property
    def inverse(self) -> Light:
        """The same from the second frame to the first one."""
        offset = tuple(-a / b for a, b in zip(self.offset, self.exponent, strict=True))
        exponent = tuple(1 / b for b in self.exponent)
        return Light((offset[0], offset[1], offset[2]), (exponent[0], exponent[1], exponent[2]), -self.exposure_ev)

    def table(self) -> Plane:
        """Return the linear light 0..1 in the second frame of each level of the first one: float32 (256, 3)."""
        logarithm = np.log2(np.maximum(LINEAR, LINEAR[1] / 2))[:, None]
        light = np.exp2(np.array(self.offset, np.float32) + np.array(self.exponent, np.float32) * logarithm)
        return np.asarray(np.minimum(light, 1), np.float32)


def _linear() -> Plane:
    """Return the linear light 0..1 of the levels of sRGB (IEC 61966-2-1)."""
    level = np.arange(256) / 255
    return np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4).astype(np.float32)


LINEAR: Final = _linear()
"""The linear light of each level, float32 (256,)."""


def match_light(first: Frame, second: Frame, valid: NDArray[np.bool_] | None = None) -> Light:
    """Return the light between two aligned uint8 RGB frames (height, width, 3); `valid` marks the shared pixels.

    Cells with clipped or very dark pixels are left out. A part of the scene with other content hardly moves the answer:
    the curve is fitted again with less weight for the cells that are far from it.
    """
    usable = usable_light(first) & usable_light(second)
    if valid is not None:
        usable &= valid
    share, (one, other) = _cells(usable, first, second)
    whole = share > _USABLE
    if whole.sum() < _LEAST_CELLS:
        return Light((0.0,) * 3, (1.0,) * 3, math.nan)
    x, y = np.log2(one[whole]), np.log2(other[whole])
    fits = [_fit(x[:, channel], y[:, channel]) for channel in range(3)]
    ev = np.log2(other[whole] @ _LUMINANCE) - np.log2(one[whole] @ _LUMINANCE)
    offsets, exponents = zip(*fits, strict=True)
    return Light((offsets[0], offsets[1], offsets[2]), (exponents[0], exponents[1], exponents[2]), _mode(ev))


def evened(one: Plane, other: Plane, usable: NDArray[np.bool_]) -> Plane:
    """Return the first one of two frames of linear light (height, width, 3) with the slow light of the second one.

    Vignettes, flash and clouds change the light over a frame. A surface of the second degree, fitted as the curve of
    `match_light`, follows them, by `_MOST_UNEVEN` at most; it does not follow an object. `usable` marks the pixels that
    are neither clipped nor very dark in either frame.
    """
    import cv2

    rows, columns = max(1, one.shape[0] // _CELL), max(1, one.shape[1] // _CELL)
    mask = usable.astype(np.float32)

    def mean(values: Plane) -> Plane:
        return np.asarray(cv2.resize(values, (columns, rows), interpolation=cv2.INTER_AREA), np.float32)

    share, light = mean(mask), [np.maximum(mean(each * mask[..., None]), 1e-6) for each in (one, other)]
    whole = share.ravel() > _USABLE
    if whole.sum() < _LEAST_CELLS:
        return one
    terms, away = _surface(rows, columns), np.log2(light[1] / light[0]).reshape(-1, 3)
    fitted = [terms @ _fit_surface(terms[whole], away[whole, channel]) for channel in range(3)]
    field = np.clip(np.stack(fitted, axis=1), -_MOST_UNEVEN, _MOST_UNEVEN).reshape(rows, columns, 3)
    gain = np.exp2(field).astype(np.float32)
    return one * np.asarray(cv2.resize(gain, (one.shape[1], one.shape[0]), interpolation=cv2.INTER_LINEAR), np.float32)


def _surface(rows: int, columns: int) -> Plane:
    """Return the terms of a surface of the second degree in x and in y at each cell: float32 (cells, 9)."""
    y, x = (np.linspace(-1, 1, count, dtype=np.float32) for count in (rows, columns))
    across, down = (np.stack([np.ones_like(t), t, t * t], axis=1) for t in (x, y))
    return np.asarray(np.einsum("ri,cj->rcij", down, across).reshape(rows * columns, 9), np.float32)


def _fit_surface(terms: Plane, values: Plane) -> Plane:
    """Return the coefficients (9,) of the surface through most of the values (cells,)."""
    found = np.zeros(terms.shape[1], np.float32)
    for _ in range(_ROUNDS):
        away = values - terms @ found
        spread = max(_LEAST_SPREAD, 1.5 * float(np.median(np.abs(away))))
        weight = np.square(np.maximum(0, 1 - np.square(away / (3 * spread))))
        weighted = terms * weight[:, None]
        ridge = _RIDGE * len(values) * np.eye(terms.shape[1], dtype=np.float32)
        found = np.asarray(np.linalg.solve(weighted.T @ terms + ridge, weighted.T @ values), np.float32)
    return found


def usable_light(frame: Frame) -> NDArray[np.bool_]:
    """Return which pixels of a frame tell its light: they are neither clipped nor very dark."""
    usable: NDArray[np.bool_] = (frame.min(axis=2) >= DARKEST) & (frame.max(axis=2) < CLIPPED)
    return usable


def _cells(usable: NDArray[np.bool_], *frames: Frame) -> tuple[Plane, list[Plane]]:
    """Return the share of usable pixels of each cell, and of each frame the mean linear light of those pixels."""
    import cv2

    rows, columns = max(1, usable.shape[0] // _CELL), max(1, usable.shape[1] // _CELL)
    tall, wide = rows * _CELL, columns * _CELL

    def mean(values: Plane) -> Plane:
        return np.asarray(cv2.resize(values[:tall, :wide], (columns, rows), interpolation=cv2.INTER_AREA), np.float32)

    mask = usable.astype(np.float32)
    share = mean(mask)
    least = np.maximum(share, 1e-3)[..., None]
    means = [mean(cv2.LUT(frame, LINEAR) * mask[..., None]) / least for frame in frames]
    return share, [np.maximum(each, LINEAR[1]) for each in means]


def _fit(x: Plane, y: Plane) -> tuple[float, float]:
    """Return offset and exponent of the curve through most of the cells."""
    offset, exponent = _mode(y - x), 1.0
    for _ in range(_ROUNDS):
        away = y - offset - exponent * x
        spread = max(_LEAST_SPREAD, 1.5 * float(np.median(np.abs(away))))
        weight = np.square(np.maximum(0, 1 - np.square(away / (3 * spread))))
        total = float(weight.sum()) or 1.0
        mean_x, mean_y = float(weight @ x) / total, float(weight @ y) / total
        variance = float(weight @ np.square(x - mean_x)) / total
        prior = 0.05  # in powers of two squared: the exponent of frames without contrast stays 1
        slope = (float(weight @ ((x - mean_x) * (y - mean_y))) / total + prior) / (variance + prior)
        exponent = min(max(slope, 1 - _MOST_CURVE), 1 + _MOST_CURVE)
        offset = mean_y - exponent * mean_x
    return offset, exponent


def _mode(values: Plane) -> float:
    """Return the middle of the shortest interval that holds half of the values."""
    ordered = np.sort(values)
    half = len(ordered) // 2
    at = int(np.argmin(ordered[half:] - ordered[: len(ordered) - half]))
    return float(np.median(ordered[at : at + half + 1]))
