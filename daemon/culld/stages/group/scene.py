"""Which shots show one scene, by their difference hashes, which exposure, blur and small moves hardly change; pure.

A difference hash holds the signs of the gradients of a photo, so that a change of exposure changes it only where a
part is black or white.
"""

from __future__ import annotations

from itertools import pairwise, product
from typing import TYPE_CHECKING, Final

from culld.stages.group.timing import QUICK_GAP_S, gap_s

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from culld.records import Assessment, DHash

    Span = tuple[int, int]
    Together = Callable[[Assessment, Assessment], bool]

# Shares of differing bits, measured by `tests/bench/series` on one half of its scenes. The least distance over moves by
# one bit: neighbours of brackets from hand 0.31 in 99 of 100 pairs, unrelated photos of one source 0.38 in 99 of 100.
ALIKE: Final = 0.36
_ALIKE_MOVED: Final = 0.34
ALIKE_EXPOSURES: Final = 0.38
_NEAR: Final = 0.44
_MOVES: Final = tuple(move for move in product((-1, 0, 1), repeat=2) if move != (0, 0))
NEIGHBOURS: Final = 3
"""Each shot is compared with so many shots before it: the darkest and the brightest shot may have no bit in common."""


def distance(one: Assessment, other: Assessment) -> float:
    """Return the distance of the difference hashes of two shots, 0..1; 1 if a hash is not known."""
    return 1.0 if one.dhash is None or other.dhash is None else one.dhash.distance(other.dhash)


def moved_distance(one: Assessment, other: Assessment) -> float:
    """Return the least distance, 0..1, over moves of the camera by at most one bit of the hash (6 % of the frame)."""
    first, second = one.dhash, other.dhash
    if first is None or second is None:
        return 1.0
    return min(first.distance(second), *(first.distance(second, right, down) for right, down in _MOVES))


def is_one_scene(one: Assessment, other: Assessment) -> bool:
    """Return whether two shots show one scene."""
    return distance(one, other) <= ALIKE or moved_distance(one, other) <= _ALIKE_MOVED


def may_be_one_scene(one: Assessment, other: Assessment) -> bool:
    """Return whether two neighbours show one scene; those that differ by the exposure time alone may differ more."""
    return is_one_scene(one, other) or (only_time_differs(one, other) and moved_distance(one, other) <= ALIKE_EXPOSURES)


def only_time_differs(one: Assessment, other: Assessment) -> bool:
    """Return whether two shots have one aperture, ISO and focal length, and two known exposure times."""
    mine, its = one.photo.camera, other.photo.camera
    times = {mine.exposure.time_s, its.exposure.time_s}
    return len(times) > 1 and None not in times and is_one_setup(one, other)


def is_one_setup(one: Assessment, other: Assessment) -> bool:
    """Return whether two shots have one aperture, ISO and focal length; the exposure time may differ."""
    mine, its = one.photo.camera, other.photo.camera
    return (mine.exposure.aperture, mine.exposure.iso, mine.focal_mm) == (
        its.exposure.aperture,
        its.exposure.iso,
        its.focal_mm,
    )


def scenes(run: Sequence[Assessment]) -> Iterator[Span]:
    """Yield the spans of a run, which is in the order of time, that show one scene each.

    A shot between two shots of one scene belongs to it if it has the aperture, ISO and focal length of the first.
    """
    start = 0
    while start < len(run):
        end = _end_of_scene(run, start)
        yield start, end
        start = end


def _end_of_scene(run: Sequence[Assessment], start: int) -> int:
    """Return the position after the last shot of the scene that begins at a position."""
    end = start + 1
    while True:
        ahead = range(min(len(run), end + NEIGHBOURS - 1) - 1, end - 1, -1)
        further = next((place for place in ahead if _continues(run, start, end, place)), None)
        if further is None:
            return end
        end = further + 1


def _continues(run: Sequence[Assessment], start: int, end: int, place: int) -> bool:
    """Return whether the shot at `place` shows the scene of the shots from `start` to before `end`."""
    between = run[end:place]
    if not all(is_one_setup(run[end - 1], shot) for shot in between):
        return False
    if not between and may_be_one_scene(run[place - 1], run[place]):
        return True
    return any(is_one_scene(run[before], run[place]) for before in range(max(start, place - NEIGHBOURS), end))


def spans(run: Sequence[Assessment], within: Span, together: Together) -> Iterator[Span]:
    """Yield the spans of a part of a run, cut where two neighbours are not `together`."""
    start, last = within
    for place in range(start + 1, last):
        if not together(run[place - 1], run[place]):
            yield start, place
            start = place
    yield start, last


def widened(run: Sequence[Assessment], span: Span, extends: Callable[[Sequence[Assessment], Assessment], bool]) -> Span:
    """Return a span of a series of at least two shots, with the shots beside it that extend it.

    The pause before such a shot is at most twice as long as the longest one of the series.
    """
    start, end = span
    longest_s = max(gap_s(one, other) for one, other in pairwise(run[start:end]))
    limit_s = 2 * max(longest_s, QUICK_GAP_S)
    while start > 0 and gap_s(run[start - 1], run[start]) <= limit_s and extends(run[start:end], run[start - 1]):
        start -= 1
    while end < len(run) and gap_s(run[end - 1], run[end]) <= limit_s and extends(run[start:end], run[end]):
        end += 1
    return start, end


def is_near(series: Sequence[Assessment], shot: Assessment) -> bool:
    """Return whether a shot beside a series, with little in common with it, may show its scene."""
    return is_blank(shot.dhash) or any(moved_distance(each, shot) <= _NEAR for each in series)


def is_blank(found: DHash | None) -> bool:
    """Return whether most of a photo is black or white: there no gradient has a sign, and no bit is set."""
    return found is None or (found.rows | found.columns).bit_count() <= found.SIDE**2 // 2
