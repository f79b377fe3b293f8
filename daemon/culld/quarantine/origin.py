"""The places at the origin to which the files of a quarantined photo return, or to which they have returned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from culld.errors import PhotoBlockedError
from culld.files.open_beneath import digest_of, exists, open_regular, stamp_of
from culld.files.set_aside import is_reserved
from culld.quarantine.destination import Names, free_names, name_suffixes
from culld.records import RootedPath, display_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from culld.quarantine.record import RecordFile
    from culld.records import RecordedDecision


@dataclass(frozen=True, slots=True)
class Home:
    """The places of a record's members at their origin, in the record's order; the photo is the last."""

    members: tuple[RootedPath, ...]

    @property
    def photo(self) -> RootedPath:
        """The place of the photo."""
        return self.members[-1]


def origin_of(found: RecordFile) -> RootedPath:
    """Return the path that the photo of a record had before it was moved."""
    return RootedPath(found.record.root, found.record.photo.origin)


def plan_return(found: RecordFile) -> Home:
    """Return the places for the members: their own names or, if one is taken, the first free names with a suffix.

    A name whose file has the same bytes counts as free: an interrupted restore made that copy. Raises
    PhotoBlockedError if every name is taken, or if the folder of their origin cannot be read.
    """

    def fits(home: Home) -> bool:
        pairs = zip(found.record.members, home.members, strict=True)
        return all(_is_free(found.place.beside(member.name), there) for member, there in pairs)

    home = _first(found, fits)
    if home is None:
        path = display_path(origin_of(found).path)
        raise PhotoBlockedError(f"every name for {path} is taken; rename a file there and try again")
    return home


def already_back_at(found: RecordFile, reject: RecordedDecision | None) -> Home | None:
    """Return where a photo is that has left the quarantine; None if it is not back where it came from.

    The photo is recognised by its digest: the one it had in quarantine or, if the journal has it as restored
    (`reject`), the one that was judged. Raises PhotoBlockedError if the folder of its origin cannot be read.
    """
    digests = {found.record.photo.digest}
    if reject is not None and reject.restored:
        digests.add(found.record.judged)
    return _first(found, lambda home: stamp_of(home.photo) is not None and _digest(home.photo) in digests)


def _first(found: RecordFile, fits: Callable[[Home], bool]) -> Home | None:
    record, origin = found.record, origin_of(found)

    def home_by(names: Names) -> Home:
        return Home(tuple(origin.beside(name) for name in (*names.companions, names.photo)))

    wanted = Names(record.photo.origin.name, tuple(member.origin.name for member in record.members[:-1]))
    names = free_names(wanted, name_suffixes(record.photo.digest, record.plan), lambda names: not fits(home_by(names)))
    return None if names is None else home_by(names)


def _is_free(here: RootedPath, there: RootedPath) -> bool:
    """Whether a member can move to `there`; one that is no longer in quarantine needs no place."""
    if not exists(here) or not exists(there) or is_reserved(there):
        return True
    if stamp_of(here) is None or stamp_of(there) is None:
        return False
    return _digest(here) == _digest(there)


def _digest(place: RootedPath) -> str:
    with open_regular(place) as stream:
        return digest_of(stream)
