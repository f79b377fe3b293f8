"""Distances of difference hashes for many pairs of photos at once; the same numbers as those of `records.DHash`."""

from __future__ import annotations

import math
from itertools import groupby, product
from typing import TYPE_CHECKING, Final

import numpy as np

from culld.archive.parquet.schema import HASH_BYTES
from culld.records import DHash

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    Words = npt.NDArray[np.uint64]
    """Hashes as (2, 4, photos) numbers: bit 16 y + x of the four of a half is the gradient at column x of row y."""
    Numbers = npt.NDArray[np.float64]

_SIDE: Final = DHash.SIDE
_ROW: Final = 16
_WORD: Final = 64
_MOVES: Final = tuple((right, down) for right, down in product((-1, 0, 1), repeat=2) if right or down)
_SLICE: Final = 1 << 12


def words_of(hashes: npt.NDArray[np.uint8]) -> Words:
    """Return the hashes of rows, (photos, 64) bytes, as words."""
    halves = np.ascontiguousarray(hashes.reshape(-1, 2, HASH_BYTES // 2)[:, :, ::-1])
    return np.ascontiguousarray(halves.view("<u8").astype(np.uint64).transpose(1, 2, 0))


def distances(one: Words, other: Words, right: int = 0, down: int = 0) -> Numbers:
    """Return the share of bits that differ where both photos of each pair overlap, as `DHash.distance`."""
    return _shares(_raised(one, max(0, -down), down), _raised(other, max(0, down), down), right, down)


def _shares(one: Words, other: Words, right: int, down: int) -> Numbers:
    """Return the distances of pairs that are moved down already."""
    width = _SIDE - abs(right)
    lane = sum(((1 << width) - 1) << start for start in range(0, _WORD, _ROW))
    mine, its = np.uint64(max(0, -right)), np.uint64(max(0, right))
    differing = np.bitwise_count(((one >> mine) ^ (other >> its)) & np.uint64(lane))
    total = differing.reshape(-1, differing.shape[-1]).sum(axis=0, dtype=np.uint16)
    return np.asarray(total / (2 * width * (_SIDE - abs(down))))


def _raised(words: Words, rows: int, down: int) -> Words:
    """Return hashes without their first rows, and with as many rows as overlap after a move down."""
    offset, bits = divmod(rows * _ROW, _WORD)
    found = np.zeros_like(words)
    found[:, : 4 - offset] = words[:, offset:] >> np.uint64(bits)
    if bits:
        found[:, : 3 - offset] |= words[:, offset + 1 :] << np.uint64(_WORD - bits)
    height = (_SIDE - abs(down)) * _ROW
    for at in range(4):
        inside = min(max(height - at * _WORD, 0), _WORD)
        found[:, at] &= np.uint64((1 << inside) - 1)
    return found


def are_near(one: Words, other: Words, limit: float, moved_limit: float) -> npt.NDArray[np.bool_]:
    """Return which pairs have at most a distance, or another one after a move by one bit at most."""
    found = np.zeros(one.shape[-1], bool)
    for rows in _slices(one.shape[-1]):
        first, second = one[..., rows], other[..., rows]
        found[rows] = distances(first, second) <= max(limit, moved_limit)
        for _, moved in _moved(first, second, _MOVES):
            found[rows] |= moved <= moved_limit
    return found


def overlaps(one: Words, other: Words, moves: tuple[tuple[int, int], ...]) -> Numbers:
    """Return the strength of the best overlap of each pair after one of some moves, as for panoramas."""
    best = np.zeros(one.shape[-1])
    for rows in _slices(one.shape[-1]):
        first, second = one[..., rows], other[..., rows]
        unmoved = distances(first, second)
        for (right, down), moved in _moved(first, second, moves):
            bits = 2 * (_SIDE - abs(right)) * (_SIDE - abs(down))
            strength = np.where(moved < unmoved, (1 - 2 * moved) * math.sqrt(bits), 0.0)
            best[rows] = np.maximum(best[rows], strength)
    return best


def _moved(one: Words, other: Words, moves: tuple[tuple[int, int], ...]) -> Iterator[tuple[tuple[int, int], Numbers]]:
    """Yield moves, each with the distances after it."""
    for down, group in groupby(sorted(moves, key=_down), key=_down):
        upper, lower = _raised(one, max(0, -down), down), _raised(other, max(0, down), down)
        for move in group:
            yield move, _shares(upper, lower, move[0], down)


def _down(move: tuple[int, int]) -> int:
    return move[1]


def _slices(count: int) -> Iterator[slice]:
    """Yield slices of pairs whose numbers fit into the cache of a processor."""
    for start in range(0, count, _SLICE):
        yield slice(start, start + _SLICE)
