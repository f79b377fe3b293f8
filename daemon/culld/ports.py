"""The Protocols between folders of culld; tests implement them with fakes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from culld.records import (
        Assessment,
        FileSnapshot,
        FileStat,
        OpenPlan,
        Outcome,
        Photo,
        Plan,
        ReadFailure,
        RecordedDecision,
        RootedPath,
        TaggedFiles,
    )


class Clock(Protocol):
    """Wall time for records, monotonic time for waits, and time since boot for ages."""

    def now(self) -> datetime:
        """Return the current time, aware, in UTC."""

    def monotonic(self) -> float:
        """Return seconds that never decrease."""

    def uptime(self) -> float:
        """Return the seconds since boot, sleep included."""

    def boot(self) -> str:
        """Return the identifier of this boot; empty if there is none."""


class Reader(Protocol):
    """Reads complete files and scores new contents; the failure of one photo is returned, never raised."""

    def begin(self, batch: Sequence[FileSnapshot]) -> None:
        """Start to read a batch in the workers ahead of `read`; return at once."""

    def read(self, batch: Sequence[FileSnapshot]) -> Iterable[Photo | Assessment | ReadFailure]:
        """Read and score files; the results are in order. A file with known content gives a `Photo`, without scores."""


class Intent(Protocol):
    """The open journal entry of a batch."""

    def close(self, outcome: Outcome) -> Outcome:
        """Record the outcome of one plan, and return it."""


class KnownFiles(Protocol):
    """The journal as the scanner uses it."""

    def unknown(self, seen: Iterable[FileSnapshot]) -> Iterable[FileSnapshot]:
        """Return the files with a stamp that the journal does not hold, and those that are due for another try."""


class Journal(Protocol):
    """The journal as the pipeline uses it; an intent is on disk before the file changes that it describes."""

    def unseen(self, photos: Sequence[Photo]) -> list[Photo]:
        """Return the photos whose content has no decision at that path; store the new stamps of the others."""

    def intend(self, plans: Sequence[Plan]) -> AbstractContextManager[Intent]:
        """Commit the plans of a batch; within the context each plan is closed with its outcome."""


class OpenPlans(Protocol):
    """The journal as replay uses it: open plans, which replay finishes, forgets or parks."""

    def unfinished(self) -> list[OpenPlan]:
        """Return every plan that has not ended, the oldest first, parked plans included."""

    def finish(self, plan: OpenPlan, now: RootedPath, stamp: FileStat | None, digest: str) -> None:
        """Record that the plan is carried out and that the photo is at `now`."""

    def forget(self, plan: OpenPlan) -> None:
        """Record that no change of the plan is in effect; its photo is judged again."""

    def park(self, plan: OpenPlan, stamp: FileStat | None, reason: str) -> None:
        """Keep the plan open until the user decides; scans skip the photo while it has this stamp."""


class Restorations(Protocol):
    """The journal as `restore` uses it."""

    def note_restored(self, plan: str, digests: Collection[str], place: RootedPath, stamp: FileStat | None) -> None:
        """Record that the user restores the photo of a plan to `place`: these contents are never moved again.

        It is called before the photo moves, with no stamp, and again afterwards.
        """

    def note_deleted(self, plan: str) -> None:
        """Record that the user deleted the photo of a plan from quarantine."""

    def reject(self, plan: str) -> RecordedDecision | None:
        """Return the decision of a plan that moved a photo to quarantine; None for another or an unknown plan."""

    def tagged_by(self, plan: str) -> list[TaggedFiles]:
        """Return the tagged files of a plan and of earlier plans for the same path, the newest first."""
