"""The writing half of the journal: an intent is on disk before the first file changes, an outcome after the last."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from culld.journal import file_state
from culld.journal.copies import CopyWriter
from culld.journal.database_errors import translate_errors
from culld.journal.decisions import DecisionReader
from culld.journal.file_state import FileState
from culld.journal.plans import Ending, close_plan, end_plan, import_decision, insert_plans, settle_photo
from culld.journal.retention import Retention
from culld.journal.row_mapping import escape_surrogates, from_int64, place_row, to_int64, to_micros
from culld.journal.wishes import Wishes, note_untagged_or_restored
from culld.records import PlanState
from culld.retry import RetryPolicy

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from culld.records import (
        FileSnapshot,
        FileStat,
        OpenPlan,
        Outcome,
        Photo,
        Plan,
        ReadFailure,
        RecordedDecision,
        RootedPath,
    )


class Batch:
    """The open journal entry of a batch: it collects outcomes, which are committed together when the batch ends."""

    def __init__(self) -> None:
        """Start without outcomes."""
        self.closed: list[Outcome] = []

    def close(self, outcome: Outcome) -> Outcome:
        """Keep the outcome of one plan, and return it."""
        self.closed.append(outcome)
        return outcome


class SqliteJournal(DecisionReader, Wishes, CopyWriter, Retention):
    """Fulfils `ports.Journal`, `ports.OpenPlans` and `ports.Restorations`; every method may raise SystemFaultError."""

    # For the scanner and the pipeline.

    def unknown(self, seen: Iterable[FileSnapshot]) -> Iterator[FileSnapshot]:
        """Yield the files that are new, have changed, or are due for another try."""
        with translate_errors(self.path):
            yield from file_state.changed_files(self._db, seen, self._clock.now())

    def unknown_or_judged(self, seen: Iterable[FileSnapshot]) -> Iterator[FileSnapshot]:
        """Yield the files that `unknown` yields, and those that were judged or restored by the user."""
        with translate_errors(self.path):
            yield from file_state.changed_files(self._db, seen, self._clock.now(), judged=True)

    def judged(self, settled: Sequence[FileSnapshot]) -> dict[RootedPath, frozenset[str]]:
        """Return, for each file at whose path a content was judged, the digest of that content in a set."""
        with translate_errors(self.path):
            found = {snapshot.place: file_state.judged_digest(self._db, snapshot.place) for snapshot in settled}
        return {place: frozenset({digest}) for place, digest in found.items() if digest is not None}

    def unseen(self, photos: Sequence[Photo]) -> list[Photo]:
        """Return the photos whose content was not judged at their path; store the new stamps of the others."""
        with translate_errors(self.path):
            seen = [photo for photo in photos if file_state.was_judged(self._db, photo)]
        if seen:
            with self._writing() as db:
                for photo in seen:
                    file_state.restamp(db, photo.place, photo.stamp)
        return [photo for photo in photos if photo not in seen]

    def is_restored(self, digest: str) -> bool:
        """Return whether the user restored this content, or the content that culld made this one of by tagging it."""
        with translate_errors(self.path):
            return file_state.is_restored(self._db, digest)

    def fault(self, fault: ReadFailure) -> None:
        """Store why a file could not be read, and when the next try is due."""
        snapshot = fault.snapshot
        with self._writing() as db:
            file_state.save_failure(
                db,
                snapshot.place,
                snapshot.stamp,
                RetryPolicy(fault.reason, fault.retry_after, fault.steady, fault.tries),
                self._clock.now(),
            )

    @contextmanager
    def intend(self, plans: Sequence[Plan]) -> Iterator[Batch]:
        """Commit the plans of a batch; at the end of the block, also after an exception, commit all closed outcomes.

        A plan that was not closed stays open for a replay.
        """
        if plans:
            with self._writing() as db:
                insert_plans(db, plans)
        batch = Batch()
        try:
            yield batch
        finally:
            if batch.closed:
                with self._writing() as db:
                    for outcome in batch.closed:
                        close_plan(db, outcome, self._clock.now())

    # For replay.

    def finish(self, plan: OpenPlan, now: RootedPath, stamp: FileStat | None, digest: str) -> None:
        """End a plan that was carried out; the photo is at `now`."""
        with self._writing() as db:
            settle_photo(db, plan.photo, now, stamp, digest)
            end_plan(db, plan.id, Ending(PlanState.DONE, now, digest), self._clock.now())

    def forget(self, plan: OpenPlan) -> None:
        """End a plan that was rolled back; its photo will be judged again."""
        with self._writing() as db:
            file_state.delete(db, plan.photo)
            end_plan(db, plan.id, Ending(PlanState.ROLLED_BACK, plan.photo, plan.digest), self._clock.now())

    def park(self, plan: OpenPlan, stamp: FileStat | None, reason: str) -> None:
        """Keep a plan open until the user has decided; the photo is skipped while it has this stamp."""
        with self._writing() as db:
            file_state.park(db, plan.photo, stamp, reason)
            db.execute(
                "UPDATE decision SET state = ?, fault = ? WHERE plan = ?",
                (PlanState.NEEDS_ATTENTION, escape_surrogates(reason), plan.id),
            )

    # For restore.

    def note_restored(self, plan: str, digests: Collection[str], place: RootedPath, stamp: FileStat | None) -> None:
        """Store that the user restores the photo of a plan to `place`: these contents are never moved again.

        It is called before the photo moves, with no stamp, and again afterwards.
        """
        now = to_micros(self._clock.now())
        with self._writing() as db:
            self._protect(db, digests)
            file_state.drop_quarantined(db, plan)
            note_untagged_or_restored(db, plan, now)
            db.execute(
                "UPDATE decision SET restored_at = ?, now_root = ?, now_relative = ? WHERE plan = ?",
                (now, *place_row(place), plan),
            )
            file_state.save(db, place, stamp, "", FileState.RESTORED)

    def note_undecided(self, plan: str) -> None:
        """Store that the user restored the photo of a plan without calling the decision wrong."""
        with self._writing() as db:
            db.execute("UPDATE decision SET released = 'undecided' WHERE plan = ?", (plan,))

    def note_deleted(self, plan: str) -> None:
        """Store that the user deleted the photo of a plan from quarantine; feedback that is stored already stays."""
        with self._writing() as db:
            db.execute(
                "UPDATE decision SET released = 'deleted' WHERE plan = ? AND restored_at IS NULL AND released = ''",
                (plan,),
            )

    def note_unclear(self, plan: str, digests: Collection[str]) -> None:
        """Store that the contents of a plan's photo are back for an unknown reason: they are never moved again.

        It does not count as feedback.
        """
        with self._writing() as db:
            self._protect(db, digests)
            db.execute("UPDATE decision SET released = 'unclear' WHERE plan = ?", (plan,))

    def _protect(self, db: sqlite3.Connection, digests: Collection[str]) -> None:
        now = to_micros(self._clock.now())
        db.executemany("INSERT OR IGNORE INTO restored VALUES (?, ?)", [(digest, now) for digest in digests])

    def note_returned(self, plan: str, place: RootedPath, why: str = "policy") -> None:
        """Store that the photo of a plan returned to `place`, where it will be judged again.

        `why` is the reason: "policy" for a new policy, "series" for other shots of its series that arrived.
        """
        with self._writing() as db:
            file_state.drop_quarantined(db, plan)
            db.execute(
                "UPDATE decision SET now_root = ?, now_relative = ?, released = ? WHERE plan = ?",
                (*place_row(place), why, plan),
            )
            file_state.delete(db, place)

    def note_trashed(self, plan: str) -> None:
        """Store that the photo of a plan was put into the trash of the desktop because of its age."""
        with self._writing() as db:
            file_state.drop_quarantined(db, plan)
            db.execute("UPDATE decision SET released = 'trash' WHERE plan = ?", (plan,))

    # For the guard against empty mount points.

    def device_of(self, folder: Path) -> int | None:
        """Return the device that a folder was on when it was last used; None if that is not known."""
        rows = self._rows("SELECT device FROM folder WHERE path = ?", (os.fsencode(folder),))
        return from_int64(rows[0]["device"]) if rows else None

    def remember_device(self, folder: Path, device: int) -> None:
        """Store the device that a folder is on."""
        with self._writing() as db:
            db.execute("INSERT OR REPLACE INTO folder VALUES (?, ?)", (os.fsencode(folder), to_int64(device)))

    # For `journal rebuild`.

    def import_decisions(self, decisions: Sequence[RecordedDecision]) -> int:
        """Store the decisions that the journal does not have, as carried out; return how many there were."""
        with self._writing() as db:
            return sum(import_decision(db, decision) for decision in decisions)

    # For `status`.

    def set_status(self, key: str, value: str, at: datetime) -> None:
        """Store a value for `culld status`, in place of the one under the same key."""
        with self._writing() as db:
            db.execute("INSERT OR REPLACE INTO note VALUES (?, ?, ?)", (key, escape_surrogates(value), to_micros(at)))
