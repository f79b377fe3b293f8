"""Series of shots: brackets, focus stacks, panoramas and bursts; pure.

They are detected by camera facts, by the time between shots, and by the distance of difference hashes. A false series
means only that a photo is tagged instead of moved.
"""

from __future__ import annotations

from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Final

from culld.records import DHash, Series, SeriesKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from culld.records import Assessment, RootedPath

SERIES_WINDOW_S: Final = 30.0
"""Seconds before and after a shot within which other shots may be of its series; a whole series may take longer."""

_SLOW_GAP_S: Final = 6.0  # the photographer turns the camera, or its focus ring
_QUICK_GAP_S: Final = 2.0
# Share of differing bits, measured on 120 photos: other scenes 0.42 or more; the same scene moved by 5 % of its width
# 0.33, out of focus up to 0.04; crops that overlap by 40 to 80 %: up to 0.28 in the overlap, other scenes 0.36.
_ALIKE: Final = 0.36
_OVERLAPPING: Final = 0.28
_SAME: Final = 0.05
_MIN_FOCUS_STACK: Final = 5
_MIN_SERIES: Final = 3
_MIN_STEP_EV: Final = 0.3
_UNEVEN_EV: Final = 0.2


def series_of(shots: Iterable[Assessment]) -> dict[RootedPath, Series]:
    """Return the series of each shot in a series, by path; `shots` are of one camera and folder, in any order."""
    found: dict[RootedPath, Series] = {}
    timed = sorted((shot for shot in shots if shot.photo.camera.taken_at), key=_when)
    for slow in _runs(timed, lambda one, other: _gap_s(one, other) <= _SLOW_GAP_S):
        for series in _series_in(slow):
            found |= dict.fromkeys((shot.photo.place for shot in series.members), series)
    return found


def _series_in(run: list[Assessment]) -> Iterator[Series]:
    """Yield the series in a run of shots with gaps of at most `_SLOW_GAP_S`."""
    if _is_focus_stack(run):
        yield Series(SeriesKind.FOCUS_STACK, tuple(run))
    elif _is_panorama(run):
        yield Series(SeriesKind.PANORAMA, tuple(run))
    else:
        for quick in _runs(run, lambda one, other: _gap_s(one, other) <= _QUICK_GAP_S):
            if _is_bracket(quick):
                yield Series(SeriesKind.BRACKET, tuple(quick))
            else:
                bursts = _runs(quick, lambda one, other: _distance(one, other) <= _ALIKE)
                yield from (Series(SeriesKind.BURST, tuple(burst)) for burst in bursts if len(burst) > 1)


def _runs(shots: Sequence[Assessment], together: Callable[[Assessment, Assessment], bool]) -> list[list[Assessment]]:
    """Return the shots in runs, cut where two neighbours are not `together`."""
    runs: list[list[Assessment]] = []
    for shot in shots:
        if runs and together(runs[-1][-1], shot):
            runs[-1].append(shot)
        else:
            runs.append([shot])
    return runs


def _is_bracket(run: Sequence[Assessment]) -> bool:
    """Return whether a run is a bracket: the camera recorded one, or bias or light value have even steps."""
    if len(run) < _MIN_SERIES:
        return False
    exposures = [shot.photo.camera.exposure for shot in run]
    biases = [exposure.bias_ev for exposure in exposures]
    values = [exposure.light_value for exposure in exposures]
    return all(shot.photo.camera.auto_bracket for shot in run) or _is_even(biases, run) or _is_even(values, run)


def _is_even(values: Sequence[float | None], run: Sequence[Assessment]) -> bool:
    """Return whether at least three values occur with equal distances, and each in an equal share of the run."""
    known = sorted(value for value in values if value is not None)
    levels = [known[0]] if known else []
    for value in known:
        if value - levels[-1] > _UNEVEN_EV:
            levels.append(value)
    steps = [after - before for before, after in pairwise(levels)]
    return (
        len(levels) >= _MIN_SERIES
        and len(run) % len(levels) == 0
        and min(steps) >= _MIN_STEP_EV
        and max(steps) - min(steps) <= _UNEVEN_EV
    )


def _is_focus_stack(run: Sequence[Assessment]) -> bool:
    """Return whether a run is a focus stack: the same view at one setting, at even intervals."""
    if len(run) < _MIN_FOCUS_STACK or not _one_setting(run):
        return False
    gaps = [_between_s(one, other) for one, other in pairwise(run)]
    even = max(gaps) - min(gaps) <= max(1.0, median(gaps) / 2)
    return even and all(_distance(one, other) <= _SAME for one, other in pairwise(run))


def _is_panorama(run: Sequence[Assessment]) -> bool:
    """Return whether a run is a panorama: one setting, and each photo overlaps the one before in one direction."""
    if len(run) < _MIN_SERIES or not _one_setting(run):
        return False
    directions = {_pan_direction(one, other) for one, other in pairwise(run)}
    return len(directions) == 1 and directions != {None}


def _one_setting(run: Sequence[Assessment]) -> bool:
    first = run[0].photo.camera
    return first.exposure.time_s is not None and all(
        (shot.photo.camera.exposure, shot.photo.camera.focal_mm) == (first.exposure, first.focal_mm) for shot in run
    )


def _pan_direction(one: Assessment, other: Assessment) -> str | None:
    """Return the direction in which the camera turned; None if it did not turn or the photos do not overlap."""
    first, second = one.dhash, other.dhash
    if first is None or second is None or first.distance(second) <= _SAME:
        return None
    shifts = range(2, DHash.SIDE * 3 // 4)
    distances = {
        "right": min(first.distance(second, right=shift) for shift in shifts),
        "left": min(second.distance(first, right=shift) for shift in shifts),
        "down": min(first.distance(second, down=shift) for shift in shifts),
        "up": min(second.distance(first, down=shift) for shift in shifts),
    }
    direction = min(distances, key=lambda name: distances[name])
    return direction if distances[direction] <= min(_OVERLAPPING, first.distance(second)) else None


def _distance(one: Assessment, other: Assessment) -> float:
    """Return the distance of the difference hashes of two shots, 0..1; 1 if a hash is not known."""
    return 1.0 if one.dhash is None or other.dhash is None else one.dhash.distance(other.dhash)


def _gap_s(one: Assessment, other: Assessment) -> float:
    """Return the seconds from the end of one exposure to the start of the next."""
    return _between_s(one, other) - (one.photo.camera.exposure.time_s or 0.0)


def _between_s(one: Assessment, other: Assessment) -> float:
    return _when(other) - _when(one)


def _when(shot: Assessment) -> float:
    taken = shot.photo.camera.taken_at
    return 0.0 if taken is None else taken.timestamp()
