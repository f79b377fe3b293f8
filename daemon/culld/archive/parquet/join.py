"""Joins the shards of finished scans to larger files: opening a file of 256 rows costs as much as 4,000 rows.

A joined file gets its name in one step, and from then on the shards that it replaces do not count (`RowFiles`). So a
reader finds each row once, before and after that step, and a run that is killed leaves at most files that do not count,
which the next run removes. They are removed only while no other process reads the archive.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from culld.archive.parquet.folder import placed
from culld.archive.parquet.row_files import read_rows
from culld.archive.parquet.schema import row_schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

    from culld.archive.parquet.folder import ArchiveFolder
    from culld.archive.parquet.row_files import RowFile

MOST_ROWS: Final = 1 << 16
"""The rows of a joined file, at most: what one table of `culld archive simulate` holds."""
GROUP_ROWS: Final = 1 << 12
"""The rows of a row group, which `culld archive apply` reads for a single row; smaller ones slow down the rest."""


class Disk(Protocol):
    """Changes the files of rows."""

    def count(self, file: Path) -> int:
        """Return the number of rows of a file."""

    def join(self, parts: Sequence[Path], file: Path) -> None:
        """Write the rows of some files, in order, to a new one, durably and in one step."""

    def remove(self, file: Path) -> None:
        """Remove a file."""


@dataclass(frozen=True, slots=True)
class ParquetDisk:
    """The files of this machine. Raises ConfigError for a damaged file, OSError if the output cannot be written."""

    def count(self, file: Path) -> int:
        """Return the number of rows of a file, as its footer says."""
        return int(read_rows(file, ()).num_rows)

    def join(self, parts: Sequence[Path], file: Path) -> None:
        """Write row groups of `GROUP_ROWS` rows; a few times so many are in memory."""
        import pyarrow.parquet as pq

        with placed(file) as hidden, pq.ParquetWriter(hidden, row_schema(), compression="zstd") as writer:
            for table in _groups_of_rows(parts):
                writer.write_table(table, row_group_size=GROUP_ROWS)

    def remove(self, file: Path) -> None:
        """Remove a file."""
        file.unlink(missing_ok=True)


def join_shards(folder: ArchiveFolder, disk: Disk | None = None, most_rows: int = MOST_ROWS) -> None:
    """Join the shards of all scans, which must be finished; only the process that holds the lock may do so.

    Raises as the disk does.
    """
    disk = disk or ParquetDisk()
    for scan in range(1, folder.last_scan() + 1):
        found = folder.row_files(scan)
        _remove(folder, [each.path for each in found.replaced], disk)
        for files in _joinable(found.holding, disk, most_rows):
            parts = [each.path for each in files]
            disk.join(parts, folder.joined(scan, files[0].first, files[-1].last))
            _remove(folder, parts, disk)


def separate_shards(folder: ArchiveFolder) -> int:
    """Return how many shards of all scans have a file of their own."""
    scans = range(1, folder.last_scan() + 1)
    return sum(not each.is_joined for scan in scans for each in folder.row_files(scan).holding)


def _remove(folder: ArchiveFolder, replaced: Sequence[Path], disk: Disk) -> None:
    """Remove files that do not count any more; they stay while another process reads the archive."""
    with folder.unread() as is_unread:
        for each in replaced if is_unread else ():
            disk.remove(each)


def _joinable(files: Sequence[RowFile], disk: Disk, most_rows: int) -> Iterator[list[RowFile]]:
    """Yield the shards of each joined file: consecutive ones, as many as have at most so many rows, and two at least.

    A joined file keeps its shards.
    """
    group: list[RowFile] = []
    total = 0
    for each in files:
        rows = most_rows if each.is_joined else disk.count(each.path)
        if group and (total + rows > most_rows or each.first != group[-1].last + 1):
            if len(group) > 1:
                yield group
            group, total = [], 0
        if not each.is_joined:
            group.append(each)
            total += rows
    if len(group) > 1:
        yield group


def _groups_of_rows(parts: Sequence[Path]) -> Iterator[pa.Table]:
    """Yield the rows of files in tables of whole row groups; the last table has the rest."""
    import pyarrow as pa

    waiting: list[pa.Table] = []
    count = 0
    for file in parts:
        waiting.append(read_rows(file))
        count += waiting[-1].num_rows
        if count < GROUP_ROWS:
            continue
        table = pa.concat_tables(waiting)
        whole = count - count % GROUP_ROWS
        yield table.slice(0, whole).combine_chunks()
        waiting, count = [table.slice(whole)], count - whole
    if count:
        yield pa.concat_tables(waiting).combine_chunks()
