"""Restoring photos from quarantine, by the records on the disk, so that it also works when the journal is lost.

A photo is restored completely before the next one: noted in the journal, its tags taken out, its files moved, its
record removed. The record is removed last, so that the next restore finishes an interrupted one.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from culld.errors import PhotoBlockedError, PhotoChangedError, PhotoError
from culld.files.locks import folder_lock
from culld.files.move import finish_copied_move, move_file
from culld.files.open_beneath import exists, stamp_of
from culld.files.remove_own import RECORD_SUFFIX, remove_empty_folders, remove_record
from culld.files.set_aside import Leftovers, remove_claim
from culld.quarantine.origin import Home, already_back_at, plan_return
from culld.quarantine.orphans import put_away
from culld.quarantine.record import BadRecordError, read_record
from culld.quarantine.selection import selected
from culld.quarantine.untag import digest_at, take_out
from culld.records import Move, RootedPath, display_path

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from culld.ports import Restorations
    from culld.quarantine.record import RecordFile
    from culld.quarantine.selection import Selection
    from culld.quarantine.untag import Withdraw
    from culld.records import Rewrite


@dataclass(frozen=True, slots=True)
class Restored:
    """The result for one record: where the photo is now (or would be), with a note, or the fault that prevented it.

    `now` and `fault` are both None where the user had deleted the photo from quarantine: its record is removed.
    """

    record: RootedPath
    now: RootedPath | None = None
    note: str = ""
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Restorer:
    """Moves photos back to `roots`, the only folders that it writes to besides the quarantine.

    `withdraw` is passed to `take_out`; if it is None, the tags stay in the files. `leftovers` are those of one run.
    """

    roots: Collection[Path]
    journal: Restorations
    withdraw: Withdraw | None = None
    leftovers: Leftovers = field(default_factory=Leftovers)

    def restore(self, place: RootedPath, *, deleted: bool = True, dry_run: bool = False) -> Restored:
        """Move the photo of the record at `place` and its sidecars back to where they came from.

        No file is replaced: if a name is taken, the photo gets a name with a suffix. Before its files change, its
        contents are noted in the journal, so that no daemon moves it again. A photo that is neither in quarantine nor
        at its origin was deleted by the user: if `deleted`, that is noted and its record removed; otherwise it is a
        fault. With `dry_run` nothing is changed. Every failure is in the result.
        """
        try:
            with folder_lock(place.root):
                found = read_record(place)
                self._require_root(found)
                if not dry_run:
                    self._return_aside(found)
                home = self._home(found)
                if home is None:
                    return self._orphan(found, deleted=deleted, dry_run=dry_run)
                if dry_run:
                    return Restored(place, home.photo, _note(found, home, ()))
                return self._bring_back(found, home)
        except BadRecordError as error:
            return Restored(
                place, fault=f"{display_path(place.path)} is no record of culld ({error}); it was not changed"
            )
        except PhotoError as error:
            return Restored(place, fault=str(error))

    def _require_root(self, found: RecordFile) -> None:
        root = found.record.root
        if root not in self.roots:
            raise PhotoBlockedError(
                f"{display_path(found.photo.path)} came from {display_path(root)}, which the configuration no "
                "longer watches; add that folder to `watch` again, or move the photo by hand"
            )

    def _return_aside(self, found: RecordFile) -> None:
        """Give members their names back that a killed restore had set aside while it took tags out or moved them."""
        tagged = self.journal.tagged_by(found.record.plan)
        versions = [frozenset({each.before or "", each.after}) for some in tagged for each in some.rewrites]
        for member in found.record.members:
            self.leftovers.give_back(found.place.beside(member.name), versions)

    def _home(self, found: RecordFile) -> Home | None:
        return (
            plan_return(found)
            if exists(found.photo)
            else already_back_at(found, self.journal.reject(found.record.plan))
        )

    def _orphan(self, found: RecordFile, *, deleted: bool, dry_run: bool) -> Restored:
        if not deleted:
            raise PhotoChangedError(
                f"{display_path(found.photo.path)} is no longer in quarantine; `culld restore --all` removes its "
                "record, and so does the daemon once a day"
            )
        if dry_run:
            return Restored(found.place, note="it is no longer in quarantine; its record would be removed")
        return Restored(found.place, note=put_away(found, self.journal))

    def _bring_back(self, found: RecordFile, home: Home) -> Restored:
        """Note the restore, take the tags out, move the files, note the photo's new stamp; then remove the record."""
        plan = found.record.plan
        rewrites = [each for tagged in self.journal.tagged_by(plan) for each in reversed(tagged.rewrites)]
        note = _note(found, home, {each.place.relative for each in rewrites if each.before is None})
        digests = {found.record.judged, found.record.photo.digest, digest_at(found.photo) or found.record.judged}
        self.journal.note_restored(plan, digests, home.photo, None)
        for place in (found.place, home.photo):  # of a restore that was killed while it wrote
            self.leftovers.remove_temporary(place.root, place.relative.parent)
        for place in home.members:
            remove_claim(place)
        for move in _moves(found, home):
            if exists(move.target):  # its copy is complete
                finish_copied_move(move)
        untagged = self._take_out(found, home, rewrites)
        for move in _moves(found, home):
            move_file(move)
            digests |= {move.digest} if move.target == home.photo else set()
        self.journal.note_restored(plan, digests, home.photo, stamp_of(home.photo))
        remove_record(found.place, found.digest)
        remove_empty_folders(found.place.root, found.place.relative.parent)
        return Restored(found.place, home.photo, "; ".join(filter(None, (note, untagged))))

    def _take_out(self, found: RecordFile, home: Home, rewrites: Iterable[Rewrite]) -> str:
        """Take out what culld wrote to the files of the photo, wherever each is now; return a note about it."""
        if self.withdraw is None:
            return ""
        places = {
            member.origin: here if exists(here := found.place.beside(member.name)) else there
            for member, there in zip(found.record.members, home.members, strict=True)
        }
        here_or_there = [
            replace(rewrite, place=places[rewrite.place.relative])
            for rewrite in rewrites
            if rewrite.place.relative in places
        ]
        removed = take_out(here_or_there, self.withdraw, self.leftovers)
        return "; ".join((*removed.notes, *removed.faults))


