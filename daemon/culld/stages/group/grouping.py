"""The stage `group`: collects names in folders and recorded assessments, and builds stacks and series from them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from culld.files.open_beneath import stamp_of
from culld.stages.group import stacks
from culld.stages.group.directory import FolderListing
from culld.stages.group.live_photo import is_live_photo_video
from culld.stages.group.series import SERIES_WINDOW_S, series_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from culld.records import Assessment, FileStat, RootedPath, Series, Stack


def _no_assessments(*_: object) -> None:
    return None


def _no_shots(*_: object) -> list[Assessment]:
    return []


@dataclass(frozen=True, slots=True)
class Grouper:
    """Groups the photos of a batch.

    `recall` returns the recorded assessment of a file with a stamp, None if there is none. `shots_around` returns the
    recorded assessments of photos in a watched folder that were taken between two moments, without those with given
    digests. `listing` returns the folder listing of the batch.
    """

    recall: Callable[[RootedPath, FileStat], Assessment | None] = _no_assessments
    shots_around: Callable[[Path, datetime, datetime, Collection[str]], list[Assessment]] = _no_shots
    listing: Callable[[], FolderListing] = FolderListing

    def group(self, assessed: Sequence[Assessment]) -> list[Stack]:
        """Return the stacks of a batch, with recorded photos of the same shots: they are decided about again.

        Raises PhotoError if the folder of a photo is gone.
        """
        listing = self.listing()
        known = [*assessed, *self._recorded_siblings(assessed, listing)]
        found = stacks.group(known, listing.beside, is_live_photo_video, listing.unclear)
        return self.in_series(found)

    def in_series(self, found: Sequence[Stack]) -> list[Stack]:
        """Return the stacks, each with its series."""
        series = {place: one for shots in self._by_camera(found) for place, one in series_of(shots).items()}
        return [replace(stack, series=_series(stack, series)) for stack in found]

    def _by_camera(self, found: Sequence[Stack]) -> Iterator[list[Assessment]]:
        """Yield one photo of each shot for each folder and camera, with recorded photos that were taken near them."""
        cameras: defaultdict[tuple[Path, Path, str | None], dict[RootedPath, Assessment]] = defaultdict(dict)
        seen: set[RootedPath] = set()
        digests: set[str] = set()
        for stack in found:
            place, camera = stack.primary.photo.place, stack.primary.photo.camera
            is_new = place not in seen and stack.primary.photo.digest not in digests
            if camera.taken_at is not None and is_new:
                digests.add(stack.primary.photo.digest)  # a copy is not another shot
                cameras[place.root, place.relative.parent, camera.model][place] = stack.primary
            seen |= {member.photo.place for member in stack.members}
        for (root, folder, model), shots in cameras.items():
            times = _times_around(shot.photo.camera.taken_at for shot in shots.values())
            recorded = [shot for time in times for shot in self.shots_around(root, *time, digests)]
            yield [
                *shots.values(),
                *(
                    shot
                    for shot in recorded
                    if shot.photo.place not in seen
                    and (shot.photo.place.relative.parent, shot.photo.camera.model) == (folder, model)
                ),
            ]

    def _recorded_siblings(self, assessed: Sequence[Assessment], listing: FolderListing) -> Iterator[Assessment]:
        """Yield the recorded photos of the same shots that are not in the batch, and whose stamp is unchanged."""
        known = {assessment.photo.place for assessment in assessed}
        for assessment in assessed:
            place = assessment.photo.place
            for name in listing.beside(place):
                other = place.beside(name)
                if other not in known and stacks.may_be_siblings(place.relative.name, name):
                    known.add(other)
                    stamp = stamp_of(other)
                    recorded = None if stamp is None else self.recall(other, stamp)
                    yield from () if recorded is None else (recorded,)


def _times_around(moments: Iterable[datetime | None]) -> list[tuple[datetime, datetime]]:
    """Return the intervals, in order, in which shots may belong to a series with a shot at one of the moments.

    There are several because a batch may hold photos of many years.
    """
    reach = timedelta(seconds=SERIES_WINDOW_S)
    times: list[tuple[datetime, datetime]] = []
    for moment in sorted(moment for moment in moments if moment is not None):
        if times and moment - reach <= times[-1][1]:
            times[-1] = (times[-1][0], moment + reach)
        else:
            times.append((moment - reach, moment + reach))
    return times


def _series(stack: Stack, series: Mapping[RootedPath, Series]) -> Series | None:
    """Return the series of any photo of a shot, else None."""
    return next((series[each.photo.place] for each in stack.members if each.photo.place in series), None)
