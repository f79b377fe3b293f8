"""Taking repaired copies back: a file is removed only if its bytes are those that the journal holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from culld.app.copies.origin import place_of_copy
from culld.errors import PhotoChangedError, PhotoError
from culld.files.locks import folder_lock
from culld.files.remove_own import RECORD_SUFFIX, remove_copy
from culld.files.set_aside import Leftovers
from culld.quarantine.untag import digest_at
from culld.records import CopyState, display_path

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from culld.quarantine.selection import Selection
    from culld.records import RecordedCopy, RecordedDecision, RootedPath

_TAKEN_BACK = "it was taken back with `culld restore --untag`"


class CopyJournal(Protocol):
    """The part of the journal that `undo_copies` uses."""

    def undoable_copies(self) -> list[tuple[RecordedCopy, RecordedDecision]]:
        """Return the copies that wait, are begun or are made, each with the decision about its photo."""

    def copy_of(self, decision: int) -> RecordedCopy | None:
        """Return the copy of the photo of a decision."""

    def moved_to(self, decision: RecordedDecision) -> RootedPath:
        """Return the path in quarantine that a decision moved its photo to."""

    def note_copy_removed(self, decision: int, reason: str) -> None:
        """Store that a copy was removed, or will not be made."""


@dataclass(frozen=True, slots=True)
class CopyUndone:
    """A copy that was removed (or would be); it stays for the reason in `note`, or because of the `fault`."""

    place: RootedPath
    note: str = ""
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class CopyUndo:
    """Takes copies in `roots` back; the lock of the `quarantine` keeps the daemon from writing copies meanwhile."""

    roots: Collection[Path]
    quarantine: Path
    journal: CopyJournal
    dry_run: bool = False

    def undo(self, selection: Selection, records: Collection[Path]) -> Iterator[CopyUndone]:
        """Take the copies of the selected photos back, and yield a result for each one that has a file.

        `records` are those of photos that came back from quarantine in this run, or would; the copies of other photos
        in quarantine stay. If the iteration is stopped, the remaining copies stay.
        """
        for copy, decision in self.journal.undoable_copies():
            if decision.place.root in self.roots and self._is_selected(decision, selection, records):
                try:
                    result = self._undo(copy)
                except PhotoChangedError as error:
                    result = CopyUndone(copy.place or place_of_copy(decision), note=str(error))
                except PhotoError as error:
                    result = CopyUndone(copy.place or place_of_copy(decision), fault=str(error))
                if result is not None:
                    yield result

    def _is_selected(self, decision: RecordedDecision, selection: Selection, records: Collection[Path]) -> bool:
        moved = self.journal.moved_to(decision)
        record = moved.beside(moved.relative.name + RECORD_SUFFIX).path
        if record in records and (decision.restored or self.dry_run):
            return True
        places = (decision.place.path, decision.now.path, moved.path)
        return not decision.away and selection.matches(places, decision.made_at)

    def _undo(self, copy: RecordedCopy) -> CopyUndone | None:
        """Take one copy back."""
        with folder_lock(self.quarantine):
            found = self.journal.copy_of(copy.decision) or copy
            if found.state not in {CopyState.WAITING, CopyState.BEGUN, CopyState.MADE}:
                return None
            place = found.place
            if place is None or not self._is_copy(place, found.digest):
                self._note(copy.decision)
                return None
            if not self.dry_run:
                remove_copy(place, found.digest)
            self._note(copy.decision)
            return CopyUndone(place)

    def _is_copy(self, place: RootedPath, digest: str) -> bool:
        """Return whether the file of a copy is there; raises PhotoChangedError if it is another file."""
        if not self.dry_run:  # a killed run may have set it aside before it removed it
            Leftovers().give_back(place)
        found = digest_at(place)
        if found not in {None, digest}:
            raise PhotoChangedError(f"another program changed {display_path(place.path)} since; it stays")
        return found is not None

    def _note(self, decision: int) -> None:
        if not self.dry_run:
            self.journal.note_copy_removed(decision, _TAKEN_BACK)
