"""The sharpness of the frames of bursts in full resolution, by the request with which the daemon compares them.

It is measured after all photos of a shard were read, since only then its bursts are known.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from culld.archive.records import MAX_TRIES
from culld.archive.scoring.source import FileSource
from culld.errors import PhotoError, WorkerLostError
from culld.records import FileSnapshot, SeriesKind
from culld.stages.decide.bursts import MOST_COMPARED, members_of
from culld.stages.group.directory import FolderCache, FolderListing
from culld.stages.group.grouping import Grouper
from culld.stages.read.messages import SharpnessRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from culld.archive.scoring.source import Source
    from culld.records import Assessment, RootedPath, Series, Stack, Subject
    from culld.stages.group.directory import Folders
    from culld.stages.read.reader import Workers


@dataclass(slots=True)
class BurstComparison:
    """Compares the frames of each burst; `losses` counts the workers that were lost meanwhile."""

    workers: Workers
    source: Source = field(default_factory=FileSource)
    losses: int = field(default=0, init=False)

    def subjects(self, photos: Iterable[Assessment]) -> dict[RootedPath, Subject]:
        """Return the subject of each photo in a burst, with its sharpness, by place.

        A burst of more than `MOST_COMPARED` frames is left out, as in the daemon, and so is one with a frame that
        cannot be read now.
        """
        found: dict[RootedPath, Subject] = {}
        waiting = bursts_in(photos, self.source.folders)
        for _ in range(MAX_TRIES):
            lost: list[Series] = []
            for burst in waiting:
                answer = self._compared(burst.members)
                if isinstance(answer, WorkerLostError):
                    lost.append(burst)
                elif not isinstance(answer, PhotoError):
                    found |= zip(members_of(burst), answer, strict=True)
            self.losses += len(lost)
            waiting = lost
        return found

    def _compared(self, frames: Sequence[Assessment]) -> tuple[Subject, ...] | PhotoError:
        """Return the subjects of the frames of one burst, whose copies fit on the disk, or why there are none."""
        with self.source.readable([frame.photo.place for frame in frames]) as some:
            files = [some.snapshot(frame.photo.place) for frame in frames]
            here = [each for each in files if isinstance(each, FileSnapshot)]
            if len(here) < len(frames):
                return PhotoError("a frame cannot be read now")
            read = [
                replace(frame, photo=replace(frame.photo, place=file.place, stamp=file.stamp))
                for frame, file in zip(frames, here, strict=True)
            ]
            return self.workers.submit([SharpnessRequest(tuple(read))]).results()[0]


def bursts_in(photos: Iterable[Assessment], folders: Folders | None = None) -> list[Series]:
    """Return the bursts among photos that can be compared, each once; a folder that is gone has none."""
    by_folder: defaultdict[Path, list[Assessment]] = defaultdict(list)
    for photo in photos:
        by_folder[photo.photo.place.path.parent].append(photo)
    grouper = Grouper(listing=partial(FolderListing, folders or FolderCache()))
    stacks = [stack for members in by_folder.values() for stack in _grouped(grouper, members)]
    series = [stack.series for stack in stacks if stack.series is not None]
    bursts = {members_of(each): each for each in series if each.kind is SeriesKind.BURST}
    return [each for each in bursts.values() if len(each.members) <= MOST_COMPARED]


def _grouped(grouper: Grouper, photos: Sequence[Assessment]) -> list[Stack]:
    try:
        return grouper.group(photos)
    except PhotoError:
        return []
