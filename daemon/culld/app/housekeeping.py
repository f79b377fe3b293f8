"""Daily housekeeping while no photo waits: send the summary, trash expired photos, delete old rows of the journal."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from culld.errors import PhotoError
from culld.files.locks import folder_lock
from culld.files.open_beneath import exists
from culld.quarantine.record import BadRecordError, read_record, record_places
from culld.records import Verdict, display_path

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from pathlib import Path

    from culld.app.decision_ages import DecisionAges
    from culld.app.elapsed import Elapsed
    from culld.journal.store import SqliteJournal
    from culld.ports import Clock
    from culld.quarantine.record import RecordFile
    from culld.records import RecordedDecision, RootedPath

log = logging.getLogger(__name__)

_EVERY: Final = timedelta(days=1)
_NOTE: Final = "tidied"
_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class ExpiredToTrash:
    """Puts expired photos into the trash with `to_trash`, and notes the plan of each with `note_trashed`."""

    quarantine: Path
    to_trash: Callable[[Path], None]
    note_trashed: Callable[[str], None]

    def expire(self, before: datetime, is_old: Callable[[str], bool]) -> int:
        """Put the photos that were quarantined before `before` into the trash, and return their number.

        The record holds the time by the wall clock; `is_old` returns whether a plan is old by counted time. Both must
        agree. A photo that cannot be put into the trash stays, and the error is logged.
        """
        count = 0
        for place in sorted(record_places(self.quarantine), key=lambda place: place.relative):
            try:
                with folder_lock(self.quarantine):
                    found = read_record(place)
                    if found.record.made_at < before and is_old(found.record.plan) and exists(found.photo):
                        self._trash(found)
                        count += 1
            except (BadRecordError, PhotoError) as error:
                log.warning("%s stays in quarantine: %s", display_path(place.path), error)
        return count

    def _trash(self, found: RecordFile) -> None:
        """Put the files into the trash, the record last, so that the photo can be restored after an interruption."""
        for member in found.record.members:
            place = found.place.beside(member.name)
            if exists(place):
                self.to_trash(place.path)
        self.note_trashed(found.record.plan)
        self.to_trash(found.place.path)
        log.info("%s was put into the trash (quarantine.trash_after)", display_path(found.photo.path))


@dataclass(frozen=True, slots=True)
class Housekeeping:
    """Sends the daily summary, and removes old decisions from the journal and old photos from quarantine.

    Decisions are kept for the time `history`, photos in quarantine for `trash_after` (None: for ever). Both the wall
    clock and counted time must exceed that age, and no decision or photo is removed while the wall clock is in doubt.
    The journal holds the time of the last run, so that a machine that never runs for a whole day is covered as well.
    `put_away_orphans` removes records whose photo the user deleted from quarantine; it gets the present roots.
    """

    journal: SqliteJournal
    clock: Clock
    ages: DecisionAges
    history: timedelta | None
    expiry: ExpiredToTrash | None = None
    trash_after: timedelta | None = None
    alert: Callable[[str], object] = lambda _: None
    put_away_orphans: Callable[[Sequence[Path], Callable[[], None]], object] = lambda _roots, _beat: None

    def is_due(self) -> bool:
        """Return whether the last run is a day ago, or in the future, which a wrong clock causes."""
        at, now = self._last(), self.clock.now()
        return at is None or now < at or now - at >= _EVERY

    def count_time(self) -> Elapsed:
        """Add to the counted time; must be called each hour, also if no housekeeping is due."""
        return self.ages.observe()

    def run(self, roots: Sequence[Path], beat: Callable[[], None], *, is_quarantine_there: bool = True) -> None:
        """Run all steps for the present roots; `beat` is called between the steps."""
        self._send_summary()
        beat()
        elapsed = self.count_time()
        if is_quarantine_there:
            self.put_away_orphans(roots, beat)
        if not elapsed.why:
            self._throw_away(elapsed, beat, is_quarantine_there=is_quarantine_there)
        for root in roots:
            self._forget_files(root, beat)
        self.journal.set_status(_NOTE, "", self.clock.now())

    def _throw_away(self, elapsed: Elapsed, beat: Callable[[], None], *, is_quarantine_there: bool) -> None:
        if self.expiry is not None and self.trash_after is not None and is_quarantine_there:
            last = elapsed.last_of_age(self.trash_after)
            self.expiry.expire(self.clock.now() - self.trash_after, lambda plan: self._is_up_to(plan, last))
            beat()
        if self.history is not None:
            last = elapsed.last_of_age(self.history)
            while self.journal.forget_decisions(self.clock.now() - self.history, last):
                beat()
            self.journal.forget_wishes(self.clock.now() - self.history)

    def _is_up_to(self, plan: str, last: int) -> bool:
        """Return whether the number of a plan is at most `last`; a plan that the journal lacks counts as young."""
        number = self.journal.number_of(plan)
        return number is not None and number <= last

    def _last(self) -> datetime | None:
        _, at = self.journal.status().get(_NOTE, ("", None))
        return at

    def _send_summary(self) -> None:
        at, now = self._last(), self.clock.now()
        text = daily_summary(self.journal.latest_decisions(now - _EVERY if at is None or now < at else at))
        if text:
            log.info("summary of the last day: %s", text)
            self.alert(text)

    def _forget_files(self, root: Path, beat: Callable[[], None]) -> None:
        last: RootedPath | None = None
        while places := self.journal.judged_files(root, last):
            self.journal.forget_files([place for place in places if _is_gone(place)])
            last = places[-1]
            beat()


def _is_gone(place: RootedPath) -> bool:
    try:
        return not exists(place)
    except PhotoError:  # its folder cannot be read
        return False


def daily_summary(cases: Sequence[RecordedDecision]) -> str:
    """Return the counts of the decisions, and up to 20 photos that were not moved; empty without decisions."""
    if not cases:
        return ""
    moved = sum(case.verdict is Verdict.QUARANTINE for case in cases)
    held = [case for case in cases if case.would_reject and case.verdict is not Verdict.QUARANTINE]
    not_moved = "matched the reject rules but were not moved (mode: observe, or the brake is active)"
    lines = [f"{len(cases)} photos judged, {moved} moved, {len(held)} {not_moved}"]
    lines += [f"  {display_path(case.stack.primary.photo.place.path)}  ({case.reason})" for case in held[:_SHOWN]]
    lines += [f"  ... and {len(held) - _SHOWN} more: see culld policy simulate"] if len(held) > _SHOWN else []
    return "\n".join(lines)
