"""How unsteady a clip was held: the path of the camera by phase correlation, and its deviation from a smooth one.

The displacement of two frames is the peak of their phase correlation (Kuglin and Hines, 1975), for which NumPy's FFT is
enough. A pan is a smooth path and no shake, so the shake at a moment is what a parabola cannot explain within a second.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]
    Spectrum = NDArray[np.complex64]

WINDOW_S: Final = 1.0
"""The length of the path that is compared with a parabola: the start of a pan fits one, the tremor of hands (4-12 Hz)
and steps (2 Hz) do not."""
_FEWEST: Final = 6  # positions in a window, of which a parabola takes three
_CERTAIN: Final = 0.12
_FARTHEST: Final = 0.15  # of the diagonal from frame to frame: more is a cut within a scene, or cannot be followed
_LEAST_CONTRAST: Final = 3.0  # levels: less is noise, and has no displacement
_SOFTNESS: Final = 0.18  # of the sampling rate: the noise of pixels is above, and the peak gets a known shape


@dataclass(frozen=True, slots=True)
class Position:
    """Where the camera pointed `at` this second, in shares of the diagonal since the start of its piece.

    A new `piece` starts where the displacement is not known: at a cut, without texture, or by too fast a movement.
    """

    at: float
    right: float
    down: float
    piece: int


def spectrum(small: Pixels) -> Spectrum | None:
    """Return the spectrum of a reduced luma, uint8 (height, width); None if the picture has too little contrast."""
    centred = small.astype(np.float32) - np.float32(small.mean())
    if float(centred.std()) < _LEAST_CONTRAST:
        return None
    return np.asarray(np.fft.rfft2(centred * _taper(*small.shape)), np.complex64)


def displacement(before: Spectrum, after: Spectrum, shape: tuple[int, int]) -> tuple[float, float] | None:
    """Return by how many pixels (right, down) the picture moved between two spectra of this (height, width).

    None if no displacement up to 0.15 of the diagonal explains the two pictures: the height of the peak is below 0.12
    of that of equal pictures.
    """
    cross = after * np.conj(before)
    weights = _softening(*shape)
    surface = np.fft.irfft2(cross / (np.abs(cross) + 1e-6) * weights, s=shape)
    row, column = np.unravel_index(int(surface.argmax()), shape)
    if surface[row, column] < _CERTAIN * float(np.fft.irfft2(weights, s=shape)[0, 0]):
        return None
    down = _refined(surface[:, column], int(row))
    right = _refined(surface[row], int(column))
    moved = _signed(right, shape[1]), _signed(down, shape[0])
    return moved if math.hypot(*moved) <= _FARTHEST * math.hypot(*shape) else None


def next_position(last: Position, moved: tuple[float, float] | None, at: float, diagonal: float) -> Position:
    """Return the position after a displacement in pixels of a frame with this diagonal; None starts a new piece."""
    if moved is None:
        return Position(at, 0.0, 0.0, last.piece + 1)
    return Position(at, last.right + moved[0] / diagonal, last.down + moved[1] / diagonal, last.piece)


def shake_at(path: Sequence[Position], times: NDArray[np.float64], at: float) -> float | None:
    """Return the shake of the second around `at`, in shares of the diagonal; None if the path is not known there.

    It is the root mean square of the distances between the path and the parabola in time that fits it best. `times` are
    those of the path, in order.
    """
    first, end = np.searchsorted(times, (at - WINDOW_S / 2 - 1e-6, at + WINDOW_S / 2 + 1e-6))
    here = path[first:end]
    if not here:
        return None
    piece = min(here, key=lambda each: abs(each.at - at)).piece
    held = [each for each in here if each.piece == piece]
    if len(held) < _FEWEST:
        return None
    time = np.array([each.at - at for each in held])
    points = np.array([(each.right, each.down) for each in held])
    basis = np.stack([np.ones_like(time), time, time**2], axis=1)
    rest = points - basis @ np.linalg.lstsq(basis, points, rcond=None)[0]
    return float(np.sqrt((rest**2).sum(axis=1).mean()))


def _refined(line: NDArray[np.float64], peak: int) -> float:
    """Return the place of a peak between samples: a parabola through its logarithm, which is exact for a Gaussian."""
    low, top, high = (np.log(max(float(line[(peak + step) % len(line)]), 1e-9)) for step in (-1, 0, 1))
    bend = low - 2 * top + high
    return peak if bend >= 0 else peak + float(np.clip(0.5 * (low - high) / bend, -0.5, 0.5))


def _signed(place: float, length: int) -> float:
    return place - length if place > length / 2 else place


@functools.cache
def _taper(height: int, width: int) -> NDArray[np.float32]:
    return np.outer(np.hanning(height), np.hanning(width)).astype(np.float32)


@functools.cache
def _softening(height: int, width: int) -> NDArray[np.float32]:
    rows, columns = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)
    weights: NDArray[np.float32] = np.exp(-(rows**2 + columns**2) / (2 * _SOFTNESS**2)).astype(np.float32)
    return weights
