"""The plan of a scan: which photos get a row, and in which shard; planned once, and committed before any is read."""

from __future__ import annotations

import os
from itertools import chain, groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from culld.archive.objects.uri import stored_bytes, stored_place
from culld.archive.parquet.folder import placed
from culld.archive.parquet.last_rows import batches_of, paths_in
from culld.archive.parquet.schema import DELETED_SHARD, plan_schema
from culld.archive.records import Shard
from culld.archive.scoring.differences import differences
from culld.archive.scoring.spool import Spool
from culld.records import RootedPath
from culld.stages.group.stacks import shot_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from culld.archive.parquet.folder import ArchiveFolder
    from culld.archive.scoring.differences import Flags
    from culld.records import FileSnapshot

_ROW_GROUP: Final = 1 << 16


class Listed(Protocol):
    """The part of `Listing` that a plan uses."""

    @property
    def unreadable(self) -> Mapping[Path, str]:
        """The folders that could not be listed, after all photos were."""

    def photos(self) -> Iterable[FileSnapshot]:
        """Return the photos; one may be named several times."""


def make_plan(folder: ArchiveFolder, listing: Listed, shard_size: int) -> int:
    """Compare the photos with the rows of the archive, and commit a plan for those that differ; return its number.

    New, changed and failed photos are read, and photos that are not listed any more are marked, but for those in
    folders that could not be listed. Without any of them nothing is written, and the result is 0.
    """
    folder.path.mkdir(parents=True, exist_ok=True)
    files = folder.rows()
    with Spool(folder.path) as spool:
        found = differences(spool, listing.photos(), files)
        gone = _outside(_gone(files, found.gone), listing.unreadable)
        first_gone = list(islice(gone, 1))
        if not found.todo.any() and not first_gone:
            return 0
        scan = folder.last_scan() + 1
        _write(folder.plan(scan), _in_shards(_todo(spool, found.todo), shard_size), chain(first_gone, gone))
        return scan


def shards_of(folder: ArchiveFolder, scan: int) -> Iterator[Shard]:
    """Yield the shards of a plan in order, of which a few are in memory."""
    rows = ((row["shard"], _place(row)) for row in _rows(folder, scan))
    for number, members in groupby(rows, lambda row: row[0]):
        if number != DELETED_SHARD:
            yield Shard(scan, number, tuple(place for _, place in members))


def count_in(folder: ArchiveFolder, scan: int) -> int:
    """Return the number of photos in the shards of a plan."""
    return sum(row["shard"] != DELETED_SHARD for row in _rows(folder, scan))


def missing_shards(folder: ArchiveFolder) -> int:
    """Return how many shards of the last scan are not written: it goes on, or was interrupted."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    scan = folder.last_scan()
    if not scan:
        return 0
    last = pc.max(pq.read_table(folder.plan(scan), columns=["shard"])["shard"]).as_py()
    return (DELETED_SHARD if last is None else last) + 1 - len(folder.committed(scan))


def deleted_in(folder: ArchiveFolder, scan: int) -> list[RootedPath]:
    """Return the photos that a plan found to be gone."""
    return [_place(row) for row in _rows(folder, scan) if row["shard"] == DELETED_SHARD]


def _rows(folder: ArchiveFolder, scan: int) -> Iterator[dict[str, Any]]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(folder.plan(scan)) as file:
        for batch in file.iter_batches():
            yield from batch.to_pylist()


def _place(row: dict[str, Any]) -> RootedPath:
    return RootedPath(Path(os.fsdecode(row["root"])), Path(os.fsdecode(row["relative"])))


def _todo(spool: Spool, todo: Flags) -> Iterator[tuple[bytes, bytes]]:
    """Yield root and relative path of the photos that are read, in the order of the listing."""
    import pyarrow as pa

    start = 0
    for batch in spool.places():
        some = batch.filter(pa.array(todo[start : start + len(batch)]))
        yield from zip(some.column("root").to_pylist(), some.column("relative").to_pylist(), strict=True)
        start += len(batch)


def _gone(files: list[Path], gone: Flags) -> Iterator[bytes]:
    """Yield the paths of the photos that have a row and are not listed any more."""
    import pyarrow as pa

    start = 0
    for batch in batches_of(files, ("path", "path_bytes")) if gone.any() else ():
        yield from paths_in(batch.filter(pa.array(gone[start : start + len(batch)])))
        start += len(batch)


def _outside(gone: Iterable[bytes], folders: Iterable[Path]) -> Iterator[bytes]:
    """Yield the paths that are not below any of the folders."""
    above = tuple(stored_bytes(folder).rstrip(b"/") + b"/" for folder in folders)
    return (path for path in gone if not path.startswith(above))


def _in_shards(todo: Iterable[tuple[bytes, bytes]], size: int) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield number of the shard, root and path of each photo; the photos of one shot are in one shard."""
    number, count, shot = 0, 0, None
    for root, path in todo:
        relative = os.fsdecode(path)
        this = (root, os.path.dirname(relative), shot_of(os.path.basename(relative)))  # noqa: PTH119, PTH120
        if count >= size and this != shot:
            number, count = number + 1, 0
        count, shot = count + 1, this
        yield number, root, path


def _write(file: Path, rows: Iterator[tuple[int, bytes, bytes]], gone: Iterable[bytes]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = plan_schema()
    places = map(stored_place, gone)
    missing = ((DELETED_SHARD, os.fsencode(each.root), os.fsencode(each.relative)) for each in places)
    with placed(file) as hidden, pq.ParquetWriter(hidden, schema, compression="zstd") as writer:
        for source in (rows, missing):
            while some := list(islice(source, _ROW_GROUP)):
                columns = zip(*some, strict=True)
                arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
                writer.write_batch(pa.record_batch(arrays, schema=schema))
