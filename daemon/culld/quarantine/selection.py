"""Which of the photos in quarantine are meant: by path, by time, or all."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from culld.errors import PhotoError
from culld.files.locks import folder_lock
from culld.quarantine.record import BadRecordError
from culld.quarantine.record_files import read_record, record_places

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime
    from pathlib import Path

    from culld.quarantine.record_files import RecordFile
    from culld.records import RootedPath

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

    def takes(self, found: RecordFile) -> bool:
        """Whether a record is of a photo that is wanted."""
        if shot_of(found.record.plan) in self.shots:
            return True
        origin = found.record.root / found.record.photo.origin
        return self.matches((found.photo.path, found.place.path, origin), found.record.made_at)

    def matches(self, places: Collection[Path], made_at: datetime) -> bool:
        """Whether a photo is wanted that has these places, and was decided about then."""
        return self.by_time(made_at) or any(self.names(place) for place in places)

    def by_time(self, made_at: datetime) -> bool:
        """Whether a photo is wanted that was decided about then, whatever its places are."""
        return self.everything or (self.since is not None and made_at >= self.since)

    def names(self, place: Path) -> bool:
        """Whether one of the paths is this place or a folder above it."""
        return any(path in {place, *place.parents} for path in self.paths)


def shot_of(plan: str) -> str:
    """What plans for several pictures of one shot have in common; empty for a plan that stands alone."""
    shot, colon, _ = plan.partition(":")
    return shot if colon else ""


def selected(quarantine: Path, selection: Selection) -> list[RootedPath]:
    """The records of the selected photos in the order of their paths, with those that cannot be read but are named.

    Raises PhotoBlockedError if the quarantine itself cannot be opened: a missing one is told from an empty one.
    """
    with folder_lock(quarantine):
        pass
    places = sorted(record_places(quarantine), key=lambda place: place.relative)
    if selection.everything:
        return places
    known = {place: _read(place) for place in places}
    first = [place for place, found in known.items() if found is not None and selection.takes(found)]
    wanted = replace(selection, shots=_shots(known[place] for place in first))
    return [
        place
        for place, found in known.items()
        if (selection.names(place.path) if found is None else wanted.takes(found))
    ]


def _shots(found: Iterable[RecordFile | None]) -> frozenset[str]:
    return frozenset(shot_of(each.record.plan) for each in found if each is not None) - {""}


def _read(place: RootedPath) -> RecordFile | None:
    try:
        return read_record(place)
    except (BadRecordError, PhotoError) as error:
        log.debug("%s", error)  # a person who selected it is told when its turn comes
        return None
