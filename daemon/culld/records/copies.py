"""Repaired copies of photos that the daemon makes: when, and how far each one is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from culld.records.files import RootedPath


class CopyPolicy(StrEnum):
    """Which photos get a repaired copy from the daemon."""

    NEVER = "never"
    REJECTS = "rejects"
    """Photos that the policy rejects, and those for which a person asks."""
    ASK = "ask"
    """Photos for which a person asks on the review page."""


class CopyState(StrEnum):
    """How far the copy of a photo is."""

    WAITING = "waiting"
    BEGUN = "begun"
    """Its file is being written. After a crash the disk decides: the file is there, or the copy waits again."""
    MADE = "made"
    NONE = "none"
    """There is no copy, because it would not be better, or the photo cannot have one."""
    FAILED = "failed"
    """The photo could not be read, or the copy not be written."""
    REMOVED = "removed"
    """A person took it back with `culld restore --untag`, before or after it was made."""


@dataclass(frozen=True, slots=True)
class RecordedCopy:
    """The copy of the photo of a decision as the journal holds it.

    `decision` is the number of the decision. `place` and `digest`, the SHA-256, are those of the file of the copy;
    None and empty until it is begun. `repair` is what is repaired (`exposure` or `jpeg`), empty if nothing is.
    `reason` is why there is a copy or none, or why it still waits, as a clause. `by_person`: a person asked for it.
    `tries` counts the workers that were lost over it, and the tries to write it that failed.
    """

    decision: int
    state: CopyState
    place: RootedPath | None
    digest: str
    repair: str
    reason: str
    asked_at: datetime
    ended_at: datetime | None
    by_person: bool
    tries: int = 0
