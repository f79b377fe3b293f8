"""The way back from quarantine. The records on the disk are the truth, so it works without the journal, too."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from culld.disk.beneath import digest_of, exists, open_regular, stamp_of
from culld.disk.clearing import remove_empty_folders, remove_leftovers, remove_record
from culld.disk.locking import turn
from culld.disk.transfer import release, transfer
from culld.errors import PhotoBlockedError, PhotoChangedError, PhotoError
from culld.quarantine.names import Names, free_names, marks
from culld.quarantine.record import BadRecordError
from culld.quarantine.rereading import read_record, record_places
from culld.records import Move, Place, printable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import datetime

    from culld.ports import Restorations
    from culld.quarantine.rereading import Found

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which photos come back: those at, from or below `paths`, or those taken since a moment, or simply all.

    Paths are absolute and may name a photo in quarantine, the place where it was, or a folder of either kind.
    """

    paths: tuple[Path, ...] = ()
    since: datetime | None = None
    everything: bool = False
    shots: frozenset[str] = frozenset()
    """Shots (see `shot_of`) of which a picture was selected: the others come back with it."""

    def takes(self, found: Found) -> bool:
        """Whether a record is of a photo that is wanted."""
        if shot_of(found.record.plan) in self.shots:
            return True
        origin = found.record.root / found.record.photo.origin
        return self.matches((found.photo.path, found.place.path, origin), found.record.made_at)

    def matches(self, places: Collection[Path], made_at: datetime) -> bool:
        """Whether a photo is wanted that has these places, and was decided about then."""
        if self.everything or (self.since is not None and made_at >= self.since):
            return True
        return any(path in {place, *place.parents} for path in self.paths for place in places)


@dataclass(frozen=True, slots=True)
class Restored:
    """What became of one record: where the photo is now (or would be), with a note, or the fault that keeps it."""

    record: Place
    now: Place | None = None
    note: str = ""
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class _Return:
    """The way back of one member: present in quarantine with the digest that its bytes have today."""

    move: Move
    arrived: bool  # the same bytes are at the origin already, a former restore was cut short


def restore(
    quarantine: Path,
    selection: Selection,
    *,
    roots: Collection[Path],
    journal: Restorations,
    dry_run: bool,
) -> list[Restored]:
    """Bring the selected photos and their sidecars back to where they came from; with `dry_run` only say so.

    Nothing is ever replaced: if a name is taken, the photo comes back beside it under a marked name. Only folders in
    `roots` are written to. Before its files move, a photo's contents are noted in the journal, so that no daemon takes
    it again. One photo's failure is in its result. Raises PhotoBlockedError if the quarantine itself cannot be opened.
    """
    with turn(quarantine):
        pass  # tells a missing quarantine from an empty one
    places = sorted(record_places(quarantine), key=lambda place: place.relative)
    if not selection.everything:  # else every record would be read twice for nothing
        selection = replace(selection, shots=_shots(places, selection))
    return [
        result
        for place in places
        if (result := _restore(place, selection, roots=roots, journal=journal, dry_run=dry_run)) is not None
    ]


def shot_of(plan: str) -> str:
    """What plans for several pictures of one shot have in common; empty for a plan that stands alone."""
    shot, colon, _ = plan.partition(":")
    return shot if colon else ""


def _shots(places: Sequence[Place], selection: Selection) -> frozenset[str]:
    found = set()
    for place in places:
        try:
            record = read_record(place)
        except (BadRecordError, PhotoError) as error:
            log.debug("%s", error)  # whoever selected it is told when its turn comes
            continue
        if selection.takes(record):
            found.add(shot_of(record.record.plan))
    return frozenset(found - {""})


