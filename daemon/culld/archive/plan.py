"""The plan of a scan: which photos get a row, and in which shard; planned once, and committed before any is read."""

from __future__ import annotations

import os
from itertools import groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from culld.archive.folder import placed
from culld.archive.object_uri import stored_bytes, stored_place
from culld.archive.records import Shard, Status
from culld.archive.schema import DELETED_SHARD, plan_schema
from culld.archive.table import current
from culld.records import RootedPath
from culld.stages.group.stacks import shot_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import pyarrow as pa

    from culld.archive.folder import ArchiveFolder
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
    found, known = _listing(listing.photos()), current(folder)
    todo = _todo(found, known)
    gone = _outside(_gone(found, known), listing.unreadable)
    if not todo.num_rows and not gone.num_rows:
        return 0
    scan = folder.last_scan() + 1
    _write(folder.plan(scan), _in_shards(todo, shard_size), gone)
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


def _listing(listed: Iterable[FileSnapshot]) -> pa.Table:
    """Return the photos as a table: key, root, relative (bytes), size, mtime_ns; each photo once, in order."""
    import pyarrow as pa

    names = ("key", "root", "relative", "size", "mtime_ns")
    types = (pa.binary(), pa.binary(), pa.binary(), pa.int64(), pa.int64())
    schema = pa.schema(list(zip(names, types, strict=True)))
    rows = iter(listed)
    batches = []
    while some := [_columns(each) for each in islice(rows, _ROW_GROUP)]:
        arrays = [pa.array(column, type_) for column, type_ in zip(zip(*some, strict=True), types, strict=True)]
        batches.append(pa.record_batch(arrays, schema=schema))
    table = pa.Table.from_batches(batches, schema).append_column(
        "at", pa.array(range(sum(map(len, batches))), pa.int64())
    )
    first = table.group_by("key", use_threads=False).aggregate([("at", "min")])["at_min"]
    return table.take(first.combine_chunks().sort()) if first.length() < table.num_rows else table


def _columns(file: FileSnapshot) -> tuple[bytes, bytes, bytes, int, int]:
    place, stamp = file.place, file.stamp
    return stored_bytes(place.path), os.fsencode(place.root), os.fsencode(place.relative), stamp.size, stamp.mtime_ns


def _todo(found: pa.Table, known: pa.Table) -> pa.Table:
    """Return the photos whose row is missing, has another size or mtime, or says that they could not be read.

    They are sorted by path: a folder is listed in any order, and the frames of a burst have names that follow.
    """
    import pyarrow.compute as pc

    settled = known.filter(pc.not_equal(known["status"], str(Status.FAILED))).select(["key", "size", "mtime_ns"])
    return found.join(settled, ["key", "size", "mtime_ns"], join_type="left anti").sort_by("key")


def _gone(found: pa.Table, known: pa.Table) -> pa.Table:
    """Return the keys of the photos that have a row and are not listed any more."""
    return known.select(["key"]).join(found.select(["key"]), ["key"], join_type="left anti").sort_by("key")


def _outside(gone: pa.Table, folders: Iterable[Path]) -> pa.Table:
    """Return the keys that are not below any of the folders."""
    import pyarrow.compute as pc

    for folder in folders:
        gone = gone.filter(pc.invert(pc.starts_with(gone["key"], stored_bytes(folder).rstrip(b"/") + b"/")))
    return gone


def _in_shards(todo: pa.Table, size: int) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield number of the shard, root and path of each photo; the photos of one shot are in one shard."""
    number, count, shot = 0, 0, None
    for batch in todo.select(["root", "relative"]).to_batches(_ROW_GROUP):
        for row in batch.to_pylist():
            relative = os.fsdecode(row["relative"])
            this = (row["root"], os.path.dirname(relative), shot_of(os.path.basename(relative)))  # noqa: PTH119, PTH120
            if count >= size and this != shot:
                number, count = number + 1, 0
            count, shot = count + 1, this
            yield number, row["root"], row["relative"]


def _write(file: Path, rows: Iterator[tuple[int, bytes, bytes]], gone: pa.Table) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = plan_schema()
    places = map(stored_place, gone["key"].to_pylist())
    missing = ((DELETED_SHARD, os.fsencode(each.root), os.fsencode(each.relative)) for each in places)
    with placed(file) as hidden, pq.ParquetWriter(hidden, schema, compression="zstd") as writer:
        for source in (rows, missing):
            while some := list(islice(source, _ROW_GROUP)):
                columns = zip(*some, strict=True)
                arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
                writer.write_batch(pa.record_batch(arrays, schema=schema))
