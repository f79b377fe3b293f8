"""Panoramas: each shot overlaps the one before, in any direction, at one setting; pure."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from culld.records import DHash
from culld.stages.group.brackets import light_ev
from culld.stages.group.scene import is_one_setup
from culld.stages.group.timing import gap_s

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from culld.records import Assessment

_GAP_S: Final = 15.0
_WANDER_EV: Final = 1.5  # the automatic exposure, from one end of the view to the other
_MIN_SHOTS: Final = 3
# Strengths of the best overlap, measured by `tests/bench/series` on one half of its scenes.
_WEAK: Final = 4.0  # 95 of 100 neighbours of panoramas have more, and 22 of 100 unrelated photos
_STRONG: Final = 5.0  # 88 and 5 of 100
_CERTAIN: Final = 7.0  # 78 and 0.3 of 100
_SHIFTS: Final = range(2, DHash.SIDE * 3 // 4)
_SKEWS: Final = (-1, 0, 1)


def panoramas(run: Sequence[Assessment]) -> Iterator[list[Assessment]]:
    """Yield the panoramas in a run, which is in the order of time: three shots or more, each overlapping the next.

    Two overlaps must be strong, or one certain; the others may be weak. A shot at either end that follows in time, at
    the same settings, belongs to it as well: sky or water has no gradients to compare.
    """
    strengths = [_strength(one, other) for one, other in pairwise(run)]
    start = 0
    for place in range(len(run)):
        if place == len(strengths) or strengths[place] < _WEAK:
            if place + 1 - start >= _MIN_SHOTS and _is_enough(strengths[start:place]):
                first = start - (start > 0 and _may_turn(run[start - 1], run[start]))
                last = place + (place + 1 < len(run) and _may_turn(run[place], run[place + 1]))
                yield list(run[first : last + 1])
            start = place + 1


def _is_enough(strengths: Sequence[float]) -> bool:
    return sum(strength >= _STRONG for strength in strengths) > 1 or max(strengths) >= _CERTAIN


def _strength(one: Assessment, other: Assessment) -> float:
    """Return the strength of the overlap of two shots; 0 if their settings or the time between them forbid it."""
    if one.dhash is None or other.dhash is None or not _may_turn(one, other):
        return 0.0
    return _overlap(one.dhash, other.dhash)


def _may_turn(one: Assessment, other: Assessment) -> bool:
    """Return whether the settings of two shots and the time between them allow a panorama."""
    first, second = (light_ev(shot.photo.camera.exposure) for shot in (one, other))
    if first is None or second is None or abs(first - second) > _WANDER_EV:
        return False
    return is_one_setup(one, other) and gap_s(one, other) <= _GAP_S


def _overlap(one: DHash, other: DHash) -> float:
    """Return the strength of the best overlap of two hashes that is moved by at least two bits.

    It is the number of standard deviations by which more bits agree than by chance; 0 if the hashes agree better
    without a move.
    """
    unmoved = one.distance(other)
    best = 0.0
    for right, down in _moves():
        distance = one.distance(other, right, down)
        if distance < unmoved:
            bits = 2 * (DHash.SIDE - abs(right)) * (DHash.SIDE - abs(down))
            best = max(best, (1 - 2 * distance) * math.sqrt(bits))
    return best


def _moves() -> Iterator[tuple[int, int]]:
    for shift in _SHIFTS:
        for skew in _SKEWS:
            yield from ((shift, skew), (-shift, skew), (skew, shift), (skew, -shift))
