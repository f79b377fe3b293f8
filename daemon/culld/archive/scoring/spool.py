"""Temporary files of a plan in the folder of the archive, without a name: they are gone when the process ends."""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack
from typing import IO, TYPE_CHECKING, Final, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa
    from numpy.typing import NDArray

    from culld.records import FileSnapshot

    Records = NDArray[np.void]
    """Records of the type `RECORD`."""

RECORD: Final = np.dtype([
    ("key", np.uint64, 2), ("at", np.int64), ("scan", np.int32), ("size", np.int64), ("mtime_ns", np.int64),
    ("is_there", np.bool_), ("is_settled", np.bool_),
])  # fmt: skip
"""A listed photo (scan 0) or a row, with its place among them.

`is_there` is false for the row of a deleted photo; `is_settled` is true for a row that is not read again as it is.
"""
_PARTS: Final = 64
"""Of 10,000,000 photos and as many rows a part has 300,000 records: 15 MB."""


class Spool(ExitStack):
    """Records on disk, in parts by their key, and the places of the listed photos."""

    def __init__(self, folder: Path) -> None:
        """Open the files; raises OSError."""
        super().__init__()
        self._parts = [self._file(folder) for _ in range(_PARTS)]
        self._places = self._file(folder)
        self._stream: pa.RecordBatchStreamWriter | None = None

    def __enter__(self) -> Self:
        return super().__enter__()

    def add(self, records: Records) -> None:
        """Write records to their parts."""
        part = records["key"][:, 0] % _PARTS
        order = np.argsort(part, kind="stable")
        ends = np.cumsum(np.bincount(part.astype(np.int64), minlength=_PARTS))
        for file, some in zip(self._parts, np.split(records[order], ends[:-1]), strict=True):
            file.write(some.tobytes())

    def parts(self) -> Iterator[Records]:
        """Yield the records, part by part: all of one key are in one part."""
        for file in self._parts:
            file.seek(0)
            yield np.frombuffer(file.read(), RECORD)

    def add_places(self, photos: list[FileSnapshot]) -> None:
        """Write the root and the relative path of photos, in order."""
        import pyarrow as pa

        columns = {
            "root": pa.array([os.fsencode(each.place.root) for each in photos], pa.binary()),
            "relative": pa.array([os.fsencode(each.place.relative) for each in photos], pa.binary()),
        }
        batch = pa.RecordBatch.from_pydict(columns)
        if self._stream is None:
            options = pa.ipc.IpcWriteOptions(compression="zstd")
            self._stream = pa.ipc.new_stream(self._places, batch.schema, options=options)
        self._stream.write_batch(batch)

    def places(self) -> Iterator[pa.RecordBatch]:
        """Yield the root and the relative path of all photos, in order."""
        import pyarrow as pa

        if self._stream is None:
            return
        self._stream.close()
        self._places.seek(0)
        with pa.ipc.open_stream(self._places) as stream:
            yield from stream

    def _file(self, folder: Path) -> IO[bytes]:
        return self.enter_context(tempfile.TemporaryFile(dir=folder))
