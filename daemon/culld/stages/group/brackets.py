"""Brackets: shots of one scene at several exposures, from the camera or by hand; pure."""

from __future__ import annotations

import math
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Final

from culld.stages.group.scene import is_near, is_one_setup, only_time_differs
from culld.stages.group.timing import QUICK_GAP_S, gap_s

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from culld.records import Assessment, Exposure

_LEVELS: Final = 3
SAME_LEVEL_EV: Final = 0.2
_MIN_STEP_EV: Final = 0.3
HAND_STEP_EV: Final = 0.41  # half a stop, as cameras round it; more than most of their third stops
_HAND_RANGE_EV: Final = 0.9
_ROUNDED_STEP_EV: Final = 0.25
_ROUNDED_RANGE_EV: Final = 0.7
_MANY_LEVELS: Final = 5
_LADDER: Final = 4


def is_bracket(scene: Sequence[Assessment]) -> bool:
    """Return whether shots of one scene, in the order of time, are a bracket.

    The camera recorded one, or the bias or the light value has even steps, or the exposure time alone changes by half
    stops or more: in quick succession without repeats, because the automatic exposure of a burst also wanders.
    """
    exposures = [shot.photo.camera.exposure for shot in scene]
    if len(scene) >= _LEVELS:
        is_automatic = all(shot.photo.camera.auto_bracket for shot in scene)
        biases = [exposure.bias_ev for exposure in exposures]
        values = [light_ev(exposure) for exposure in exposures]
        if is_automatic or _is_even(biases) or (_is_quick(scene) and _is_even(values)):
            return True
    return _is_by_hand(scene)


def light_ev(exposure: Exposure) -> float | None:
    """Return the light value of an exposure; without aperture or ISO a value for comparison among such shots only."""
    if not exposure.time_s:
        return None
    return 2 * math.log2(exposure.aperture or 1.0) - math.log2(exposure.time_s) - math.log2((exposure.iso or 100) / 100)


def extends_bracket(bracket: Sequence[Assessment], shot: Assessment) -> bool:
    """Return whether a shot beside a bracket belongs to it: its exposure time alone is beyond those of the bracket.

    The darkest and the brightest shots have few gradients in common with the others.
    """
    value = light_ev(shot.photo.camera.exposure)
    values = [light_ev(each.photo.camera.exposure) for each in bracket]
    known = [each for each in values if each is not None]
    if value is None or not known or not is_one_setup(bracket[0], shot):
        return False
    is_beyond = value <= min(known) - HAND_STEP_EV or value >= max(known) + HAND_STEP_EV
    return is_beyond and is_near(bracket, shot)


def ladders(run: Sequence[Assessment]) -> Iterator[list[Assessment]]:
    """Yield the shots of which only the exposure time changes, by equal steps in one direction, four or more.

    They are a bracket whatever they show: few shots of a bracket at night have gradients in common.
    """
    ladder = list(run[:1])
    for shot in run[1:]:
        if len(ladder) > 1 and not _climbs(ladder[-2], ladder[-1], shot):
            yield from (ladder,) if len(ladder) >= _LADDER else ()
            ladder = ladder[-1:]
        ladder = [*ladder, shot] if _step(ladder[-1], shot) else [shot]
    yield from (ladder,) if len(ladder) >= _LADDER else ()


def _climbs(before: Assessment, one: Assessment, other: Assessment) -> bool:
    first, second = _step(before, one), _step(one, other)
    return second != 0 and abs(second - first) <= SAME_LEVEL_EV


def _step(one: Assessment, other: Assessment) -> float:
    """Return the change of the exposure in EV; 0 unless only the exposure time differs, by at least half a stop."""
    before, after = light_ev(one.photo.camera.exposure), light_ev(other.photo.camera.exposure)
    if before is None or after is None or not only_time_differs(one, other):
        return 0.0
    return after - before if abs(after - before) >= HAND_STEP_EV else 0.0


def _is_by_hand(scene: Sequence[Assessment]) -> bool:
    """Return whether the bias, or one of exposure time, aperture and ISO, changes by half stops or more."""
    exposures = [shot.photo.camera.exposure for shot in scene]
    if _differ([exposure.bias_ev for exposure in exposures]):
        return True  # no camera changes it by itself
    if len({shot.photo.camera.focal_mm for shot in scene}) > 1:
        return False
    values = [light_ev(exposure) for exposure in exposures]
    is_one_changing = _changing(exposures) <= 1
    rises = _rises(values) or _rises([None if value is None else -value for value in values])
    if rises and (is_one_changing or len(scene) >= _LADDER):
        return True
    if not is_one_changing or not _differ(values):
        return False
    return not _is_quick(scene) or len(_levels(values, HAND_STEP_EV)) == len(scene)


def _rises(values: Sequence[float | None]) -> bool:
    """Return whether three values or more rise from shot to shot, by half stops or more on the whole.

    Half stops are no more than a quarter stop apart where cameras round them: 1/4 and 0.3 s.
    """
    known = [value for value in values if value is not None]
    if len(known) < max(_LEVELS, len(values)):
        return False
    steps = [after - before for before, after in pairwise(known)]
    return min(steps) >= _ROUNDED_STEP_EV and sum(steps) >= _ROUNDED_RANGE_EV


def _is_quick(scene: Sequence[Assessment]) -> bool:
    return median(gap_s(one, other) for one, other in pairwise(scene)) <= QUICK_GAP_S


def _changing(exposures: Sequence[Exposure]) -> int:
    """Return how many of exposure time, aperture and ISO change."""
    settings = [(exposure.time_s, exposure.aperture, exposure.iso) for exposure in exposures]
    return sum(len(set(values)) > 1 for values in zip(*settings, strict=True))


def _differ(values: Sequence[float | None]) -> bool:
    """Return whether values are known, and differ as those of a bracket: two shots by about a stop, more in levels."""
    if len(values) < 2 or None in values:
        return False
    levels = _levels(values, HAND_STEP_EV)
    return len(levels) >= min(_LEVELS, len(values)) and levels[-1] - levels[0] >= _HAND_RANGE_EV


def _levels(values: Sequence[float | None], apart: float = SAME_LEVEL_EV) -> list[float]:
    """Return the known values that are more than `apart` above the one before, in increasing order."""
    levels: list[float] = []
    for value in sorted(value for value in values if value is not None):
        if not levels or value - levels[-1] > apart:
            levels.append(value)
    return levels


def _is_even(values: Sequence[float | None]) -> bool:
    """Return whether at least three values occur with equal distances, and each in an equal share of the shots.

    From five values on they may occur unequally often: a camera repeats its shortest time where it has no shorter one.
    """
    levels = _levels(values)
    steps = [after - before for before, after in pairwise(levels)]
    return (
        len(levels) >= _LEVELS
        and (len(values) % len(levels) == 0 or (len(levels) >= _MANY_LEVELS and min(steps) >= HAND_STEP_EV))
        and min(steps) >= _MIN_STEP_EV
        and max(steps) - min(steps) <= SAME_LEVEL_EV
    )
