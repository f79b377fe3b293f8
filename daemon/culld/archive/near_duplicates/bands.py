"""Pairs of like difference hashes among millions: banded locality-sensitive hashing, then an exact check; numpy only.

Two photos are compared if they agree in all bits of one band at least. Bands are drawn from the middle of the hash: a
crop by 3 % at each side moves its middle by less than a quarter of a bit, and its border by half a bit. The figures are
those of `tests/bench/archive_duplicates.py` on its calibration split.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from culld.archive.parquet.schema import HASH_BYTES
from culld.records import DHash

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Hashes = NDArray[np.uint8]
    """Hashes as in the column `dhash`: (count, HASH_BYTES)."""
    Places = NDArray[np.int64]
    Fits = Callable[[Places, Places], NDArray[np.bool_]]
    """Returns whether the two photos of each pair are alike, by all that is known of them."""

_SIDE: Final = DHash.SIDE
_MARGIN: Final = 3
"""So many bits at each border are in no band."""
_BANDS: Final = 64
_BITS: Final = (10, 20)
"""The fewest and the most bits of a band. With 16, for 1,000,000 photos, 99 of 100 cropped photos meet their source."""
_ORDER_BITS: Final = 32
"""The bits of the key by which photos are sorted: those of a band, then others, so that like hashes are neighbours."""
_WINDOW: Final = 64
"""Each photo is compared with so many that follow it in its bucket, however large the bucket is."""
_MOST_PAIRS: Final = 32
"""For a photo with so many like ones no more are searched."""
_SKETCH: Final = 18
"""So many of 64 bits of the middle may differ before the whole hash is compared; 32 do in unrelated photos."""
_CHUNK: Final = 1 << 18


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Pairs of rows, each once, with `first` < `second`; sorted by both."""

    first: Places
    second: Places


def near_pairs(hashes: Hashes, fits: Fits) -> Pairs:
    """Return the pairs of photos for which `fits` holds, among those that agree in a band.

    Time and memory are linear in the number of photos for bands of log2(photos) - 4 bits, in any distribution.
    """
    count = len(hashes)
    draw = np.random.default_rng(0)
    middle = _middle()
    sketches = _bits_at(hashes, draw.choice(middle, 64, replace=False))
    found, degrees = np.zeros(0, np.int64), np.zeros(count, np.int64)

    for _ in range(_BANDS if count > 1 else 0):
        keys = _bits_at(hashes, draw.choice(middle, _ORDER_BITS, replace=False)).astype(np.uint32)
        parts = [np.zeros(0, np.int64)]
        order = np.flatnonzero(degrees < _MOST_PAIRS)
        order = order[np.argsort(keys[order])]
        bucket = keys[order] >> np.uint32(_ORDER_BITS - band_bits(count))
        for first, second in _in_buckets(bucket, sketches[order]):
            one, other = order[first], order[second]
            near = fits(one, other)
            parts.append(np.minimum(one, other)[near] * count + np.maximum(one, other)[near])
        found = _distinct(np.concatenate([found, np.sort(np.concatenate(parts))]))
        degrees = np.bincount(np.concatenate(np.divmod(found, count)), minlength=count)
    return Pairs(*np.divmod(found, max(count, 1)))


def band_bits(count: int) -> int:
    """Return the bits of a band for so many photos: a bucket holds about 16 photos if all hashes are equally likely."""
    fewest, most = _BITS
    return min(max(math.ceil(math.log2(max(count, 2))) - 4, fewest), most)


def differing(hashes: Hashes, one: Places, other: Places) -> NDArray[np.int64]:
    """Return how many of the 512 bits differ in each pair."""
    words = np.ascontiguousarray(hashes).view(np.uint64)
    result = np.zeros(len(one), np.int64)
    for start in range(0, len(one), _CHUNK):
        part = slice(start, start + _CHUNK)
        result[part] = np.bitwise_count(words[one[part]] ^ words[other[part]]).sum(axis=1)
    return result


def detail(hashes: Hashes) -> NDArray[np.int64]:
    """Return how many neighbouring bits of each hash differ, 0..960: few in photos of a plain area, which look alike.

    Both halves of the hash are counted, to the right and downwards.
    """
    result = np.zeros(len(hashes), np.int64)
    for start in range(0, len(hashes), _CHUNK // 8):
        bits = _unpacked(hashes[start : start + _CHUNK // 8])
        right, down = bits[:, :, :, 1:] ^ bits[:, :, :, :-1], bits[:, :, 1:] ^ bits[:, :, :-1]
        result[start : start + len(bits)] = right.sum((1, 2, 3)) + down.sum((1, 2, 3))
    return result


def turned(hashes: Hashes) -> Hashes:
    """Return the hashes of the photos after a quarter turn clockwise: that of a portrait is made of it lying.

    Going up becomes going to the right, and so a bit its complement; where two greys are equal it may be wrong. A hash
    has no gradients of the last row of its 17 x 17 greys: those of the row above stand for them.
    """
    result = np.empty_like(hashes)
    for start in range(0, len(hashes), _CHUNK // 8):
        bits = _unpacked(hashes[start : start + _CHUNK // 8])
        rows, columns = np.concatenate([bits[:, 0, 1:], bits[:, 0, -1:]], axis=1), bits[:, 1]
        both = np.stack([1 - np.rot90(columns, -1, (1, 2)), np.rot90(rows, -1, (1, 2))], axis=1)
        result[start : start + len(bits)] = np.packbits(both.reshape(-1, 8 * HASH_BYTES), axis=1)
    return result


def _in_buckets(bucket: NDArray[np.uint32], sketches: NDArray[np.uint64]) -> Iterator[tuple[Places, Places]]:
    """Yield the positions of pairs in one bucket with like sketches, at most `_WINDOW` apart, in chunks."""
    at = np.arange(len(bucket))
    for step in range(1, _WINDOW + 1):
        at = at[at + step < len(bucket)]
        at = at[bucket[at] == bucket[at + step]]
        near = at[np.bitwise_count(sketches[at] ^ sketches[at + step]) <= _SKETCH]
        for start in range(0, len(near), _CHUNK):
            part = near[start : start + _CHUNK]
            yield part, part + step


def _distinct(numbers: Places) -> Places:
    """Return numbers, each once, in order; the hash table of `np.unique` is slow for those of many pairs."""
    ordered = np.sort(numbers, kind="stable")  # which merges two parts that are in order
    return ordered[np.concatenate([[True], ordered[1:] != ordered[:-1]])] if len(ordered) else ordered


def _bits_at(hashes: Hashes, places: Places) -> NDArray[np.uint64]:
    """Return the bits of each hash at these places as one number, the first bit as its highest."""
    result = np.zeros(len(hashes), np.uint64)
    for place in places:
        result <<= np.uint64(1)
        result |= (hashes[:, place // 8] >> np.uint8(7 - place % 8)) & np.uint8(1)
    return result


def _middle() -> Places:
    """Return the places of the bits that are not near the border, of both halves."""
    places = np.arange(8 * HASH_BYTES).reshape(2, _SIDE, _SIDE)
    return places[:, _MARGIN:-_MARGIN, _MARGIN:-_MARGIN].ravel()


def _unpacked(hashes: Hashes) -> NDArray[np.uint8]:
    """Return the bits (count, 2, SIDE, SIDE): whether the photo gets brighter to the right, and downwards."""
    return np.unpackbits(np.ascontiguousarray(hashes), axis=1).reshape(-1, 2, _SIDE, _SIDE)
