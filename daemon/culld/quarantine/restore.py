"""The way back from quarantine. The records on the disk are the truth, so it works without the journal, too.

A photo is restored completely before the next one is begun: noted in the journal, its tags taken out, its files moved,
its record removed. The record goes last, so that a restore which was cut short is finished by the next one.
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
from culld.quarantine.record import BadRecordError
from culld.quarantine.record_files import read_record
from culld.quarantine.selection import selected
from culld.quarantine.untag import digest_at, take_out
from culld.records import Move, RootedPath, display_path

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from culld.ports import Restorations
    from culld.quarantine.record_files import RecordFile
    from culld.quarantine.selection import Selection
    from culld.quarantine.untag import Withdraw
    from culld.records import Rewrite


@dataclass(frozen=True, slots=True)
class Restored:
    """What became of one record: where the photo is now (or would be), with a note, or the fault that keeps it.

    `now` is None without a fault where a person had removed the photo from quarantine: the record is put away.
    """

    record: RootedPath
    now: RootedPath | None = None
    note: str = ""
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Restorer:
    """Brings photos back to `roots`, the only folders that it writes to besides the quarantine.

    `withdraw` is that of `take_out`; without one the tags stay in the files. `leftovers` are those of one run.
    """

    roots: Collection[Path]
    journal: Restorations
    withdraw: Withdraw | None = None
    leftovers: Leftovers = field(default_factory=Leftovers)

    def restore(self, place: RootedPath, *, deleted: bool = True, dry_run: bool = False) -> Restored:
        """Bring the photo of the record at `place` and its sidecars back to where they came from.

        Nothing is ever replaced: if a name is taken, the photo comes back beside it under a marked name. Before its
        files change, its contents are noted in the journal, so that no daemon takes it again. A photo that is neither
        in quarantine nor back was deleted by a person: that is noted and its record put away, or, unless `deleted`
        allows that, a fault. With `dry_run` nothing is changed. Every failure is in the result.
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
                place, fault=f"{display_path(place.path)} is no record of culld ({error}); it is left as it is"
            )
        except PhotoError as error:
            return Restored(place, fault=str(error))

    def _require_root(self, found: RecordFile) -> None:
        root = found.record.root
        if root not in self.roots:
            raise PhotoBlockedError(
                f"{display_path(found.photo.path)} came from {display_path(root)}, which the configuration does not "
                "watch any more; add that folder to `watch` again, or move the photo by hand"
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
                f"{display_path(found.photo.path)} is not in quarantine any more; `culld restore --all` puts its "
                "record away, and so does the daemon once a day"
            )
        if dry_run:
            return Restored(found.place, note="it is not in quarantine any more; its record would be put away")
        return Restored(found.place, note=put_away(found, self.journal))

    def _bring_back(self, found: RecordFile, home: Home) -> Restored:
        """Note the restore, take the tags out, move the files, note the photo's new stamp; the record goes last."""
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
        """Take out what culld wrote to the files of the photo, wherever each is now; give a note about it."""
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
    """The moves of the members that are in quarantine, each with the digest that its file has now."""
    for member, there in zip(found.record.members, home.members, strict=True):
        here = found.place.beside(member.name)
        if (digest := digest_at(here)) is not None:
            yield Move(here, there, digest)


def _note(found: RecordFile, home: Home, made: Collection[Path]) -> str:
    """Return a note on a photo that comes back: another name, and missing members, but for those that culld `made`."""
    notes = []
    origin = Path(found.record.photo.origin.name)
    if home.photo.relative.name != origin.name:
        notes.append(f"the name {display_path(origin)} is taken, so it comes back beside it")
    missing = [
        display_path(Path(member.name))
        for member in found.record.members
        if member.origin not in made and not exists(found.place.beside(member.name))
    ]
    if missing:
        notes.append("not in quarantine any more: " + ", ".join(missing))
    return "; ".join(notes)


def begin_restore(
    quarantine: Path, selection: Selection, leftovers: Leftovers, *, dry_run: bool = False
) -> list[RootedPath]:
    """Walk the quarantine once, and return the records of the selected photos in the order of their paths.

    Temporary files of killed processes are removed, and records that they had set aside get their names back. Raises
    PhotoBlockedError if the quarantine cannot be opened: a missing one is told from an empty one.
    """
    with folder_lock(quarantine):
        names = [name for name in leftovers.walk(quarantine) if name.name.endswith(RECORD_SUFFIX)]
        records = {RootedPath(quarantine, name) for name in names}
        if not dry_run:
            leftovers.remove_temporary(quarantine)
            records.update(leftovers.give_back_all(quarantine, RECORD_SUFFIX))
    return selected(records, selection)


def end_restore(quarantine: Path, leftovers: Leftovers) -> None:
    """Give back what killed processes had set aside and what no record names, once everything was restored."""
    with folder_lock(quarantine):
        leftovers.give_back_all(quarantine)


def restore(quarantine: Path, selection: Selection, restorer: Restorer, *, dry_run: bool = False) -> Iterator[Restored]:
    """Bring the selected photos back, one after the other; see `Restorer.restore`. To stop iterating is to stop.

    Raises PhotoBlockedError if the quarantine itself cannot be opened.
    """
    for place in begin_restore(quarantine, selection, restorer.leftovers, dry_run=dry_run):
        yield restorer.restore(place, deleted=selection.names_no_photo, dry_run=dry_run)
    if selection.everything and not dry_run:
        end_restore(quarantine, restorer.leftovers)
