"""Bringing photos of wishes back from quarantine, and taking tags out, with the tools of `culld restore`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from culld.app.returned import is_there
from culld.errors import PhotoBlockedError
from culld.files.open_beneath import stamp_of
from culld.files.remove_own import RECORD_SUFFIX
from culld.files.set_aside import Leftovers
from culld.quarantine.restore import Restorer
from culld.quarantine.selection import shot_of
from culld.quarantine.untag import digest_at, untag_photo
from culld.records import Verdict

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from culld.journal.store import SqliteJournal
    from culld.quarantine.untag import Withdraw
    from culld.records import RecordedDecision, RootedPath


@dataclass(frozen=True, slots=True)
class Restoring:
    """Brings photos back to `roots`; `withdraw` finds culld's keywords in a file that another program changed."""

    roots: Collection[Path]
    journal: SqliteJournal
    withdraw: Withdraw

    def restore(self, number: int) -> str:
        """Bring the photo of a decision back, with the others of its shot, or take its tags out; return a note.

        It can be repeated after a crash. Raises PhotoError with the reason if the photo cannot be brought back.
        """
        decision = self.journal.decision(number)
        if decision is None:
            raise PhotoBlockedError("its decision is no longer in the journal")
        if decision.verdict is Verdict.TAG:
            return self._untag(decision)
        note = self._bring_back(decision)
        for other in self.others_of_shot(decision):
            self._bring_back(other)
        return note

    def others_of_shot(self, decision: RecordedDecision) -> Iterator[RecordedDecision]:
        """Yield the decisions about the other photos of a shot that are in quarantine, or were being restored."""
        shot = shot_of(decision.plan)
        if shot:
            found = self.journal.of_shot(shot).values()
            yield from (each for each in found if each.plan != decision.plan and (each.away or each.restored))

    def _bring_back(self, decision: RecordedDecision) -> str:
        place = self.journal.moved_to(decision)
        if decision.restored and not is_there(place.beside(place.relative.name + RECORD_SUFFIX)):
            return ""  # it was brought back before culld was stopped, or with another photo of its shot
        restored = back(place, Restorer(self.roots, self.journal, self.withdraw))
        if isinstance(restored, str):
            again = self.journal.reject(decision.plan) or decision
            if again.restored and is_there(place):
                self.journal.note_still_quarantined(again, place, stamp_of(place), digest_at(place) or again.digest)
            raise PhotoBlockedError(restored)
        return restored[1]

    def _untag(self, decision: RecordedDecision) -> str:
        photo = decision.now
        if photo.root not in self.roots:
            raise PhotoBlockedError("the configuration no longer watches its folder")
        found = self.journal.tagged(photo)
        result = untag_photo(photo, found, self.journal, self.withdraw, Leftovers())
        if result is not None and result.fault is not None:
            raise PhotoBlockedError(result.fault)
        digest = digest_at(photo)
        digests = decision.digests | ({digest} if digest else frozenset())
        self.journal.note_restored(decision.plan, digests, photo, stamp_of(photo))
        return "" if result is None else result.note


def back(place: RootedPath, restorer: Restorer) -> tuple[RootedPath, str] | str:
    """Bring the photo at a path in quarantine back by its record; return its path and a note, or why that failed."""
    result = restorer.restore(place.beside(place.relative.name + RECORD_SUFFIX), deleted=False)
    if result.fault is not None or result.now is None:
        return result.fault or result.note
    return result.now, result.note
