"""The journal in SQLite: every intent is on disk before the first file changes, every outcome after the last."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Self

from culld.journal import file_state, retention
from culld.journal.adoption import import_record
from culld.journal.connection import connect, connect_readonly
from culld.journal.database_errors import translate_errors
from culld.journal.queries import JournalReader
from culld.journal.row_mapping import (
    escape_surrogates,
    insert_plan,
    moves_of,
    place_of,
    place_row,
    rewrites_of,
    to_int64,
    to_micros,
)
from culld.journal.states import FileState, PlanState
from culld.records import OpenPlan

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path
    from types import TracebackType

    from culld.journal.adoption import ImportedRecord
    from culld.ports import Clock
    from culld.records import FileSnapshot, FileStat, Outcome, Photo, Plan, ReadFailure, RootedPath


_RETRY_AFTER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a plan ended, and where its photo is with which content."""

    state: PlanState
    now: RootedPath
    digest: str
    note: str = ""
    fault: str | None = None


class Batch:
    """The open journal entry of a batch: outcomes gather here and are committed together when the batch ends."""

    def __init__(self) -> None:
        """Begin with no outcome."""
        self.closed: list[Outcome] = []

    def close(self, outcome: Outcome) -> Outcome:
        """Take in what became of one plan, and hand the outcome back."""
        self.closed.append(outcome)
        return outcome


