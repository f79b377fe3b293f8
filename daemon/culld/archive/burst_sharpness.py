"""The sharpness of the frames of bursts in full resolution, by the request with which the daemon compares them.

It is measured after all photos of a shard were read, since only then its bursts are known.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from culld.archive.records import MAX_TRIES
from culld.errors import PhotoError, WorkerLostError
from culld.records import SeriesKind
from culld.stages.decide.bursts import MOST_COMPARED, members_of
from culld.stages.group.grouping import Grouper
from culld.stages.read.messages import SharpnessRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from culld.records import Assessment, RootedPath, Series, Stack, Subject
    from culld.stages.read.reader import Workers


@dataclass(slots=True)
class BurstComparison:
    """Compares the frames of each burst; `losses` counts the workers that were lost meanwhile."""

    workers: Workers
    losses: int = field(default=0, init=False)

    def subjects(self, photos: Iterable[Assessment]) -> dict[RootedPath, Subject]:
        """Return the subject of each photo in a burst, with its sharpness, by place.

        A burst of more than `MOST_COMPARED` frames is left out, as in the daemon, and so is one with a frame that
        cannot be read now.
        """
        found: dict[RootedPath, Subject] = {}
        waiting = bursts_in(photos)
        for _ in range(MAX_TRIES):
            answers = self.workers.submit([SharpnessRequest(burst.members) for burst in waiting]).results()
            lost: list[Series] = []
            for burst, answer in zip(waiting, answers, strict=True):
                if isinstance(answer, WorkerLostError):
                    lost.append(burst)
                elif not isinstance(answer, PhotoError):
                    found |= zip(members_of(burst), answer, strict=True)
            self.losses += len(lost)
            waiting = lost
        return found


def bursts_in(photos: Iterable[Assessment]) -> list[Series]:
    """Return the bursts among photos that can be compared, each once; a folder that is gone has none."""
    folders: defaultdict[Path, list[Assessment]] = defaultdict(list)
    for photo in photos:
        folders[photo.photo.place.path.parent].append(photo)
    stacks = [stack for members in folders.values() for stack in _grouped(members)]
    series = [stack.series for stack in stacks if stack.series is not None]
    bursts = {members_of(each): each for each in series if each.kind is SeriesKind.BURST}
    return [each for each in bursts.values() if len(each.members) <= MOST_COMPARED]


def _grouped(photos: Sequence[Assessment]) -> list[Stack]:
    try:
        return Grouper().group(photos)
    except PhotoError:
        return []
