"""The light of a photo against that of its neighbours: a flash that did not fire; pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from statistics import median
from typing import TYPE_CHECKING, Final

from culld.stages.group.timing import order, when_s

if TYPE_CHECKING:
    from collections.abc import Iterable

    from culld.records import Assessment, RootedPath

NEAR_S: Final = 60.0
"""Photos taken within so many seconds of each other are neighbours."""
_FEWEST: Final = 2
"""So many neighbours tell what the light was; one of two alone may be the wrong one."""


def light_against_neighbours(shots: Iterable[Assessment]) -> dict[RootedPath, float]:
    """Return by how many EV each shot shows less (below 0) or more light than the median of its neighbours, by path.

    `shots` are of one camera, in any order. The light that a shot shows is its brightness plus the light value of its
    settings, so the shots of a bracket differ little. A shot whose settings or brightness are not known has no light,
    and one with fewer than two neighbours no value.
    """
    lit = [(when_s(shot), shot, light) for shot in sorted(shots, key=order) if (light := _light_of(shot)) is not None]
    times = [time for time, _, _ in lit]
    found = {}
    for place, (time, shot, light) in enumerate(lit):
        start, end = bisect_left(times, time - NEAR_S), bisect_right(times, time + NEAR_S)
        others = [each for _, _, each in (*lit[start:place], *lit[place + 1 : end])]
        if len(others) >= _FEWEST:
            found[shot.photo.place] = light - median(others)
    return found


def _light_of(shot: Assessment) -> float | None:
    settings = shot.photo.camera.exposure.light_value
    if shot.photo.camera.taken_at is None or settings is None or shot.subject is None:
        return None
    return None if shot.subject.brightness is None else shot.subject.brightness + settings
