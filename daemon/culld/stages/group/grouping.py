"""The stage `group`: collects names in folders and recorded assessments, and builds stacks and series from them.

It also keeps the shots of a series together: in `culld run` a reject waits while other shots of its series may arrive,
and `culld once` cuts batches between series.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache, partial
from itertools import groupby
from typing import TYPE_CHECKING, Final

from culld.files.open_beneath import stamp_of
from culld.stages.group import stacks
from culld.stages.group.directory import FolderListing
from culld.stages.group.neighbour_light import light_against_neighbours
from culld.stages.group.series import LONGEST_GAP_S, series_of
from culld.stages.group.stacks import is_live_photo_video
from culld.stages.watch.batching import GROWTH

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from culld.records import Assessment, FileSnapshot, FileStat, Photo, Protection, RootedPath, Series, Stack

    Times = tuple[tuple[datetime, datetime], ...]


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
        """Return the stacks, each with its series and its light against its neighbours."""
        series: dict[RootedPath, Series] = {}
        light: dict[RootedPath, float] = {}
        seen = {member.photo.place for stack in found for member in stack.members}
        for (root, folder, model), shots in _by_camera(found).items():
            others = cache(partial(self._recorded, root, folder, model, shots, seen))
            series |= _series_with(shots, others)
            light |= light_against_neighbours([*shots, *others(_times_around(shots))])
        return [
            replace(stack, series=_series(stack, series), series_ev=light.get(stack.primary.photo.place))
            for stack in found
        ]

    def _recorded(
        self,
        root: Path,
        folder: Path,
        model: str | None,
        shots: Sequence[Assessment],
        seen: Collection[RootedPath],
        times: Times,
    ) -> list[Assessment]:
        """Return the recorded photos of a folder and camera that were taken at some times, one of each shot."""
        digests = {shot.photo.digest for shot in shots}
        recorded = [shot for time in times for shot in self.shots_around(root, *time, digests)]
        names: list[str] = []
        found: list[Assessment] = []
        for shot in recorded:
            place = shot.photo.place
            is_here = (place.relative.parent, shot.photo.camera.model) == (folder, model) and place not in seen
            if is_here and not any(stacks.may_be_siblings(name, place.relative.name) for name in names):
                names.append(place.relative.name)
                found.append(shot)
        return found

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


def _by_camera(found: Sequence[Stack]) -> dict[tuple[Path, Path, str | None], list[Assessment]]:
    """Return one photo of each shot by root, folder and camera; a copy is not another shot."""
    cameras: defaultdict[tuple[Path, Path, str | None], list[Assessment]] = defaultdict(list)
    seen: set[RootedPath] = set()
    digests: set[str] = set()
    for stack in found:
        photo = stack.primary.photo
        if photo.camera.taken_at is not None and photo.place not in seen and photo.digest not in digests:
            digests.add(photo.digest)
            cameras[photo.place.root, photo.place.relative.parent, photo.camera.model].append(stack.primary)
        seen |= {member.photo.place for member in stack.members}
    return cameras


_MOST_ROUNDS: Final = 50


def _series_with(
    shots: Sequence[Assessment], recorded: Callable[[Times], list[Assessment]]
) -> dict[RootedPath, Series]:
    """Return the series of some shots together with those recorded around them, and around them again in their series.

    `recorded` returns the recorded shots of some times.
    """
    own = [shot.photo.place for shot in shots]
    times = _times_around(shots)
    for _ in range(_MOST_ROUNDS):
        series = series_of([*shots, *recorded(times)])
        members = [member for place in own if place in series for member in series[place].members]
        wider = _times_around([*shots, *members])
        if wider == times:
            break
        times = wider
    return series


def _times_around(shots: Collection[Assessment]) -> Times:
    """Return the intervals, in order, in which other shots may belong to a series with one of the shots.

    There are several because a batch may hold photos of many years.
    """
    longest_s = max((shot.photo.camera.exposure.time_s or 0.0 for shot in shots), default=0.0)
    reach = timedelta(seconds=LONGEST_GAP_S + 2 * min(longest_s, LONGEST_GAP_S))
    moments = {shot.photo.camera.taken_at for shot in shots}
    times: list[tuple[datetime, datetime]] = []
    for moment in sorted(moment for moment in moments if moment is not None):
        if times and moment - reach <= times[-1][1]:
            times[-1] = (times[-1][0], moment + reach)
        else:
            times.append((moment - reach, moment + reach))
    return tuple(times)


def _series(stack: Stack, series: Mapping[RootedPath, Series]) -> Series | None:
    """Return the series of any photo of a shot, else None."""
    return next((series[each.photo.place] for each in stack.members if each.photo.place in series), None)


_MAX_HELD: Final = 100_000


@dataclass(slots=True)
class SeriesHold:
    """Makes a reject wait, once, while more files arrive: a bracket that is copied slowly arrives shot by shot.

    `more_to_come` returns whether more files arrive: in `culld run` files that settle or wait for a batch, in
    `culld once` the rest of a folder that takes several batches.
    """

    more_to_come: Callable[[], bool] = lambda: False
    _held: dict[str, None] = field(default_factory=dict)

    def must_wait(self, photo: Photo, protect: Protection) -> bool:
        """Return whether a reject waits for other shots of its series; a photo without a time is in no series."""
        may_be_in_series = photo.camera.taken_at is not None and (protect.series or protect.bursts)
        if may_be_in_series and photo.digest not in self._held and self.more_to_come():
            self._held[photo.digest] = None
            if len(self._held) > _MAX_HELD:  # photos that vanished while they waited
                del self._held[next(iter(self._held))]
            return True
        self._held.pop(photo.digest, None)
        return False


@dataclass(frozen=True, slots=True)
class BatchCut:
    """A batch of files.

    `begins`: the folder of its first file has no files in the batch before. `ends`: the folder of its last file has no
    files in the batch after.
    """

    batch: list[FileSnapshot]
    begins: bool = True
    ends: bool = True


def batches(ready: Iterable[FileSnapshot], size: int) -> Iterator[list[FileSnapshot]]:
    """Yield the files in batches of `size`, or up to `GROWTH` times that to keep possible series in one batch.

    The files of a folder must be consecutive in `ready`. Files of a folder whose mtimes are less than `LONGEST_GAP_S`
    apart may be of one series. At most one folder is held in memory.
    """
    batch: list[FileSnapshot] = []
    for snapshot in _by_time(ready):
        if (
            batch
            and len(batch) >= size
            and not (_may_be_one_series(batch[-1], snapshot) and len(batch) < GROWTH * size)
        ):
            yield batch
            batch = []
        batch.append(snapshot)
    if batch:
        yield batch


def cut(ready: Iterable[FileSnapshot], size: int) -> Iterator[BatchCut]:
    """Yield the `batches`, each with whether it begins and ends between folders: elsewhere a series may be cut."""
    before: BatchCut | None = None
    for batch in batches(ready, size):
        whole = before is None or before.batch[-1].place.path.parent != batch[0].place.path.parent
        if before is not None:
            yield replace(before, ends=whole)
        before = BatchCut(batch, begins=whole)
    if before is not None:
        yield before


def _by_time(ready: Iterable[FileSnapshot]) -> Iterator[FileSnapshot]:
    for _, files in groupby(ready, lambda snapshot: snapshot.place.path.parent):
        yield from sorted(files, key=lambda snapshot: snapshot.stamp.mtime_ns)


def _may_be_one_series(one: FileSnapshot, other: FileSnapshot) -> bool:
    near = other.stamp.mtime_ns - one.stamp.mtime_ns < LONGEST_GAP_S * 1e9
    return near and one.place.path.parent == other.place.path.parent
