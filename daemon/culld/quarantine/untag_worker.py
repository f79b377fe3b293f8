"""A worker process, without a network, that finds culld's keywords in files that other programs have written to."""

from __future__ import annotations

import contextlib
import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from culld.errors import PhotoBlockedError, PhotoError, SystemFaultError, TagRefusedError
from culld.files.open_beneath import open_regular
from culld.imaging.formats import HEAD_BYTES, recognise
from culld.inference.pool import Pool
from culld.records import Rewrite
from culld.tags.edits import apply_edits, digest_of
from culld.tags.withdrawal import embedded_withdrawal, may_hold_values, sidecar_withdrawal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from culld.inference.worker_process import WorkerLimits
    from culld.records import RootedPath

_SIDECAR_SUFFIX = ".xmp"


class Workers(Protocol):
    """The part of the pool that this module uses."""

    def map(self, requests: Sequence[WithdrawRequest]) -> list[Rewrite | PhotoError | None]:
        """Return the answer to each request, in order."""


@dataclass(frozen=True, slots=True)
class WithdrawRequest:
    """A request to take culld's keywords out of a file."""

    place: RootedPath

    def handle(self, handler: UntagWorker) -> Rewrite | PhotoError | None:
        """Return the worker's rewrite."""
        return handler.withdraw(self.place)


@dataclass(frozen=True, slots=True)
class UntagWorker:
    """The handler in the worker process; files of more than `file_size` bytes are refused."""

    file_size: int

    def withdraw(self, place: RootedPath) -> Rewrite | PhotoError | None:
        """Return the verified rewrite that takes culld's keywords out of a file; None if it holds none.

        A PhotoError is returned, not raised, because it is sent to the parent process.
        """
        try:
            return self._withdraw(place)
        except PhotoError as error:
            return error

    def _withdraw(self, place: RootedPath) -> Rewrite | None:
        with open_regular(place) as stream:
            data = stream.read(self.file_size + 1)
        if len(data) > self.file_size:
            raise TagRefusedError("it is larger than limits.file_size allows")
        if not may_hold_values(data):
            return None
        name = place.relative.name
        if name.lower().endswith(_SIDECAR_SUFFIX):
            edits = sidecar_withdrawal(data)
        else:
            edits = embedded_withdrawal(data, recognise(data[:HEAD_BYTES], name))
        return Rewrite(place, digest_of(data), digest_of(apply_edits(data, edits)), edits) if edits else None


@dataclass
class UntagPool:
    """Gets rewrites from a worker process, which is started when the first file needs one.

    It is a context manager, which ends the process.
    """

    file_size: int
    limits: WorkerLimits
    _stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    _workers: Workers | None = None

    def __enter__(self) -> Callable[[RootedPath], Rewrite | None]:
        return self.withdraw

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        self._workers = None

    def withdraw(self, place: RootedPath) -> Rewrite | None:
        """Return the verified rewrite that takes culld's keywords out of a file; None if it holds none.

        Raises TagRefusedError where the file cannot be changed without risk, PhotoBlockedError where no worker process
        can be started, and other PhotoErrors of reading the file.
        """
        (found,) = self._open().map([WithdrawRequest(place)])
        if isinstance(found, PhotoError):
            raise found
        return found

    def _open(self) -> Workers:
        if self._workers is None:
            create_worker = functools.partial(UntagWorker, self.file_size)
            try:
                self._workers = self._stack.enter_context(Pool(create_worker, 1, self.limits))
            except SystemFaultError as error:
                raise PhotoBlockedError(f"its XMP cannot be read now: {error}") from error
        return self._workers
