"""The reader of photos in the daemon process; decoders and network are loaded in the worker processes only."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeVar

from culld.errors import PhotoError
from culld.records import Assessment, ReadFailure, Unreadable
from culld.retry import MAX_TRIES, RETRY_AFTER
from culld.stages.read.messages import ClipRequest, ReadRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import timedelta

    from culld.errors import SystemFaultError
    from culld.inference.pending import PendingResults, Request
    from culld.ports import Reader
    from culld.records import FileSnapshot, FileStat, Photo, RootedPath, Subject, UserMetadata
    from culld.stages.read.messages import (
        DraftRequest,
        PhotoHandler,
        SharpnessRequest,
        UserMetadataRequest,
        WorkerSettings,
    )
    from culld.tags.draft import TagDraft
    from culld.unexpected import UnexpectedErrors

    _Pending = PendingResults[Photo | Assessment | ReadFailure]

_B = TypeVar("_B")
Answer = TypeVar("Answer")


def create_worker(settings: WorkerSettings) -> PhotoHandler:
    """Create the handler of requests in a worker process."""
    from culld.stages.read.worker import PhotoWorker  # noqa: PLC0415 (slow to import, and needed in workers only)

    return PhotoWorker(settings)


def nothing_known(_: object) -> dict[RootedPath, frozenset[str]]:
    """Return no digests: all contents are judged."""
    return {}


class Workers(Protocol):
    """The part of `inference.Pool` that a reader uses."""

    def submit(self, requests: Sequence[Request[Answer]], *, urgent: bool = False) -> PendingResults[Answer]:
        """Queue requests."""

    def map(
        self, requests: Sequence[Request[Answer]], beat: Callable[[], None] = lambda: None
    ) -> list[Answer | PhotoError]:
        """Return the answer to each request, in order."""


@dataclass(slots=True)
class PoolReader:
    """A `Reader` that distributes photos over the workers of a pool.

    `heartbeat` is called while they work, so that the service's watchdog sees progress. `recheck` returns how long to
    wait before a file with this stamp that cannot be read is read again; None to call it unreadable. `known` returns
    the digests of the contents that were judged before at the paths of the files. With `measure` the sharpness of every
    photo is measured in full resolution. `is_clip` returns whether a file is judged as a clip, `segment` whether the
    regions of photos are needed.
    """

    pool: Workers
    heartbeat: Callable[[], None] = lambda: None
    recheck: Callable[[FileStat], timedelta | None] = lambda _: None
    known: Callable[[Sequence[FileSnapshot]], Mapping[RootedPath, Collection[str]]] = nothing_known
    measure: bool = False
    is_clip: Callable[[RootedPath], bool] = lambda _: False
    segment: Callable[[], bool] = lambda: False
    _begun: deque[tuple[Sequence[FileSnapshot], _Pending]] = field(default_factory=lambda: deque(maxlen=2))

    def begin(self, batch: Sequence[FileSnapshot]) -> None:
        """Send the workers a batch that will be passed to `read` soon; return at once."""
        self._begun.append((batch, self._submitted(batch)))

    def read(self, batch: Sequence[FileSnapshot]) -> list[Photo | Assessment | ReadFailure]:
        """Read files, and score them unless their digest is `known` at their path; the results are in order."""
        pending = next((pending for begun, pending in self._begun if begun == batch), None)
        while pending is not None and self._begun.popleft()[1] is not pending:
            pass  # drop batches that were begun before this one and never read
        results = (pending or self._submitted(batch)).results(self.heartbeat)
        return [self._result(result, file) for result, file in zip(results, batch, strict=True)]

    def _submitted(self, batch: Sequence[FileSnapshot]) -> _Pending:
        known, segment = self.known(batch), self.segment()
        return self.pool.submit(
            [self._request(file, frozenset(known.get(file.place, ())), segment=segment) for file in batch]
        )

    def _request(self, file: FileSnapshot, judged: frozenset[str], *, segment: bool) -> ReadRequest | ClipRequest:
        if self.is_clip(file.place):
            return ClipRequest(file, judged)
        return ReadRequest(file, judged, self.measure, segment)

    def is_read(self, batch: Sequence[FileSnapshot]) -> bool:
        """Whether `read` returns the results of a batch that was begun without a wait."""
        return any(begun == batch and pending.is_over() for begun, pending in self._begun)

    def take_fault(self, batch: Sequence[FileSnapshot]) -> SystemFaultError | None:
        """Return why the pool has failed over a batch that was begun, and forget it; None if it has not failed."""
        for entry in tuple(self._begun):
            if entry[0] == batch and entry[1].fault is not None:
                self._begun.remove(entry)
                return entry[1].fault
        return None

    def _result(
        self, result: Photo | Assessment | ReadFailure | PhotoError, file: FileSnapshot
    ) -> Photo | Assessment | ReadFailure:
        """Return the result for a file, or its failure.

        A file that cannot be read or lacks a part, and changed recently, is read again before it is judged. One that
        still lacks a part after the last of `RECHECK_AGES` is judged by its main image, which is complete.
        """
        if isinstance(result, PhotoError):  # the worker was lost, or made a mistake
            return ReadFailure(file, str(result), RETRY_AFTER, tries=MAX_TRIES)
        reason = _incomplete_reason(result)
        wait = self.recheck(file.stamp) if reason else None
        return result if wait is None else ReadFailure(file, f"{reason}; it will be read again", wait, steady=True)

    def user_metadata(self, requests: Sequence[UserMetadataRequest]) -> list[UserMetadata | PhotoError]:
        """Return the user metadata of each shot, in order, or the error that prevented reading it."""
        return self.pool.map(requests, self.heartbeat)

    def compare(self, requests: Sequence[SharpnessRequest]) -> list[tuple[Subject, ...] | PhotoError]:
        """Return the subjects of the frames of each burst, in order, or the error that prevented measuring them."""
        return self.pool.map(requests, self.heartbeat)

    def draft(self, requests: Sequence[DraftRequest]) -> list[TagDraft | PhotoError]:
        """Return the byte edits that tag each photo, in order, or the error that prevented them."""
        return self.pool.map(requests, self.heartbeat)


def _incomplete_reason(result: Photo | Assessment | ReadFailure) -> str:
    """Return why a file may not be complete yet; empty if it is complete."""
    if not isinstance(result, Assessment):
        return ""
    if isinstance(result.result, Unreadable):
        return result.result.reason
    return f"incomplete: {result.missing_part}" if result.missing_part else ""


def read_ahead(
    reader: Reader,
    batches: Iterable[_B],
    files_of: Callable[[_B], Sequence[FileSnapshot]],
    unexpected: UnexpectedErrors,
) -> Iterator[_B]:
    """Yield each batch after the next one was sent to the workers, which read it while the caller handles this one."""
    begun: deque[_B] = deque()
    for batch in batches:
        with unexpected.tolerated("handing photos to the workers"):  # it is read later, with its error
            reader.begin(files_of(batch))
        begun.append(batch)
        if len(begun) > 1:
            yield begun.popleft()
    yield from begun
