"""The selection of photos in quarantine: by path, by time, or all."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from culld.errors import PhotoError
from culld.quarantine.record import BadRecordError, read_record

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime
    from pathlib import Path

    from culld.quarantine.record import RecordFile
    from culld.records import RootedPath

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Selection:
    """The photos to restore: those at, from or below `paths`, those decided about since a moment, or all.

    Paths are absolute: a photo in quarantine, the path that it came from, or a folder above one of these.
    """

    paths: tuple[Path, ...] = ()
    since: datetime | None = None
    everything: bool = False
    shots: frozenset[str] = frozenset()
    """The shots (see `shot_of`) of which a photo is selected: the other photos of the shot are restored with it."""

    @property
    def names_no_photo(self) -> bool:
        """Whether photos are selected by time, or all of them, and not by path."""
        return self.everything or self.since is not None

    def takes(self, found: RecordFile) -> bool:
        """Whether the photo of a record is selected."""
        if shot_of(found.record.plan) in self.shots:
            return True
        origin = found.record.root / found.record.photo.origin
        return self.matches((found.photo.path, found.place.path, origin), found.record.made_at)

    def matches(self, places: Collection[Path], made_at: datetime) -> bool:
        """Whether a photo with these paths that was decided about at `made_at` is selected."""
        return self.by_time(made_at) or any(self.names(place) for place in places)

    def by_time(self, made_at: datetime) -> bool:
        """Whether a photo that was decided about at `made_at` is selected, whatever its path."""
        return self.everything or (self.since is not None and made_at >= self.since)

    def names(self, place: Path) -> bool:
        """Whether one of `paths` is this path or a folder above it."""
        return any(path in {place, *place.parents} for path in self.paths)


def shot_of(plan: str) -> str:
    """Return the part of a plan's id that the plans of one shot share; empty for a plan of a single photo."""
    shot, colon, _ = plan.partition(":")
    return shot if colon else ""


def selected(records: Iterable[RootedPath], selection: Selection) -> list[RootedPath]:
    """Return the records of the selected photos in the order of their paths.

    A record that cannot be read is returned if its path is selected.
    """
    places = sorted(records, key=lambda place: place.relative)
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
        log.debug("%s", error)  # it is reported when it is restored
        return None
