"""The small Protocols through which rooms meet; whoever fits the shape can stand in, in tests a written fake."""

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
    """Wall time for records, monotonic time for waiting, time since the start of the machine for ages."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""

    def monotonic(self) -> float:
        """Seconds that never run backwards."""

    def uptime(self) -> float:
        """Seconds since the start of the machine, sleep included."""

    def boot(self) -> str:
        """The identifier of this start of the machine; empty if it has none."""


class Reader(Protocol):
    """Reads complete files and scores new contents; the failure of one photo is returned, never raised."""

    def begin(self, batch: Sequence[FileSnapshot]) -> None:
        """Let the workers begin with a batch that will be read soon; return at once."""

    def read(self, batch: Sequence[FileSnapshot]) -> Iterable[Photo | Assessment | ReadFailure]:
        """Read and score files; the results are in order. A file whose content is known comes as a `Photo`."""


class Intent(Protocol):
    """The open journal entry of a batch."""

    def close(self, outcome: Outcome) -> Outcome:
        """Record what became of one plan, and hand the outcome back."""


class KnownFiles(Protocol):
    """The journal as the scan sees it."""

    def unknown(self, seen: Iterable[FileSnapshot]) -> Iterable[FileSnapshot]:
        """The files that were not dealt with as they are, or have to be looked at again by now."""


class Journal(Protocol):
    """The journal as the pipeline sees it; an intent is on disk before the file changes that it describes."""

    def unseen(self, photos: Sequence[Photo]) -> list[Photo]:
        """The photos whose content at that place has not been judged; of the others the new stamp is kept."""

    def intend(self, plans: Sequence[Plan]) -> AbstractContextManager[Intent]:
        """Commit the plans of a batch; while the context is open each plan is closed with its outcome."""


class OpenPlans(Protocol):
    """The journal as replay sees it: plans that were begun, and the ways to end them."""

    def unfinished(self) -> list[OpenPlan]:
        """Every plan that is not ended, the oldest first; parked ones are among them."""

    def finish(self, plan: OpenPlan, now: RootedPath, stamp: FileStat | None, digest: str) -> None:
        """The plan is carried out; the photo is at `now`."""

    def forget(self, plan: OpenPlan) -> None:
        """Nothing of the plan is in effect; its photo will be judged again."""

    def park(self, plan: OpenPlan, stamp: FileStat | None, reason: str) -> None:
        """Nobody but a person can tell what to do; the plan stays open, the photo with this stamp is passed over."""


class Restorations(Protocol):
    """The journal as `restore` sees it."""

    def note_restored(self, plan: str, digests: Collection[str], place: RootedPath, stamp: FileStat | None) -> None:
        """A person wants the photo of a plan back at `place`: these contents are never taken again.

        It is told before the photo moves, with no stamp, and again afterwards.
        """

    def note_deleted(self, plan: str) -> None:
        """A person removed the photo of a plan from quarantine."""

    def reject(self, plan: str) -> RecordedDecision | None:
        """The decision of a plan that moved a photo to quarantine; None if it did not, or is not known."""

    def tagged_by(self, plan: str) -> list[TaggedFiles]:
        """The decision of a plan and the earlier ones about the same path that wrote to files, the newest first."""
