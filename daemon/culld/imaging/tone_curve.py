"""A tone curve of two numbers that changes the exposure of a photo and keeps black, white and the hues.

It takes linear light x (0..1) to g x / (1 + (g^p - 1) x^p)^(1/p), with the gain g = 2^stops and the shoulder p. The
slope at black is g, that at white g^-p: nothing above white is invented, and nothing is clipped that was not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]
    Levels = NDArray[np.float64]

_ROWS: Final = 64
"""Rows that are computed at a time: 64 of 6,000 px need 3 MB."""
_LUMA: Final = (54, 183, 19)
"""The weights of Rec. 709 in 256ths."""
_CLIPPED: Final = 250
"""From this luma on a pixel moves towards its old value, which white keeps: no cast where a channel is clipped."""


@dataclass(frozen=True, slots=True)
class ToneCurve:
    """The gain of dark tones in `stops` (EV), and the `shoulder` (above 0): how far up a photo keeps that gain."""

    stops: float
    shoulder: float = 1.5

    def __post_init__(self) -> None:
        """Raise ValueError for a shoulder that is not above 0."""
        if not self.shoulder > 0:
            raise ValueError(f"shoulder: {self.shoulder} is not above 0")

    def of_light(self, linear: Levels) -> Levels:
        """Return linear light 0..1 under the curve, of the same shape."""
        gain = 2.0**self.stops
        bent: Levels = gain * linear / (1 + (gain**self.shoulder - 1) * linear**self.shoulder) ** (1 / self.shoulder)
        return bent

    def levels(self) -> Levels:
        """Return the sRGB level 0..255 to which each of the 256 grey levels goes; increasing, 0 and 255 stay."""
        found: Levels = 255 * to_srgb(self.of_light(to_linear(np.arange(256) / 255)))
        return found

    def is_neutral(self) -> bool:
        """Return whether no grey level moves by half a level or more."""
        return bool(np.abs(self.levels() - np.arange(256)).max() < 0.5)


def to_linear(srgb: Levels) -> Levels:
    """Return linear light for sRGB values 0..1 (IEC 61966-2-1)."""
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def to_srgb(linear: Levels) -> Levels:
    """Return sRGB values for linear light 0..1 (IEC 61966-2-1)."""
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * np.maximum(linear, 0.003) ** (1 / 2.4) - 0.055)


def apply(pixels: Pixels, curve: ToneCurve) -> Pixels:
    """Return uint8 RGB pixels (height, width, 3) under a curve of their luma; every channel is scaled alike.

    The result alone has the size of the photo: it is computed in blocks of rows.
    """
    table = _table(curve).ravel()
    found = np.empty_like(pixels)
    for top in range(0, len(pixels), _ROWS):
        block = pixels[top : top + _ROWS]
        place = luma(block).astype(np.uint16) << 8
        np.take(table, place[..., None] | block, out=found[top : top + _ROWS], mode="clip")
    return found


def luma(pixels: Pixels) -> Pixels:
    """Return the luma of uint8 RGB pixels (..., 3): uint8 (...), 255 for white alone."""
    red, green, blue = (pixels[..., channel].astype(np.uint16) * np.uint16(_LUMA[channel]) for channel in range(3))
    return ((red + green + blue) >> 8).astype(np.uint8)


def _table(curve: ToneCurve) -> Pixels:
    """Return the new level of a channel for each luma and old level: uint8 (256, 256)."""
    lumas, old = np.arange(256.0)[:, None], np.arange(256.0)[None]
    factor = curve.levels()[:, None] / np.maximum(lumas, 1)
    factor[0] = factor[1]
    scaled = old * factor
    return np.rint(np.clip(scaled, 0, 255)).astype(np.uint8)
