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
    """Return uint8 RGB pixels (height, width, 3) under a curve of their `tone`, all channels of a pixel scaled alike.

    The result alone has the size of the photo: it is computed in blocks of rows.
    """
    table = _table(curve).ravel()
    found = np.empty_like(pixels)
    for top in range(0, len(pixels), _ROWS):
        block = pixels[top : top + _ROWS]
        place = tone(block, curve).astype(np.uint16) << 8
        np.take(table, place[..., None] | block, out=found[top : top + _ROWS], mode="clip")
    return found


def luma(pixels: Pixels) -> Pixels:
    """Return the luma of uint8 RGB pixels (..., 3): uint8 (...)."""
    red, green, blue = (pixels[..., channel].astype(np.uint16) * np.uint16(_LUMA[channel]) for channel in range(3))
    found: Pixels = ((red + green + blue + 128) >> 8).astype(np.uint8)
    return found


def tone(pixels: Pixels, curve: ToneCurve) -> Pixels:
    """Return the level of uint8 RGB pixels (..., 3) that a curve goes by: uint8 (...), 255 for white.

    A lift goes by the brightest channel, so that it clips none that was not; on the scenes of the calibration it comes
    1 dB nearer than by the luma. Another curve goes by the luma: where one channel alone is clipped, it darkens with
    its neighbours.
    """
    if curve.stops <= 0:
        return luma(pixels)
    return np.maximum(np.maximum(pixels[..., 0], pixels[..., 1]), pixels[..., 2])


def _table(curve: ToneCurve) -> Pixels:
    """Return the new level of a channel for each tone and old level: uint8 (256, 256)."""
    light = to_linear(np.arange(256) / 255)
    factor = np.divide(curve.of_light(light), light, out=np.full(256, 2.0**curve.stops), where=light > 0)
    found: Pixels = np.rint(255 * to_srgb(np.minimum(light[None] * factor[:, None], 1.0))).astype(np.uint8)
    return found
