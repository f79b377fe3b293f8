"""Series of shots: brackets, focus stacks, panoramas and bursts; pure.

They are detected by camera facts, by the time between shots, and by the distance of difference hashes. A false series
means only that a photo is tagged instead of moved.
"""

from __future__ import annotations

from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Final

from culld.records import Scores, Series, SeriesKind
from culld.stages.group.brackets import QUICK_GAP_S, is_bracket, ladders, light_ev, widened
from culld.stages.group.panoramas import panoramas
from culld.stages.group.scene import ALIKE, distance, is_one_setup, runs, scenes
from culld.stages.group.timing import gap_s, order

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from culld.records import Assessment, RootedPath

LONGEST_GAP_S: Final = 60.0
"""The longest pause in a series: the photographer sets the next exposure, or the focus, by hand."""

_STEADY: Final = 0.16
"""Neighbours of focus stacks, also from hand, have at most this distance; shots of one view again mostly have more."""
_STEADY_EV: Final = 0.4  # the automatic exposure of a telephone wanders by a third stop
_SAME: Final = 0.05
_MIN_SERIES: Final = 3
_REGULAR: Final = 5
_SHARPER: Final = 0.2


def series_of(shots: Iterable[Assessment]) -> dict[RootedPath, Series]:
    """Return the series of each shot in a series, by path; `shots` are of one camera and folder, in any order."""
    found: dict[RootedPath, Series] = {}
    timed = sorted((shot for shot in shots if shot.photo.camera.taken_at), key=order)
    for run in runs(timed, _follows):
        for series in sorted(_series_in(run), key=lambda series: series.kind is SeriesKind.BURST):
            for shot in series.members:
                found.setdefault(shot.photo.place, series)
    return found


def _follows(one: Assessment, other: Assessment) -> bool:
    """Return whether a pause is short enough for one series; noise reduction takes as long as the exposure again."""
    return gap_s(one, other) <= LONGEST_GAP_S + (one.photo.camera.exposure.time_s or 0.0)


def _series_in(run: list[Assessment]) -> Iterator[Series]:
    """Yield the series in a run; a shot may be in a burst and in another series."""
    if len(run) < 2:
        return
    yield from (Series(SeriesKind.BRACKET, tuple(ladder)) for ladder in ladders(run))
    yield from (Series(SeriesKind.PANORAMA, tuple(turned)) for turned in panoramas(run))
    start = 0
    for scene in scenes(run):
        end = start + len(scene)
        if is_bracket(scene):
            first, last = widened(run, start, end)
            yield Series(SeriesKind.BRACKET, tuple(run[first:last]))
        else:
            yield from _focus_stacks(scene)
            yield from _quick_series(scene)
        start = end


def _focus_stacks(scene: list[Assessment]) -> Iterator[Series]:
    for steady in runs(scene, _is_steady):
        if len(steady) >= _MIN_SERIES and _is_one_setting(steady) and _is_focused_anew(steady):
            yield Series(SeriesKind.FOCUS_STACK, tuple(steady))


def _quick_series(scene: list[Assessment]) -> Iterator[Series]:
    """Yield the brackets and bursts in quick succession among shots of one scene."""
    for quick in runs(scene, lambda one, other: gap_s(one, other) <= QUICK_GAP_S):
        if is_bracket(quick):
            yield Series(SeriesKind.BRACKET, tuple(quick))
        else:
            bursts = runs(quick, lambda one, other: distance(one, other) <= ALIKE)
            yield from (Series(SeriesKind.BURST, tuple(burst)) for burst in bursts if len(burst) > 1)


def _is_steady(one: Assessment, other: Assessment) -> bool:
    return distance(one, other) <= _STEADY and _is_one_setting((one, other))


def _is_focused_anew(steady: Sequence[Assessment]) -> bool:
    """Return whether shots of a view that hardly moves are a focus stack: slow, regular, or of changing sharpness.

    In quick succession a burst from a tripod does not move either.
    """
    gaps = [gap_s(one, other) for one, other in pairwise(steady)]
    if median(gaps) > QUICK_GAP_S or _sharpness_moves(steady):
        return True
    is_regular = len(steady) >= _REGULAR and max(gaps) - min(gaps) <= max(1.0, median(gaps) / 2)
    return is_regular and all(distance(one, other) <= _SAME for one, other in pairwise(steady))


def _sharpness_moves(scene: Sequence[Assessment]) -> bool:
    """Return whether the blur of shots changes, and falls before it rises: single blurred shots are no focus stack."""
    blurs = [shot.result.blur for shot in scene if isinstance(shot.result, Scores)]
    if len(blurs) < len(scene) or max(blurs) - min(blurs) < _SHARPER:
        return False
    sharpest = blurs.index(min(blurs))
    falling = all(after <= before + _SHARPER for before, after in pairwise(blurs[: sharpest + 1]))
    rising = all(after >= before - _SHARPER for before, after in pairwise(blurs[sharpest:]))
    return falling and rising


def _is_one_setting(shots: Sequence[Assessment]) -> bool:
    """Return whether shots have one aperture, ISO and focal length, and nearly one exposure time."""
    values = [light_ev(shot.photo.camera.exposure) for shot in shots]
    known = [value for value in values if value is not None]
    return (
        len(known) == len(shots)
        and max(known) - min(known) <= _STEADY_EV
        and all(is_one_setup(shots[0], shot) for shot in shots)
    )
