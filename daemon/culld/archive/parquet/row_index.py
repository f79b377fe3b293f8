"""Where the rows of photos are that hold now: of each photo the last one; 16 bytes for each row."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from culld.archive.parquet.last_rows import key_of
from culld.archive.parquet.schema import SCHEMA_VERSION, row_schema
from culld.archive.records import Status
from culld.errors import ConfigError
from culld.records import display_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa
    from numpy.typing import NDArray

_BATCH: Final = 1 << 16
_COLUMNS: Final = ["path", "path_bytes", "status"]
_DELETED: Final = -1


@dataclass(frozen=True, slots=True)
class RowIndex:
    """The file and the number in it of the row of each photo, by a hash of its path.

    `hashes` are in order. Two paths with one hash are one photo here: among 10,000,000 paths there are two such with a
    probability of 3 in a million, so a reader compares the path.
    """

    files: Sequence[Path]
    hashes: NDArray[np.int64]
    file_numbers: NDArray[np.int32]
    row_numbers: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.hashes)

    def find(self, key: bytes) -> tuple[Path, int] | None:
        """Return the file and the number of the row of a path; None if there is none."""
        wanted = hash(key)
        at = int(np.searchsorted(self.hashes, wanted))
        if at == len(self.hashes) or self.hashes[at] != wanted:
            return None
        return self.files[self.file_numbers[at]], int(self.row_numbers[at])


@dataclass(slots=True)
class _Columns:
    """Parts of the columns of an index, in the order of the files."""

    hashes: list[NDArray[np.int64]] = field(default_factory=lambda: [np.empty(0, np.int64)])
    files: list[NDArray[np.int32]] = field(default_factory=lambda: [np.empty(0, np.int32)])
    rows: list[NDArray[np.int32]] = field(default_factory=lambda: [np.empty(0, np.int32)])

    def add(self, number: int, first: int, batch: pa.Table, prefix: bytes) -> None:
        """Add the rows of a batch below a prefix; `first` is the number of its first row in the file."""
        import pyarrow.compute as pc

        keys = key_of(batch)
        below = pc.starts_with(keys, prefix).fill_null(False)
        at = np.flatnonzero(below.to_numpy())
        if not len(at):
            return
        gone = pc.equal(batch["status"], str(Status.DELETED)).to_numpy()[at]
        self.hashes.append(np.fromiter(map(hash, keys.filter(below).to_pylist()), np.int64, len(at)))
        self.files.append(np.full(len(at), number, np.int32))
        self.rows.append(np.where(gone, _DELETED, first + at).astype(np.int32))


def index_below(files: Sequence[Path], folder: str) -> RowIndex:
    """Return the index of the rows of photos below a folder or URI; `files` are those of an archive.

    Raises OSError, pyarrow.ArrowInvalid for a damaged file, and ConfigError for one with other columns.
    """
    ordered = sorted(files, key=_scan)
    prefix = os.fsencode(folder).rstrip(b"/") + b"/"
    columns = _Columns()
    for number, file in enumerate(ordered):
        for first, batch in _batches(file):
            columns.add(number, first, batch, prefix)
    hashes, numbers, rows = (np.concatenate(each) for each in (columns.hashes, columns.files, columns.rows))
    order = np.argsort(hashes, kind="stable")  # of the rows of one photo, that of the last scan comes last
    hashes, rows = hashes[order], rows[order]
    is_last = np.append(hashes[1:] != hashes[:-1], np.ones(min(1, len(hashes)), bool))
    holds = is_last & (rows != _DELETED)
    return RowIndex(ordered, hashes[holds], numbers[order][holds], rows[holds])


def _scan(file: Path) -> tuple[int, str]:
    return int(file.parent.name), file.name


def _batches(file: Path) -> Iterator[tuple[int, pa.Table]]:
    """Yield the columns of a file in parts, each with the number of its first row."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    first = 0
    with pq.ParquetFile(file) as opened:
        if not opened.schema_arrow.equals(row_schema()) or opened.schema_arrow.metadata != row_schema().metadata:
            text = f"{display_path(file)}: its columns are not those of schema {SCHEMA_VERSION}; score the photos again"
            raise ConfigError((text,))
        for batch in opened.iter_batches(_BATCH, columns=_COLUMNS):
            yield first, pa.Table.from_batches([batch])
            first += len(batch)
