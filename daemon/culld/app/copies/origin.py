"""Where the repaired copy of a photo belongs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from culld.app.copy_file import copy_place

if TYPE_CHECKING:
    from culld.records import RecordedDecision, RootedPath


def place_of_copy(decision: RecordedDecision) -> RootedPath:
    """Return the path of the copy of a photo: beside it, or where it was found if it is in quarantine."""
    is_here = decision.now.root == decision.place.root
    return copy_place(decision.now if is_here else decision.place)
