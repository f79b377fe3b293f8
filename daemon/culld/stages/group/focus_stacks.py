"""Focus stacks: shots of a view that hardly moves, at one setting, with the focus moved from shot to shot; pure."""

from __future__ import annotations

from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Final

from culld.records import Scores
from culld.stages.group.brackets import light_ev
from culld.stages.group.scene import distance, is_near, is_one_setup
from culld.stages.group.timing import QUICK_GAP_S, gap_s

if TYPE_CHECKING:
    from collections.abc import Sequence

    from culld.records import Assessment

_STEADY: Final = 0.16
"""Neighbours of focus stacks, also from hand, have at most this distance; second tries from hand mostly have more."""
_WANDER_EV: Final = 0.4  # the automatic exposure of a telephone wanders by a third stop
_MIN_SHOTS: Final = 3
_REGULAR_SHOTS: Final = 5
_REGULAR: Final = 0.05
_SHARPER: Final = 0.2
_BLURRED: Final = 0.5
_STILL: Final = 0.08
"""The median distance from a tripod is at most this; bursts from hand mostly have more, 0.09 or above."""


def is_steady(one: Assessment, other: Assessment) -> bool:
    """Return whether two shots have one setting and a view that hardly moves."""
    return distance(one, other) <= _STEADY and _is_one_setting((one, other))


def is_focus_stack(steady: Sequence[Assessment]) -> bool:
    """Return whether shots that are steady one after the other are a stack: slow, regular, or of changing sharpness.

    In quick succession a burst from a tripod does not move either.
    """
    if len(steady) < _MIN_SHOTS or not _is_one_setting(steady):
        return False
    gaps = [gap_s(one, other) for one, other in pairwise(steady)]
    if median(gaps) > QUICK_GAP_S or _sharpness_moves(steady):
        return True
    if median(distance(one, other) for one, other in pairwise(steady)) <= _STILL and _is_blurred_in_company(steady):
        return True
    is_regular = len(steady) >= _REGULAR_SHOTS and max(gaps) - min(gaps) <= max(1.0, median(gaps) / 2)
    return is_regular and all(distance(one, other) <= _REGULAR for one, other in pairwise(steady))


def extends_stack(stack: Sequence[Assessment], shot: Assessment) -> bool:
    """Return whether a shot beside a stack belongs to it: a blurred one at its setting, with little in common with it.

    At both ends of a stack the whole subject may be out of focus.
    """
    is_blurred = isinstance(shot.result, Scores) and shot.result.blur >= _BLURRED
    return is_blurred and _is_one_setting((*stack, shot)) and is_near(stack, shot)


def _sharpness_moves(scene: Sequence[Assessment]) -> bool:
    """Return whether the blur of shots changes, and falls before it rises: single blurred shots are no focus stack."""
    blurs = [shot.result.blur for shot in scene if isinstance(shot.result, Scores)]
    if len(blurs) < len(scene) or max(blurs) - min(blurs) < _SHARPER:
        return False
    sharpest = blurs.index(min(blurs))
    falling = all(after <= before + _SHARPER for before, after in pairwise(blurs[: sharpest + 1]))
    rising = all(after >= before - _SHARPER for before, after in pairwise(blurs[sharpest:]))
    return falling and rising


def _is_blurred_in_company(scene: Sequence[Assessment]) -> bool:
    """Return whether a blurred shot is beside another that is not quite sharp: single shots of a burst are blurred."""
    blurs = [shot.result.blur for shot in scene if isinstance(shot.result, Scores)]
    if len(blurs) < len(scene):
        return False
    return any(less >= _SHARPER and more >= _BLURRED for less, more in map(sorted, pairwise(blurs)))


def _is_one_setting(shots: Sequence[Assessment]) -> bool:
    """Return whether shots have one aperture, ISO and focal length, and nearly one exposure time or none at all."""
    values = [light_ev(shot.photo.camera.exposure) for shot in shots]
    known = [value for value in values if value is not None]
    return (
        len(known) in {0, len(shots)}
        and max(known, default=0.0) - min(known, default=0.0) <= _WANDER_EV
        and all(is_one_setup(shots[0], shot) for shot in shots)
    )
