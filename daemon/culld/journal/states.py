"""The states that the journal knows: of a plan, and of a file. The README tells of them in one paragraph."""

from __future__ import annotations

from enum import StrEnum


class PlanState(StrEnum):
    """How far a plan is: OPEN when it is committed, then one of the others."""

    OPEN = "open"
    """Its files may be changing; a replay looks at the disk, and ends it."""
    DONE = "done"
    """Every change is on the disk."""
    FAULT = "fault"
    """A change could not be made; nothing is half moved, and the photo is due for another try."""
    ROLLED_BACK = "forgotten"
    """A crash came before it could be carried through; nothing is moved, and the photo is judged anew."""
    NEEDS_ATTENTION = "parked"
    """Its files were changed by somebody while it was open; they stay where they are until a person has looked."""


class FileState(StrEnum):
    """Why a file need not be looked at now; without a row it is waited for until it settles, and then judged."""

    DECIDED = "decided"
    """It was judged, and stayed: until it changes."""
    FAULT = "fault"
    """It could not be read or changed: until the next try is due, or it changes."""
    OPEN = "open"
    """It belongs to a plan that is open or parked: until that ends, or it changes."""
    RESTORED = "restored"
    """A person brought it back: until it changes, and with this content it is never moved again."""
