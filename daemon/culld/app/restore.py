"""The use case `restore`: photos back from quarantine, tags out of photos, one photo after the other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from culld.app.startup import open_journal_without_replay, require_quarantine
from culld.errors import PhotoError, SystemFaultError
from culld.inference.worker_process import WorkerLimits
from culld.quarantine.restore import Restored, Restorer, begin_restore, end_restore
from culld.quarantine.untag import Untagged, untag
from culld.quarantine.untag_worker import UntagPool

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from culld.config import Config
    from culld.journal.store import SqliteJournal
    from culld.quarantine.selection import Selection
    from culld.quarantine.untag import Withdraw
    from culld.records import FileStat, RecordedDecision, RootedPath, TaggedFiles

    Tell = Callable[[Restored | Untagged], object]


@dataclass(frozen=True, slots=True)
class RestoreRequest:
    """Which photos come back; with `untag` tags are also taken out of selected photos that stayed.

    With `undecided` the photos that come back are not counted as wrong rejects.
    """

    selection: Selection
    untag: bool = False
    dry_run: bool = False
    undecided: bool = False


@dataclass(frozen=True, slots=True)
class RestoreSummary:
    """How many photos were restored, untagged, had a fault, or were found deleted and put away.

    `remaining` is how many selected photos were not begun because a stop was asked for (`stopped`).
    """

    restored: int = 0
    untagged: int = 0
    failed: int = 0
    put_away: int = 0
    remaining: int = 0
    stopped: bool = False

    @property
    def found(self) -> int:
        """How many photos were dealt with."""
        return self.restored + self.untagged + self.failed + self.put_away

    def with_restored(self, result: Restored) -> RestoreSummary:
        """The summary with one more result."""
        if result.fault:
            return replace(self, failed=self.failed + 1)
        if result.now is None:
            return replace(self, put_away=self.put_away + 1)
        return replace(self, restored=self.restored + 1)

    def with_untagged(self, result: Untagged) -> RestoreSummary:
        """The summary with one more result."""
        if result.fault:
            return replace(self, failed=self.failed + 1)
        return replace(self, untagged=self.untagged + 1)


def run_restore(
    config: Config, request: RestoreRequest, tell: Tell, stop: Callable[[], bool] = lambda: False
) -> RestoreSummary:
    """Restore what is asked for, and `tell` the result of each photo as soon as it is done.

    `stop` is asked before each photo; the photo at hand is always finished. Raises SystemFaultError if the journal or
    the quarantine cannot be used.
    """
    limits = WorkerLimits(config.limits.memory, config.limits.time.total_seconds())
    with open_journal_without_replay(config) as journal, UntagPool(config.limits.file_size, limits) as withdraw:
        require_quarantine(config, journal)
        try:
            return _Run(config, request, journal, withdraw, tell, stop).run()
        except PhotoError as error:
            raise SystemFaultError(str(error)) from error


@dataclass(frozen=True, slots=True)
class Undecided:
    """The journal for photos that come back without an answer: they are protected, and count as nothing."""

    journal: SqliteJournal

    def note_restored(self, plan: str, digests: Collection[str], place: RootedPath, stamp: FileStat | None) -> None:
        """A person wants the photo of a plan back, and does not say that culld was wrong."""
        self.journal.note_undecided(plan)
        self.journal.note_restored(plan, digests, place, stamp)

    def note_deleted(self, plan: str) -> None:
        """A person removed the photo of a plan from quarantine."""
        self.journal.note_deleted(plan)

    def reject(self, plan: str) -> RecordedDecision | None:
        """The decision of a plan that moved a photo to quarantine."""
        return self.journal.reject(plan)

    def tagged_by(self, plan: str) -> list[TaggedFiles]:
        """The decision of a plan and the earlier ones about the same path that wrote to files, the newest first."""
        return self.journal.tagged_by(plan)


@dataclass
class _Run:
    """One restore, with what it needs and what it has done so far."""

    config: Config
    request: RestoreRequest
    journal: SqliteJournal
    withdraw: Withdraw
    tell: Tell
    stop: Callable[[], bool]

    def run(self) -> RestoreSummary:
        """Restore, then untag if that is asked for."""
        summary, back = self._restore()
        if self.request.untag and not summary.stopped:
            summary = self._untag(summary, back)
        return summary

    @property
    def _roots(self) -> list[Path]:
        return [watch.path for watch in self.config.watch]

    def _restore(self) -> tuple[RestoreSummary, tuple[Path, ...]]:
        selection, dry_run = self.request.selection, self.request.dry_run
        journal = Undecided(self.journal) if self.request.undecided else self.journal
        restorer = Restorer(self._roots, journal, self.withdraw)
        summary = RestoreSummary()
        back: list[Path] = []
        places = begin_restore(self.config.quarantine, selection, restorer.leftovers, dry_run=dry_run)
        for number, place in enumerate(places):
            if self.stop():
                return replace(summary, stopped=True, remaining=len(places) - number), tuple(back)
            result = restorer.restore(place, deleted=selection.names_no_photo, dry_run=dry_run)
            summary = summary.with_restored(result)
            back += [] if result.now is None else [result.now.path]
            self.tell(result)
        if selection.everything and not dry_run:
            end_restore(self.config.quarantine, restorer.leftovers)
        return summary, tuple(back)

    def _untag(self, summary: RestoreSummary, back: tuple[Path, ...]) -> RestoreSummary:
        """Untag the selected photos; one that was named by its place in quarantine is meant where it is now, too."""
        selection = replace(self.request.selection, paths=(*self.request.selection.paths, *back))
        found = untag(
            selection,
            roots=self._roots,
            journal=self.journal,
            withdraw=self.withdraw,
            dry_run=self.request.dry_run,
        )
        for result in found:
            summary = summary.with_untagged(result)
            self.tell(result)
            if self.stop():
                return replace(summary, stopped=True)
        return summary