def _moves(found: RecordFile, home: Home) -> Iterator[Move]:
    """Yield the moves of the members that are in quarantine, each with the digest that its file has now."""
    for member, there in zip(found.record.members, home.members, strict=True):
        here = found.place.beside(member.name)
        if (digest := digest_at(here)) is not None:
            yield Move(here, there, digest)


def _note(found: RecordFile, home: Home, made: Collection[Path]) -> str:
    """Return a note about a restored photo: another name, and missing members except those that culld `made`."""
    notes = []
    origin = Path(found.record.photo.origin.name)
    if home.photo.relative.name != origin.name:
        notes.append(f"the name {display_path(origin)} is taken, so it gets another name beside it")
    missing = [
        display_path(Path(member.name))
        for member in found.record.members
        if member.origin not in made and not exists(found.place.beside(member.name))
    ]
    if missing:
        notes.append("no longer in quarantine: " + ", ".join(missing))
    return "; ".join(notes)


def begin_restore(
    quarantine: Path, selection: Selection, leftovers: Leftovers, *, dry_run: bool = False
) -> list[RootedPath]:
    """Walk the quarantine once, and return the records of the selected photos in the order of their paths.

    Temporary files of killed processes are removed, and records that they had set aside get their names back. Raises
    PhotoBlockedError if the quarantine cannot be opened; an empty one is no error.
    """
    with folder_lock(quarantine):
        names = [name for name in leftovers.walk(quarantine) if name.name.endswith(RECORD_SUFFIX)]
        records = {RootedPath(quarantine, name) for name in names}
        if not dry_run:
            leftovers.remove_temporary(quarantine)
            records.update(leftovers.give_back_all(quarantine, RECORD_SUFFIX))
    return selected(records, selection)


def end_restore(quarantine: Path, leftovers: Leftovers) -> None:
    """Give files that killed processes had set aside their names back, once everything was restored."""
    with folder_lock(quarantine):
        leftovers.give_back_all(quarantine)


def restore(quarantine: Path, selection: Selection, restorer: Restorer, *, dry_run: bool = False) -> Iterator[Restored]:
    """Restore the selected photos one after the other, as they are iterated over; see `Restorer.restore`.

    Raises PhotoBlockedError if the quarantine itself cannot be opened.
    """
    for place in begin_restore(quarantine, selection, restorer.leftovers, dry_run=dry_run):
        yield restorer.restore(place, deleted=selection.names_no_photo, dry_run=dry_run)
    if selection.everything and not dry_run:
        end_restore(quarantine, restorer.leftovers)
