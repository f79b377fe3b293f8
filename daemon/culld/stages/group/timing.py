"""When shots were taken, and the pauses between them; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from culld.records import Assessment

QUICK_GAP_S: Final = 2.0
"""The longest pause in quick succession: the camera takes the next shot, not the photographer."""


def when_s(shot: Assessment) -> float:
    """Return the moment of a shot in seconds since 1970; 0 if it is not known."""
    taken = shot.photo.camera.taken_at
    return 0.0 if taken is None else taken.timestamp()


def order(shot: Assessment) -> tuple[float, str]:
    """Return the sort key of the order of time; by the name within one second of a clock without fractions."""
    return when_s(shot), shot.photo.place.relative.name


def gap_s(one: Assessment, other: Assessment) -> float:
    """Return the seconds from the end of one exposure to the start of the next."""
    return when_s(other) - when_s(one) - (one.photo.camera.exposure.time_s or 0.0)
