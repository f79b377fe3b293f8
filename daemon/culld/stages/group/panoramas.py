"""Panoramas: each shot overlaps the one before, in any direction, at one setting; pure."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from culld.records import DHash
from culld.stages.group.brackets import light_ev
from culld.stages.group.scene import is_one_setup, widened
from culld.stages.group.timing import gap_s

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from culld.records import Assessment

LONGEST_TURN_S: Final = 30.0
WANDER_EV: Final = 1.5  # the automatic exposure, from one end of the view to the other
_MIN_SHOTS: Final = 3
_BEYOND: Final = 2
# Strengths of the best overlap and evidence, measured by `tests/bench/series` on one half of its scenes.
NEUTRAL: Final = 5.0  # as often between neighbours of panoramas as between unrelated photos
_LEAST, MOST = -1.5, 3.0
ENOUGH: Final = 2.5  # strength 7.5 once, or 6.25 twice: fewer than 1 of 100 drops of unrelated photos have it
_LOST: Final = 3.5  # two shots without an overlap, such as the two sides of a bare sky, do not end a panorama
_SHIFTS: Final = range(3, DHash.SIDE - 1)  # an overlap of 12 to 81 %; second tries from hand move less
_SKEWS: Final = (-1, 0, 1)


def panoramas(run: Sequence[Assessment]) -> Iterator[list[Assessment]]:
    """Yield the panoramas in a run, which is in the order of time: three shots or more, each overlapping the next.

    The evidence of all overlaps counts together, so that a few weak ones do not end a panorama. Up to two shots at
    either end that follow in time, at its settings, belong to it as well: sky or water has no gradients to compare.
    """
    evidence = [_evidence(one, other) for one, other in pairwise(run)]
    start = 0
    while start < len(evidence):
        end, total = _strongest(evidence, start)
        if total >= ENOUGH:
            first, last = widened(run, (start, end + 1), _extends)
            first, last = max(first, start - _BEYOND), min(last, end + 1 + _BEYOND)
            if last - first >= _MIN_SHOTS:
                yield list(run[first:last])
        start = max(end, start + 1)


def _strongest(evidence: Sequence[float], start: int) -> tuple[int, float]:
    """Return the end of the links from `start` on that have the most evidence together, and that evidence."""
    total = best = 0.0
    end = start
    for place in range(start, len(evidence)):
        total += evidence[place]
        if total > best:
            end, best = place + 1, total
        if total < 0 or total < best - _LOST:
            break
    return end, best


def _evidence(one: Assessment, other: Assessment) -> float:
    """Return how much the overlap of two shots speaks for a panorama, from `_LEAST` to `MOST`.

    It is minus infinity if their settings or the time between them forbid one.
    """
    if one.dhash is None or other.dhash is None or not _may_turn(one, other):
        return -math.inf
    return min(max(_overlap(one.dhash, other.dhash) - NEUTRAL, _LEAST), MOST)


def _may_turn(one: Assessment, other: Assessment) -> bool:
    """Return whether the settings of two shots and the time between them allow a panorama."""
    return _is_one_light(one, other) and gap_s(one, other) <= LONGEST_TURN_S


def _extends(panorama: Sequence[Assessment], shot: Assessment) -> bool:
    """Return whether a shot has the settings of the first or the last shot of a panorama."""
    return any(_is_one_light(end, shot) for end in (panorama[0], panorama[-1]))


def _is_one_light(one: Assessment, other: Assessment) -> bool:
    """Return whether two shots have one setup and nearly one exposure; neither may be known."""
    first, second = (light_ev(shot.photo.camera.exposure) for shot in (one, other))
    if first is None or second is None:
        return first is second and is_one_setup(one, other)
    return abs(first - second) <= WANDER_EV and is_one_setup(one, other)


def _overlap(one: DHash, other: DHash) -> float:
    """Return the strength of the best overlap of two hashes that is moved by at least three bits.

    It is the number of standard deviations by which more bits agree than by chance; 0 if the hashes agree better
    without a move.
    """
    unmoved = one.distance(other)
    best = 0.0
    for right, down in moves():
        distance = one.distance(other, right, down)
        if distance < unmoved:
            bits = 2 * (DHash.SIDE - abs(right)) * (DHash.SIDE - abs(down))
            best = max(best, (1 - 2 * distance) * math.sqrt(bits))
    return best


def moves() -> Iterator[tuple[int, int]]:
    """Yield the moves, in bits to the right and down, after which two shots of a panorama may overlap."""
    for shift in _SHIFTS:
        for skew in _SKEWS:
            yield from ((shift, skew), (-shift, skew), (skew, shift), (skew, -shift))
