"""Handlers of photos for the tests of archives; a worker process imports this module."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass, replace
from pathlib import Path

from culld.archive.parquet.folder import ArchiveFolder
from culld.errors import PhotoError, WorkerLostError
from culld.inference.pending import PendingResults
from culld.records import Assessment, FileSnapshot, Photo
from culld.stages.read import ReadRequest
from harness import factories

POISON = "poison.jpg"


class PoisonHandler:
    """Scores every photo alike without opening it, and dies over one of the name `POISON`."""

    def read(self, request: ReadRequest) -> Assessment:
        """Return the assessment."""
        if request.snapshot.place.relative.name == POISON:
            os.kill(os.getpid(), signal.SIGKILL)
        return assessed(request.snapshot)


def assessed(file: FileSnapshot) -> Assessment:
    """An assessment of a file; its digest is that of its path."""
    name = os.fsdecode(file.place.path)
    photo = factories.photo(name, os.fsencode(name))
    return replace(factories.assessment(name), photo=Photo(file.place, file.stamp, photo.digest, photo.format))


@dataclass
class FlakyWorkers:
    """Workers that are lost over the photo `name`, the first `losses` times that it is read."""

    name: str
    losses: int

    def submit(self, requests: list[ReadRequest], *, urgent: bool = False) -> PendingResults[Assessment]:
        """Answer at once."""
        pending = PendingResults(requests)
        for number, request in enumerate(requests):
            pending.put(number, self._answer(request.snapshot))
        return pending

    def _answer(self, file: FileSnapshot) -> Assessment | PhotoError:
        if file.place.relative.name == self.name and self.losses:
            self.losses -= 1
            return WorkerLostError("the worker process ended with code -9")
        return assessed(file)


@dataclass(frozen=True)
class Listed:
    """A listing of files as a test names them."""

    files: tuple[FileSnapshot, ...]
    unreadable: dict[Path, str]

    def photos(self) -> tuple[FileSnapshot, ...]:
        """Return them."""
        return self.files


def rows_of(out: Path) -> list[dict[str, object]]:
    """All rows of an archive, in the order of scans and shards."""
    import pyarrow.parquet as pq

    return [row for file in ArchiveFolder(out).rows() for row in pq.read_table(file).to_pylist()]