def _restore(
    place: Place, selection: Selection, *, roots: Collection[Path], journal: Restorations, dry_run: bool
) -> Restored | None:
    try:
        with turn(place.root):
            found = read_record(place)
            if not selection.takes(found):
                return None
            _require_root(found, roots)
            _require_photo(found)
            names = _names(found)
            result = Restored(place, _origin(found).beside(names.photo), _note(found, names))
            if not dry_run:
                _bring_back(found, names, journal)
    except BadRecordError as error:
        wanted = selection.everything or any(path in {place.path, *place.path.parents} for path in selection.paths)
        fault = f"{printable(place.path)} is no record of culld ({error}); it is left as it is"
        return Restored(place, fault=fault) if wanted else None
    except PhotoError as error:
        return Restored(place, fault=str(error))
    return result


def _require_root(found: Found, roots: Collection[Path]) -> None:
    root = found.record.root
    if root not in roots:
        raise PhotoBlockedError(
            f"{printable(found.photo.path)} came from {printable(root)}, which the configuration does not watch any "
            "more; add that folder to `watch` again, or move the photo by hand"
        )


def _require_photo(found: Found) -> None:
    if not exists(found.photo) and not exists(_origin(found)):
        raise PhotoChangedError(
            f"{printable(found.photo.path)} is not in quarantine any more; if you moved it, remove its record "
            f"{printable(found.place.path)}"
        )


def _names(found: Found) -> Names:
    """What the members will be called at their origin; those that are no longer in quarantine do not matter."""
    record, origin = found.record, _origin(found)

    def taken(names: Names) -> bool:
        pairs = zip(record.members, (*names.companions, names.photo), strict=True)
        return any(
            exists(found.place.beside(member.name)) and not _free(found, member.name, origin.beside(name))
            for member, name in pairs
        )

    wanted = Names(record.photo.origin.name, tuple(member.origin.name for member in record.members[:-1]))
    names = free_names(wanted, marks(record.photo.digest, record.plan), taken)
    if names is None:
        raise PhotoBlockedError(f"every name for {printable(origin.path)} is taken; rename a file there and try again")
    return names


def _free(found: Found, member: str, origin: Place) -> bool:
    return not exists(origin) or _same_bytes(found.place.beside(member), origin)


def _same_bytes(one: Place, other: Place) -> bool:
    if stamp_of(one) is None or stamp_of(other) is None:
        return False
    with open_regular(one) as first, open_regular(other) as second:
        return digest_of(first) == digest_of(second)


def _bring_back(found: Found, names: Names, journal: Restorations) -> None:
    """Note the restore, move the members, sidecars first, note the photo's new stamp; the record goes last."""
    ways = list(_ways(found, names))
    place = _origin(found).beside(names.photo)
    digests = {found.record.judged, found.record.photo.digest}
    digests |= {way.move.digest for way in ways if way.move.target == place}
    journal.note_restored(found.record.plan, digests, place, None)
    remove_leftovers(place.root, place.relative.parent)  # of a restore that was killed while it copied
    for way in ways:
        if way.arrived:
            release(way.move)
        else:
            transfer(way.move)
    journal.note_restored(found.record.plan, digests, place, stamp_of(place))
    remove_record(found.place, found.digest)
    remove_empty_folders(found.place.root, found.place.relative.parent)


def _ways(found: Found, names: Names) -> Iterator[_Return]:
    origin = _origin(found)
    for member, name in zip(found.record.members, (*names.companions, names.photo), strict=True):
        here, there = found.place.beside(member.name), origin.beside(name)
        if exists(here):
            with open_regular(here) as stream:
                digest = digest_of(stream)
            yield _Return(Move(here, there, digest), exists(there))


def _note(found: Found, names: Names) -> str:
    notes = []
    origin = Path(found.record.photo.origin.name)
    if names.photo != origin.name:
        notes.append(f"the name {printable(origin)} is taken, so it comes back beside it")
    missing = [
        printable(Path(member.name)) for member in found.record.members if not exists(found.place.beside(member.name))
    ]
    if missing:
        notes.append("not in quarantine any more: " + ", ".join(missing))
    return "; ".join(notes)


def _origin(found: Found) -> Place:
    return Place(found.record.root, found.record.photo.origin)
