"""Photos in the state in which they reach culld, with their originals: what the rule of the gain is fitted on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

from culld.training.dataset import number_of
from culld.training.restoration.degrade import compressed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

SQUARE: Final = 256
"""The side of a pair in px."""
_SEED: Final = 1
_CUT: Final = (3, 5)
_SMALLER: Final = 0.7


class Kind(StrEnum):
    """How a photo was treated before it reached culld."""

    ONCE = "compressed once"
    TWICE = "compressed, then saved again"
    NO_TABLES = "compressed, then saved without loss"
    CLEAN = "never degraded"
    NOISY = "never degraded, with noise"


_SHARES: Final = {Kind.ONCE: 0.4, Kind.TWICE: 0.25, Kind.NO_TABLES: 0.1, Kind.CLEAN: 0.15, Kind.NOISY: 0.1}


@dataclass(frozen=True, slots=True)
class KnownPair:
    """A photo and its original, uint8 RGB (height, width, 3).

    `quality` is that of its tables, None without; `compression` is the lowest quality that it ever had, None if it was
    never compressed.
    """

    kind: Kind
    before: Pixels
    original: Pixels
    quality: int | None
    compression: int | None


def read_photo(path: Path) -> Pixels:
    """Return the pixels of a photo at full size, uint8 RGB (height, width, 3); raises OSError if it cannot be read."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def known_pair(photo: Pixels, name: str, number: int, side: int | None = SQUARE) -> KnownPair:
    """Return a pair of a photo of at least 384x384: a random square, or the whole; always the same for the same name.

    Every other photo is made smaller first, because it is a JPEG file itself: that takes away most of what its own
    compression left. The others are cut, so that their own grid is not that of the next compression, which would then
    change nearly nothing.
    """
    rng = np.random.default_rng(number_of(_SEED, f"known pair {number}", name))
    photo = _smaller(photo) if rng.random() < 0.5 else np.ascontiguousarray(photo[_CUT[0] :, _CUT[1] :])
    kind = list(_SHARES)[int(rng.choice(len(_SHARES), p=list(_SHARES.values())))]
    before, original, quality, compression = _MAKERS[kind](photo, rng)
    if side is not None:
        place = tuple(int(rng.integers(0, length - side + 1)) for length in before.shape[:2])
        cut = tuple(slice(start, start + side) for start in place)
        before, original = np.ascontiguousarray(before[cut]), original[cut]
    return KnownPair(kind, before, original, quality, compression)


def judged(
    pairs: Iterable[KnownPair],
    repair: Callable[[Pixels], Pixels],
    features: Callable[[Pixels, Pixels, int | None], NDArray[np.float64]],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the features of the repair of each pair (n, k), and its true gain in dB (n)."""
    rows, gains = [], []
    for pair in pairs:
        after = repair(pair.before)
        rows.append(features(pair.before, after, pair.quality))
        gains.append(decibels(pair.before, after, pair.original))
    return np.array(rows), np.array(gains)


def decibels(before: Pixels, after: Pixels, original: Pixels) -> float:
    """Return the true gain of a repair in dB of noise ratio; a photo that was never degraded loses about 30."""
    old, new = (float(np.mean(np.square(each.astype(np.float32) - original))) for each in (before, after))
    return float(10 * np.log10((old + 1e-3) / (new + 1e-3)))


if TYPE_CHECKING:
    Made = tuple[Pixels, Pixels, int | None, int | None]


def _smaller(photo: Pixels) -> Pixels:
    size = (round(photo.shape[1] * _SMALLER), round(photo.shape[0] * _SMALLER))
    return np.asarray(Image.fromarray(photo).resize(size, Image.Resampling.LANCZOS))


def _once(photo: Pixels, rng: np.random.Generator) -> Made:
    quality = int(rng.integers(5, 96))
    return compressed(photo, quality, full_colour=bool(rng.random() < 0.3)), photo, quality, quality


def _twice(photo: Pixels, rng: np.random.Generator) -> Made:
    """Cut off up to 7 px between two compressions."""
    spoilt, _, first, _ = _once(photo, rng)
    second = int(rng.integers(60, 99))
    down, across = (int(value) for value in rng.integers(0, 8, 2))
    kept, wanted = (np.ascontiguousarray(each[down:, across:]) for each in (spoilt, photo))
    return compressed(kept, second), wanted, second, min(first or 100, second)


def _no_tables(photo: Pixels, rng: np.random.Generator) -> Made:
    spoilt, wanted, _, compression = _once(photo, rng)
    return spoilt, wanted, None, compression


def _clean(photo: Pixels, rng: np.random.Generator) -> Made:
    return photo, photo, _fine(rng), None


def _noisy(photo: Pixels, rng: np.random.Generator) -> Made:
    """Noise as that of a sensor belongs to the photo: a network that smooths it repairs nothing."""
    noise = rng.normal(0, rng.uniform(2, 15), photo.shape)
    found = np.clip(np.rint(photo + noise), 0, 255).astype(np.uint8)
    return found, found, _fine(rng), None


def _fine(rng: np.random.Generator) -> int | None:
    """Return a quality at which a camera or a program saves, mostly the lower ones, or None."""
    lowest, highest = ((85, 92), (93, 100))[int(rng.random() < 0.3)]
    return int(rng.integers(lowest, highest + 1)) if rng.random() < 0.8 else None


_MAKERS: Final[dict[Kind, Callable[[Pixels, np.random.Generator], Made]]] = {
    Kind.ONCE: _once,
    Kind.TWICE: _twice,
    Kind.NO_TABLES: _no_tables,
    Kind.CLEAN: _clean,
    Kind.NOISY: _noisy,
}
