"""The small Protocols through which rooms meet; whoever fits the shape can stand in, in tests a written fake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
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
    """Reads settled files and has new contents assessed; one photo's failure is returned, never raised."""

    def read(
        self, settled: Sequence[FileSnapshot], judged: Mapping[RootedPath, Collection[str]]
    ) -> Iterable[Photo | Assessment | ReadFailure]:
        """Begin to read and assess files; whoever iterates waits for the results, which are in order.

        A file whose digest is among those `judged` at its place is not assessed and comes as a `Photo`.
        """


class Intent(Protocol):
    """The open journal entry of a batch."""

    def close(self, outcome: Outcome) -> Outcome:
        """Record what became of one plan, and hand the outcome back."""


class Journal(Protocol):
    """The memory of every decision; an intent is on disk before the file changes that it describes."""

    def unknown(self, seen: Iterable[FileSnapshot]) -> Iterable[FileSnapshot]:
        """The files that were not dealt with as they are, or have to be looked at again by now."""

    def judged(self, settled: Sequence[FileSnapshot]) -> Mapping[RootedPath, Collection[str]]:
        """The digests of the contents that were judged at the places of some files, where there are any."""

    def unseen(self, photos: Sequence[Photo]) -> list[Photo]:
        """The photos whose content at that place has not been judged."""

    def is_restored(self, digest: str) -> bool:
        """Whether a person brought this content back from quarantine."""

    def fault(self, fault: ReadFailure) -> None:
        """Record a file that could not be read, and when to look again."""

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
