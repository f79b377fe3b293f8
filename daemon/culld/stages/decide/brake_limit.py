"""When so many photos would be moved that something must be wrong: pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection

    from culld.records import BrakeLimit

MIN_JUDGED: Final = 20
"""A share is counted as one of at least so many photos, so that a few rejects alone are no alarm."""


def exceeds_limit(recent: Collection[bool], limit: BrakeLimit | None) -> str:
    """Return why no more photos are to be moved, as a clause; empty if the share is within the limit.

    `recent` says of each of the last photos that were judged, `limit.photos` of them at most, whether it was to be
    moved. The limit is exceeded when more than `limit.share` of them were to be moved. Fewer than `FEWEST` photos count
    as if all that are missing were to stay: of a first import of rejects alone, 12 are moved with a share of 0.6.
    """
    moved = sum(recent)
    if limit is None or moved <= limit.max_share * max(len(recent), min(MIN_JUDGED, limit.window)):
        return ""
    return (
        f"{moved} of the last {len(recent)} photos were to be moved, more than the share {limit.max_share:g} that"
        " policy.brake allows; check them, then say `culld resume`"
    )