class SqliteJournal(JournalReader):
    """Fulfils `ports.Journal`, `ports.OpenPlans` and `ports.Restorations`; every method may raise SystemFaultError.

    It belongs to the thread that opened it. Other processes may have it open at the same time: its transactions are
    short, and each waits for the other. `set_aside` is where a damaged database was renamed to at opening, if it was.
    """

    def __init__(self, db: sqlite3.Connection, path: Path, clock: Clock, set_aside: Path | None = None) -> None:
        """Use a connection that `open` or `open_readonly` made."""
        super().__init__(db, path)
        self._clock = clock
        self.set_aside = set_aside

    @classmethod
    def open(cls, path: Path, clock: Clock) -> Self:
        """Open or create the journal; a damaged one is renamed, never deleted, and a new one begun."""
        db, aside = connect(path, clock.now())
        return cls(db, path, clock, aside)

    @classmethod
    def open_readonly(cls, path: Path, clock: Clock) -> Self:
        """Open the journal only to ask it; raises SystemFaultError if culld has not run yet."""
        return cls(connect_readonly(path), path, clock)

    def close(self) -> None:
        """Let go of the database."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # What the scanner and the pipeline ask.

    def unknown(self, seen: Iterable[FileSnapshot]) -> Iterator[FileSnapshot]:
        """The files that were not dealt with as they are, or have to be looked at again by now."""
        with translate_errors(self.path):
            yield from file_state.changed_files(self._db, seen, self._clock.now())

    def judged(self, settled: Sequence[FileSnapshot]) -> dict[RootedPath, frozenset[str]]:
        """The digest of what was judged at the place of each file, where something was."""
        with translate_errors(self.path):
            found = {sighting.place: file_state.judged_digest(self._db, sighting.place) for sighting in settled}
        return {place: frozenset({digest}) for place, digest in found.items() if digest is not None}

    def unseen(self, photos: Sequence[Photo]) -> list[Photo]:
        """The photos whose content at that place has not been judged; of the others the new stamp is kept."""
        with translate_errors(self.path):
            seen = [photo for photo in photos if file_state.was_judged(self._db, photo)]
        if seen:
            with self._writing() as db:
                for photo in seen:
                    file_state.restamp(db, photo.place, photo.stamp)
        return [photo for photo in photos if photo not in seen]

    def fault(self, fault: ReadFailure) -> None:
        """Record a file that could not be read, and when to look again."""
        sighting = fault.sighting
        with self._writing() as db:
            file_state.save_failure(
                db,
                sighting.place,
                sighting.stamp,
                file_state.RetryPolicy(fault.reason, fault.retry_after, fault.steady, fault.tries),
                self._clock.now(),
            )

    @contextmanager
    def intend(self, plans: Sequence[Plan]) -> Iterator[Batch]:
        """Commit the plans of a batch; when the block ends, however it does, all closed outcomes are committed.

        A plan that was not closed stays open for a replay.
        """
        if plans:
            with self._writing() as db:
                for plan in plans:
                    insert_plan(db, plan)
        batch = Batch()
        try:
            yield batch
        finally:
            if batch.closed:
                with self._writing() as db:
                    for outcome in batch.closed:
                        self._close(db, outcome)

    # What replay asks.

    def unfinished(self) -> list[OpenPlan]:
        """Every plan that is not ended, the oldest first; parked ones are among them."""
        with translate_errors(self.path):
            rows = self._db.execute(
                "SELECT id, plan, root, relative, digest FROM decision WHERE state IN ('open', 'parked') ORDER BY id"
            ).fetchall()
            return [
                OpenPlan(plan, place_of(root, relative), digest, rewrites_of(self._db, n), moves_of(self._db, n))
                for n, plan, root, relative, digest in rows
            ]

    def finish(self, plan: OpenPlan, now: RootedPath, stamp: FileStat | None, digest: str) -> None:
        """The plan is carried out; the photo is at `now`."""
        with self._writing() as db:
            _settle(db, plan.photo, now, stamp, digest)
            self._end(db, plan.id, Ending(PlanState.DONE, now, digest))

    def forget(self, plan: OpenPlan) -> None:
        """Nothing of the plan is in effect; its photo will be judged again."""
        with self._writing() as db:
            file_state.delete(db, plan.photo)
            self._end(db, plan.id, Ending(PlanState.ROLLED_BACK, plan.photo, plan.digest))

    def park(self, plan: OpenPlan, stamp: FileStat | None, reason: str) -> None:
        """Nobody but a person can tell what to do; the plan stays open, the photo with this stamp is passed over."""
        with self._writing() as db:
            file_state.park(db, plan.photo, stamp, reason)
            db.execute(
                "UPDATE decision SET state = ?, fault = ? WHERE plan = ?",
                (PlanState.NEEDS_ATTENTION, escape_surrogates(reason), plan.id),
            )

    # What restore asks.

    def note_restored(self, plan: str, digests: Collection[str], place: RootedPath, stamp: FileStat | None) -> None:
        """A person wants the photo of a plan back at `place`: these contents are never taken again.

        It is told before the photo moves, with no stamp, and again afterwards.
        """
        now = to_micros(self._clock.now())
        with self._writing() as db:
            self._protect(db, digests)
            file_state.drop_quarantined(db, plan)
            db.execute(
                "UPDATE decision SET restored_at = ?, now_root = ?, now_relative = ? WHERE plan = ?",
                (now, *place_row(place), plan),
            )
            file_state.save(db, place, stamp, "", FileState.RESTORED)

    def note_undecided(self, plan: str) -> None:
        """The photo of a plan was brought back without saying that culld was wrong: it is no answer of a person."""
        with self._writing() as db:
            db.execute("UPDATE decision SET released = 'undecided' WHERE plan = ?", (plan,))

    def note_deleted(self, plan: str) -> None:
        """A person removed the photo of a plan from quarantine; an answer that was noted before stays."""
        with self._writing() as db:
            db.execute(
                "UPDATE decision SET released = 'deleted' WHERE plan = ? AND restored_at IS NULL AND released = ''",
                (plan,),
            )

    def note_unclear(self, plan: str, digests: Collection[str]) -> None:
        """The contents of a plan's photo are back, by whom cannot be told: they are never taken again.

        It is no answer of a person.
        """
        with self._writing() as db:
            self._protect(db, digests)
            db.execute("UPDATE decision SET released = 'unclear' WHERE plan = ?", (plan,))

    def _protect(self, db: sqlite3.Connection, digests: Collection[str]) -> None:
        now = to_micros(self._clock.now())
        db.executemany("INSERT OR IGNORE INTO restored VALUES (?, ?)", [(digest, now) for digest in digests])

    def note_returned(self, plan: str, place: RootedPath) -> None:
        """The policy, not a person, lets the photo of a plan come back to `place`, where it will be judged anew."""
        with self._writing() as db:
            file_state.drop_quarantined(db, plan)
            db.execute(
                "UPDATE decision SET now_root = ?, now_relative = ?, released = 'policy' WHERE plan = ?",
                (*place_row(place), plan),
            )
            file_state.delete(db, place)

    def note_trashed(self, plan: str) -> None:
        """The photo of a plan was put into the trash of the desktop, as the configuration asks for old ones."""
        with self._writing() as db:
            file_state.drop_quarantined(db, plan)
            db.execute("UPDATE decision SET released = 'trash' WHERE plan = ?", (plan,))

    # What tells a folder from its empty mount point.

    def remember_device(self, folder: Path, device: int) -> None:
        """A folder is on this device."""
        with self._writing() as db:
            db.execute("INSERT OR REPLACE INTO folder VALUES (?, ?)", (os.fsencode(folder), to_int64(device)))

    # What `journal rebuild` asks.

    def import_record(self, photos: Sequence[ImportedRecord]) -> int:
        """Take over the decisions about these photos in quarantine that are not known; gives how many there were."""
        with self._writing() as db:
            return sum(import_record(db, photo) for photo in photos)

    # What is forgotten.

    def forget_decisions(self, before: datetime, last: int) -> int:
        """Drop some of the decisions before a moment, up to the number `last`, that nothing depends on.

        Returns how many, 0 if none is left.
        """
        with self._writing() as db:
            return retention.forget_decisions(db, before, last)

    def forget_files(self, places: Sequence[RootedPath]) -> None:
        """These files are gone; one that comes back is judged as a new one."""
        with self._writing() as db:
            retention.forget_files(db, places)

    # What `status` is told.

    def set_status(self, key: str, value: str, at: datetime) -> None:
        """Tell `culld status` something, in place of what was said before under the same key."""
        with self._writing() as db:
            db.execute("INSERT OR REPLACE INTO note VALUES (?, ?, ?)", (key, escape_surrogates(value), to_micros(at)))

    def _close(self, db: sqlite3.Connection, outcome: Outcome) -> None:
        plan, place = outcome.plan, outcome.plan.photo.place
        if outcome.unfinished:
            file_state.park(db, place, outcome.stamp, outcome.fault or "")
            db.execute(
                "UPDATE decision SET fault = ? WHERE plan = ?", (escape_surrogates(outcome.fault or ""), plan.id)
            )
        elif outcome.fault is not None:
            file_state.save_failure(
                db,
                place,
                outcome.stamp or plan.photo.stamp,
                file_state.RetryPolicy(outcome.fault, outcome.retry_after or _RETRY_AFTER),
                self._clock.now(),
            )
            self._end(db, plan.id, Ending(PlanState.FAULT, outcome.now, outcome.digest, outcome.note, outcome.fault))
        else:
            _settle(db, place, outcome.now, outcome.stamp, outcome.digest)
            self._end(db, plan.id, Ending(PlanState.DONE, outcome.now, outcome.digest, outcome.note))

    def _end(self, db: sqlite3.Connection, plan: str, ending: Ending) -> None:
        db.execute(
            "UPDATE decision SET state = ?, now_root = ?, now_relative = ?, now_digest = ?, note = ?, fault = ?,"
            " closed_at = ? WHERE plan = ?",
            (
                ending.state,
                *place_row(ending.now),
                ending.digest,
                escape_surrogates(ending.note),
                ending.fault and escape_surrogates(ending.fault),
                to_micros(self._clock.now()),
                plan,
            ),
        )

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of the block or, after any exception, none of it."""
        with translate_errors(self.path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:  # also Ctrl-C: an open transaction would hold the database
                if self._db.in_transaction:  # SQLite itself ends it when the disk is full or fails
                    self._db.execute("ROLLBACK")
                raise


def _settle(db: sqlite3.Connection, origin: RootedPath, now: RootedPath, stamp: FileStat | None, digest: str) -> None:
    """A photo that stayed is passed over from now on; of one that left nothing is kept, so that it may come again.

    The stamp that it has in quarantine tells it from a copy, should it be moved out by hand.
    """
    file_state.save(db, now, stamp, digest, FileState.DECIDED)
    if now != origin:
        file_state.delete(db, origin)
