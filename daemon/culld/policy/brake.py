"""When so many photos would be moved that something must be wrong: pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from culld.records import BrakeLimit


def overrun(recent: Iterable[bool], limit: BrakeLimit | None) -> str:
    """Why nothing more is to be moved, as a clause; empty if all is well.

    `recent` says of each of the last decisions, `limit.photos` of them at most, whether the photo was to be moved. The
    share is one of the whole window even while that is not full, so that the first reject alone is no alarm.
    """
    moved = sum(recent)
    if limit is None or moved <= limit.share * limit.photos:
        return ""
    return (
        f"{moved} of the last {limit.photos} photos were to be moved, more than the share {limit.share:g} that"
        " policy.brake allows; check them, then say `culld resume`"
    )
