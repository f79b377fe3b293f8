"""The darkroom as the daemon sees it; decoders and network are loaded in the worker processes only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from culld.errors import PhotoError
from culld.records import Assessment, ReadFailure, Unreadable
from culld.stages.read.messages import DraftRequest, ReadRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from culld.inference.pending import PendingResults
    from culld.inference.pool import Pool
    from culld.records import FileSnapshot, FileStat, Photo, RootedPath, UserMetadata
    from culld.stages.read.messages import PhotoHandler, UserMetadataRequest, WorkerSettings
    from culld.tags.draft import TagDraft, TagRequest

_RETRY_AFTER = timedelta(minutes=1)
_MAX_TRIES = 3
"""A file that has cost so many workers is left alone until it changes."""


def create_worker(settings: WorkerSettings) -> PhotoHandler:
    """Open the desk; what a worker process calls first."""
    from culld.stages.read.worker import PhotoWorker  # noqa: PLC0415 (heavy, and for workers only)

    return PhotoWorker(settings)


@dataclass(frozen=True, slots=True)
class PoolReader:
    """A `Reader` that spreads photos over the pool's workers.

    `beat` is called while they are at work, so that the service's watchdog sees progress. `patience` says how long to
    wait for the next look at a file with this stamp that cannot be read; None to call it unreadable.
    """

    pool: Pool
    heartbeat: Callable[[], None] = lambda: None
    recheck: Callable[[FileStat], timedelta | None] = lambda _: None

    def read(
        self, settled: Sequence[FileSnapshot], judged: Mapping[RootedPath, Collection[str]]
    ) -> Iterable[Photo | Assessment | ReadFailure]:
        """Have files read, and assessed unless their digest is among those `judged` at their place.

        The workers begin at once; whoever iterates waits until they are done. The results are in order.
        """
        requests = [ReadRequest(sighting, frozenset(judged.get(sighting.place, ()))) for sighting in settled]
        return self._answers(self.pool.submit(requests), settled)

    def _answers(
        self, work: PendingResults[Photo | Assessment | ReadFailure], settled: Sequence[FileSnapshot]
    ) -> Iterator[Photo | Assessment | ReadFailure]:
        for result, sighting in zip(work.results(self.heartbeat), settled, strict=True):
            if isinstance(result, PhotoError):  # the worker was lost, or made a mistake
                yield ReadFailure(sighting, str(result), _RETRY_AFTER, tries=_MAX_TRIES)
            else:
                yield self._retry_if_recent(result, sighting)

    def _retry_if_recent(
        self, result: Photo | Assessment | ReadFailure, sighting: FileSnapshot
    ) -> Photo | Assessment | ReadFailure:
        """A file that cannot be read or lacks a part, and changed not long ago, is looked at again before it is judged.

        A file that still lacks a part after the last look is judged by its picture, which is whole.
        """
        why = _shortcoming(result)
        wait = self.recheck(sighting.stamp) if why else None
        return result if wait is None else ReadFailure(sighting, f"{why}; culld looks again", wait, steady=True)

    def user_metadata(self, requests: Sequence[UserMetadataRequest]) -> list[UserMetadata | PhotoError]:
        """What people have done for each shot, in order, or the error that hid it."""
        return self.pool.map(requests, self.heartbeat)

    def draft(self, requests: Sequence[TagRequest]) -> list[TagDraft | PhotoError]:
        """The byte edits that tag each photo, in order, or the error that stopped it."""
        return self.pool.map([DraftRequest(tags) for tags in requests], self.heartbeat)


def _shortcoming(result: Photo | Assessment | ReadFailure) -> str:
    """Why a file may not be complete yet; empty if nothing speaks for that."""
    if not isinstance(result, Assessment):
        return ""
    if isinstance(result.result, Unreadable):
        return result.result.reason
    return f"incomplete: {result.missing_part}" if result.missing_part else ""
