"""How much better repaired pictures are than compressed ones: noise ratio, structure, and visible blocks.

Every figure is a mean over photos with its 95 % interval, by bootstrap over photos.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from culld.training.restoration.degrade import decoded, jpeg_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]
    Plane = NDArray[np.float64]
    Single = NDArray[np.float32]
    Repair = Callable[[Pixels], Pixels]

_BLOCK: Final = 8
_SHIFT: Final = (3, 5)
"""Rows and columns that are cut off before each compression, so that their grids differ."""
_LUMA = np.array([0.299, 0.587, 0.114])
_TAPS = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)
_DRAWS: Final = 2000


@dataclass(frozen=True, slots=True)
class Case:
    """How a photo is compressed: once for each quality, with another grid each time; not at all without qualities.

    The first grid is not that of the photo either: a photo that is a JPEG file would change nearly nothing on it.
    """

    name: str
    qualities: tuple[int, ...]
    full_colour: bool = False
    grey: bool = False

    def file(self, photo: Pixels) -> tuple[bytes | None, Pixels]:
        """Return the JPEG file of a photo, or None without qualities, and its original, uint8 RGB of the same size."""
        original = np.repeat(np.rint(photo @ _LUMA).astype(np.uint8)[..., None], 3, axis=2) if self.grey else photo
        data = None
        for quality in self.qualities:
            both = (original if data is None else decoded(data), original)
            spoilt, original = (np.ascontiguousarray(each[_SHIFT[0] :, _SHIFT[1] :]) for each in both)
            data = jpeg_file(spoilt, quality, full_colour=self.full_colour)
        return data, original

    def pair(self, photo: Pixels) -> tuple[Pixels, Pixels]:
        """Return the compressed photo and its original, uint8 RGB of the same size."""
        data, original = self.file(photo)
        return original if data is None else decoded(data), original


CASES: Final = (
    *(Case(f"q{quality}", (quality,)) for quality in (5, 10, 20, 30, 40, 50, 70, 90)),
    Case("q50 then q10, shifted", (50, 10)),
    Case("q10, 4:4:4", (10,), full_colour=True),
    Case("q30, 4:4:4", (30,), full_colour=True),
    Case("q10, grey", (10,), grey=True),
    Case("q30, grey", (30,), grey=True),
    Case("never degraded", ()),
)


@dataclass(frozen=True, slots=True)
class Figure:
    """A mean, and the ends of its 95 % interval."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:.3f} ({self.low:.3f} to {self.high:.3f})"


def scores(pixels: Pixels, original: Pixels) -> dict[str, float]:
    """Return `psnr` (RGB, dB), `ssim` (the mean of the channels) and `psnrb` (dB) of a picture beside its original.

    The first is at most 100 dB, which is that of equal pictures; so is the last one.
    """
    error = float(np.mean(np.square(pixels.astype(np.float64) - original)))
    return {
        "psnr": _decibels(error),
        "ssim": ssim(pixels, original),
        "psnrb": _decibels(error + blocking_effect(pixels @ _LUMA)),
    }


def measure(
    photos: Iterable[Pixels], repair: Repair, cases: Sequence[Case] = CASES, progress: Callable[[int], object] = id
) -> dict[str, dict[str, Figure]]:
    """Return for each case the figures of compressed pictures (`jpeg psnr` ...), repaired ones and the gain.

    The names are `jpeg`, `repaired` and `gain`, each with `psnr`, `ssim` and `psnrb`. `progress` gets the number of
    photos done.
    """
    found: dict[str, list[dict[str, float]]] = {case.name: [] for case in cases}
    for number, photo in enumerate(photos):
        for case in cases:
            found[case.name].append(row(*case.pair(photo), repair))
        progress(number + 1)
    return {name: summary(rows) for name, rows in found.items()}


def row(spoilt: Pixels, original: Pixels, repair: Repair) -> dict[str, float]:
    """Return the scores of one picture before and after a repair, and their differences."""
    before, after = scores(spoilt, original), scores(repair(spoilt), original)
    gains = {name: after[name] - before[name] for name in before}
    sides: Mapping[str, Mapping[str, float]] = {"jpeg": before, "repaired": after, "gain": gains}
    return {f"{side} {name}": value for side, values in sides.items() for name, value in values.items()}


def summary(rows: Sequence[Mapping[str, float]]) -> dict[str, Figure]:
    """Return the mean of each name over rows, one for each photo, with its interval."""
    return {name: figure([row[name] for row in rows]) for name in rows[0]} if rows else {}


def figure(values: Sequence[float]) -> Figure:
    """Return the mean of values, at least one, and its 95 % interval: bootstrap with 2,000 draws, always the same."""
    given = np.asarray(values)
    draws = np.random.default_rng(0).integers(0, len(given), (_DRAWS, len(given)))
    low, high = np.quantile(given[draws].mean(axis=1), (0.025, 0.975))
    return Figure(float(given.mean()), float(low), float(high))


def ssim(one: Pixels, other: Pixels) -> float:
    """Return the structural similarity of two pictures, at least 11x11, as the mean of their channels.

    Wang et al. 2004: a Gaussian window of 11 px with sigma 1.5, on the pixels where it lies inside the picture.
    """
    return float(np.mean([_ssim(one[..., channel], other[..., channel]) for channel in range(one.shape[-1])]))


def blocking_effect(luma: Plane) -> float:
    """Return the blocking effect factor of a grey picture 0..255, as a mean squared error (Yim and Bovik 2011).

    It is 0 where steps across the borders of blocks are no larger than others. FBCNN counts it in the same way.
    """
    height, width = luma.shape
    across, down = np.square(np.diff(luma, axis=1)), np.square(np.diff(luma, axis=0))
    borders = float(across[:, _BLOCK - 1 :: _BLOCK].sum() + down[_BLOCK - 1 :: _BLOCK].sum())
    count = height * ((width - 1) // _BLOCK) + width * ((height - 1) // _BLOCK)
    if not count:
        return 0.0
    others = float(across.sum() + down.sum()) - borders
    excess = borders / count - others / max(across.size + down.size - count, 1)
    return max(0.0, excess) * math.log2(_BLOCK) / math.log2(min(height, width)) if min(height, width) > 1 else 0.0


def _decibels(error: float) -> float:
    return min(100.0, 10 * math.log10(255**2 / max(error, 1e-9)))


def _ssim(one: Pixels, other: Pixels) -> float:
    first, second = one.astype(np.float32), other.astype(np.float32)
    mean, mean_other = _windowed(first), _windowed(second)
    spread, spread_other = _windowed(first * first) - mean**2, _windowed(second * second) - mean_other**2
    shared = _windowed(first * second) - mean * mean_other
    small, large = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    alike = (2 * mean * mean_other + small) * (2 * shared + large)
    return float((alike / ((mean**2 + mean_other**2 + small) * (spread + spread_other + large))).mean())


def _windowed(plane: Single) -> Single:
    """Return the weighted mean of each window that lies inside."""
    size = len(_TAPS)
    height, width = (length - size + 1 for length in plane.shape)
    taps = (_TAPS / _TAPS.sum()).astype(np.float32)
    none = np.zeros(1, np.float32)
    tall = sum((plane[at : at + height] * tap for at, tap in enumerate(taps)), none)
    return sum((tall[:, at : at + width] * tap for at, tap in enumerate(taps)), none)
