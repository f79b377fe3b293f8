"""The use case `restore`: move photos back from quarantine, and remove tags, one photo after the other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from culld.app.copies.undo import CopyUndo, CopyUndone
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

    OnResult = Callable[[Restored | Untagged | CopyUndone], object]


@dataclass(frozen=True, slots=True)
class RestoreRequest:
    """The photos to restore; with `untag` tags are also removed from selected photos that were not moved, and copies.

    With `undecided` the restored photos do not count as wrong rejects.
    """

    selection: Selection
    untag: bool = False
    dry_run: bool = False
    undecided: bool = False


@dataclass(frozen=True, slots=True)
class RestoreSummary:
    """How many photos were restored, were untagged, failed, or had been deleted, so that their records were put away.

    `copies` counts the repaired copies that were removed, or stay because another program changed them.
    `remaining` is the number of selected photos that were not begun because a stop was requested (`stopped`).
    """

    restored: int = 0
    untagged: int = 0
    failed: int = 0
    put_away: int = 0
    copies: int = 0
    remaining: int = 0
    stopped: bool = False

    @property
    def found(self) -> int:
        """The number of processed photos and copies."""
        return self.restored + self.untagged + self.failed + self.put_away + self.copies

    def with_restored(self, result: Restored) -> RestoreSummary:
        """Return the summary with one more result of a restore."""
        if result.fault:
            return replace(self, failed=self.failed + 1)
        if result.now is None:
            return replace(self, put_away=self.put_away + 1)
        return replace(self, restored=self.restored + 1)

    def with_untagged(self, result: Untagged) -> RestoreSummary:
        """Return the summary with one more result of an untag."""
        if result.fault:
            return replace(self, failed=self.failed + 1)
        return replace(self, untagged=self.untagged + 1)

    def with_copy(self, result: CopyUndone) -> RestoreSummary:
        """Return the summary with one more copy."""
        if result.fault:
            return replace(self, failed=self.failed + 1)
        return replace(self, copies=self.copies + 1)


def run_restore(
    config: Config, request: RestoreRequest, on_result: OnResult, stop: Callable[[], bool] = lambda: False
) -> RestoreSummary:
    """Restore the selected photos, and call `on_result` with the result of each photo as soon as it is done.

    `stop` is called between photos; the current photo is always finished. Raises SystemFaultError if the journal or the
    quarantine cannot be used.
    """
    limits = WorkerLimits(config.limits.memory, config.limits.time.total_seconds())
    with open_journal_without_replay(config) as journal, UntagPool(config.limits.file_size, limits) as withdraw:
        require_quarantine(config, journal)
        try:
            return _Run(config, request, journal, withdraw, on_result, stop).run()
        except PhotoError as error:
            raise SystemFaultError(str(error)) from error


@dataclass(frozen=True, slots=True)
class Undecided:
    """The journal for photos that are restored without feedback: they are protected, and are no wrong rejects."""

    journal: SqliteJournal

    def note_restored(self, plan: str, digests: Collection[str], place: RootedPath, stamp: FileStat | None) -> None:
        """Note that the photo of a plan is restored, without counting it as a wrong reject."""
        self.journal.note_undecided(plan)
        self.journal.note_restored(plan, digests, place, stamp)

    def note_deleted(self, plan: str) -> None:
        """Note that the user deleted the photo of a plan from quarantine."""
        self.journal.note_deleted(plan)

    def reject(self, plan: str) -> RecordedDecision | None:
        """Return the decision of a plan that moved a photo to quarantine; None if the journal lacks it."""
        return self.journal.reject(plan)

    def tagged_by(self, plan: str) -> list[TaggedFiles]:
        """Return the files that a plan, and earlier plans for the same path, wrote tags to; the newest plan first."""
        return self.journal.tagged_by(plan)


@dataclass
class _Run:
    """One run of the use case."""

    config: Config
    request: RestoreRequest
    journal: SqliteJournal
    withdraw: Withdraw
    on_result: OnResult
    stop: Callable[[], bool]

    def run(self) -> RestoreSummary:
        """Restore, then untag if requested and not stopped."""
        summary, back = self._restore()
        if self.request.untag and not summary.stopped:
            summary = self._untag(summary, tuple(each.now.path for each in back if each.now is not None))
        if self.request.untag and not summary.stopped:
            summary = self._undo_copies(summary, {each.record.path for each in back})
        return summary

    @property
    def _roots(self) -> list[Path]:
        return [watch.path for watch in self.config.watch]

    def _restore(self) -> tuple[RestoreSummary, list[Restored]]:
        """Restore the selected photos; return the results of those that came back, too."""
        selection, dry_run = self.request.selection, self.request.dry_run
        journal = Undecided(self.journal) if self.request.undecided else self.journal
        restorer = Restorer(self._roots, journal, self.withdraw)
        summary = RestoreSummary()
        back: list[Restored] = []
        places = begin_restore(self.config.quarantine, selection, restorer.leftovers, dry_run=dry_run)
        for number, place in enumerate(places):
            if self.stop():
                return replace(summary, stopped=True, remaining=len(places) - number), back
            result = restorer.restore(place, deleted=selection.names_no_photo, dry_run=dry_run)
            summary = summary.with_restored(result)
            back += [] if result.now is None or result.fault else [result]
            self.on_result(result)
        if selection.everything and not dry_run:
            end_restore(self.config.quarantine, restorer.leftovers)
        return summary, back

    def _untag(self, summary: RestoreSummary, back: tuple[Path, ...]) -> RestoreSummary:
        """Untag the selected photos, and those that were just restored to `back`."""
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
            self.on_result(result)
            if self.stop():
                return replace(summary, stopped=True)
        return summary

    def _undo_copies(self, summary: RestoreSummary, records: Collection[Path]) -> RestoreSummary:
        """Remove the copies of the selected photos, except those that are still in quarantine."""
        undo = CopyUndo(self._roots, self.config.quarantine, self.journal, self.request.dry_run)
        for result in undo.undo(self.request.selection, records):
            summary = summary.with_copy(result)
            self.on_result(result)
            if self.stop():
                return replace(summary, stopped=True)
        return summary
