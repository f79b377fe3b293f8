"""The rows of an archive as scores of the photos below a folder of this machine."""

from __future__ import annotations

import os
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from culld.archive.parquet.row_in import assessment_of
from culld.archive.records import Status
from culld.errors import SystemFaultError
from culld.records import display_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from culld.archive.parquet.row_index import RowIndex
    from culld.records import Assessment, FileSnapshot, RootedPath

MOST_BYTES: Final = 64 << 20
"""So much of the archive stays in memory: the photos of a folder are judged in the order of time, not of rows."""


@dataclass(slots=True)
class RowGroups:
    """Reads rows from Parquet files, and keeps the groups of rows that were read last.

    Raises SystemFaultError for a file that is damaged or gone.
    """

    most_bytes: int = MOST_BYTES
    _tables: OrderedDict[tuple[Path, int], tuple[int, pa.Table]] = field(default_factory=OrderedDict)
    _bytes: int = 0

    def row(self, file: Path, number: int) -> dict[str, Any]:
        """Return a row of a file, with all columns."""
        first, table = self._group(file, number)
        found: dict[str, Any] = table.slice(number - first, 1).to_pylist()[0]
        return found

    def _group(self, file: Path, number: int) -> tuple[int, pa.Table]:
        """Return the group of rows that holds a row, and the number of its first row."""
        for key, (first, table) in reversed(self._tables.items()):
            if key[0] == file and first <= number < first + table.num_rows:
                self._tables.move_to_end(key)
                return first, table
        return self._read(file, number)

    def _read(self, file: Path, number: int) -> tuple[int, pa.Table]:
        import pyarrow as pa

        try:
            group, first, table = _group_of(file, number)
        except (OSError, pa.ArrowException) as error:
            raise SystemFaultError(f"{display_path(file)} cannot be read: {error}") from error
        self._tables[file, group] = (first, table)
        self._bytes += table.nbytes
        while self._bytes > self.most_bytes and len(self._tables) > 1:
            _, (_, oldest) = self._tables.popitem(last=False)
            self._bytes -= oldest.nbytes
        return first, table


def _group_of(file: Path, number: int) -> tuple[int, int, pa.Table]:
    """Return the group that holds a row: its number, the number of its first row, and its rows."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(file) as opened:
        group = first = 0
        while number >= first + opened.metadata.row_group(group).num_rows:
            first += opened.metadata.row_group(group).num_rows
            group += 1
        return group, first, opened.read_row_group(group)


@dataclass(frozen=True, slots=True)
class StoredRows:
    """The `ScoreSource` of the photos below `folder`; their rows have paths below `base`, a folder or a URI.

    A row of another network than `model` counts as one without scores.
    """

    index: RowIndex
    base: str
    folder: Path
    model: str
    groups: RowGroups = field(default_factory=RowGroups)

    def holds(self, place: RootedPath) -> bool:
        """Return whether the photo at a path has a row."""
        return self.index.find(self._key(place)) is not None

    def assessments(self, batch: Sequence[FileSnapshot]) -> Mapping[RootedPath, Assessment]:
        """Return what the row of each file says, for those that could be read when they were scored."""
        found = {file.place: self._assessment(file.place) for file in batch}
        return {place: each for place, each in found.items() if each is not None}

    def _assessment(self, place: RootedPath) -> Assessment | None:
        key = self._key(place)
        where = self.index.find(key)
        if where is None:
            return None
        row = self.groups.row(*where)
        is_judged = row["status"] in {Status.SCORED, Status.UNREADABLE} and row["digest"] is not None
        if not is_judged or _key_in(row) != key or row["model"] != self.model:
            return None
        return assessment_of(row, Path(self.base))

    def _key(self, place: RootedPath) -> bytes:
        """Return the path that the row of a photo has, as bytes."""
        return os.fsencode(self.base).rstrip(b"/") + b"/" + os.fsencode(place.path.relative_to(self.folder))


def _key_in(row: Mapping[str, Any]) -> bytes:
    key: bytes = row["path_bytes"] or row["path"].encode()
    return key
