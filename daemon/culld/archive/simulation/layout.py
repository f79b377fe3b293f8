"""Where the rows of an archive are, folder by folder, as the plans of its scans say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from culld.archive.objects.uri import ANONYMOUS, SCHEMES
from culld.archive.parquet.schema import DELETED_SHARD
from culld.archive.simulation.outcomes import Missing
from culld.errors import ConfigError
from culld.records import display_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

    from culld.archive.parquet.folder import ArchiveFolder
    from culld.archive.parquet.row_files import RowFile

_GROUP: Final = 1 << 16


@dataclass(slots=True)
class PlannedFile:
    """A file of rows of a scan, with the number of photos that the plan has in its shards."""

    scan: int
    path: Path
    rows: int = 0


@dataclass(slots=True)
class Layout:
    """Where the rows of an archive are.

    `files` are the files of rows in the order of scans, `first` and `last` the positions of the first and the last file
    with a row of a folder, by the bytes of its path. `later` has for each scan the paths that a later scan read again
    or marked as deleted, and `deleted` the paths of photos that are gone.
    """

    files: list[PlannedFile] = field(default_factory=list)
    first: dict[bytes, int] = field(default_factory=dict)
    last: dict[bytes, int] = field(default_factory=dict)
    later: dict[int, pa.Array] = field(default_factory=dict)
    deleted: set[bytes] = field(default_factory=set)
    missing: Missing = field(default_factory=Missing)


def layout_of(folder: ArchiveFolder) -> Layout:
    """Return where the rows of an archive are, by its plans; raises ConfigError for a plan that cannot be read."""
    found = Layout()
    scans = range(1, folder.last_scan() + 1)
    planned = absent = 0
    read_again: dict[int, pa.Array] = {}
    for scan in scans:
        files = folder.row_files(scan).holding
        at = _positions(files, len(found.files))
        found.files += [PlannedFile(scan, each.path) for each in files]
        held = [*at, DELETED_SHARD] if folder.deleted(scan).exists() else list(at)
        keys = []
        for table in _plan_tables(folder, scan):
            shards = table["shard"].to_numpy()
            there = np.isin(shards, held)
            planned += int((shards != DELETED_SHARD).sum())
            absent += int((~there & (shards != DELETED_SHARD)).sum())
            done = table.filter(there)
            _note_ends(found, done.filter(shards[there] != DELETED_SHARD), at)
            if scan > 1:
                keys.append(done["key"])
                _note_deleted(found.deleted, done)
        read_again[scan] = _joined(keys)
    for scan in scans:
        found.later[scan] = _joined([read_again[other] for other in scans if other > scan])
    found.missing = Missing(absent, planned)
    return found


def _positions(files: Sequence[RowFile], start: int) -> dict[int, int]:
    """Return the position of the file of each shard; `start` is that of the first file."""
    return {number: start + place for place, each in enumerate(files) for number in range(each.first, each.last + 1)}


def parents_of(keys: pa.Array) -> pa.Array:
    """Return the folder of each path, without a slash at its end."""
    import pyarrow.compute as pc

    return pc.list_element(pc.split_pattern(keys, b"/", max_splits=1, reverse=True), 0)


def _plan_tables(folder: ArchiveFolder, scan: int) -> Iterator[pa.Table]:
    """Yield the rows of a plan with the key of each photo."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = folder.plan(scan)
    try:
        with pq.ParquetFile(file) as opened:
            for batch in opened.iter_batches(_GROUP):
                table = pa.Table.from_batches([batch])
                yield table.append_column("key", _keys(table))
    except (OSError, pa.ArrowException) as error:
        why = str(error).partition("\n")[0]
        raise ConfigError((f"{display_path(file)} cannot be read ({why})",)) from error


def _keys(plan: pa.Table) -> pa.Array:
    """Return the path or URI of each photo of a plan, as rows have it (`object_uri.stored_bytes`)."""
    import pyarrow.compute as pc

    roots = plan["root"].combine_chunks().dictionary_encode()
    root = pc.if_else(pc.equal(roots.dictionary, b"/"), b"", roots.dictionary)
    uri = pc.replace_substring_regex(root, pattern=f"^({'|'.join(SCHEMES)}):/({ANONYMOUS}@)?", replacement=r"\1://")
    return pc.binary_join_element_wise(uri.take(roots.indices), plan["relative"].combine_chunks(), b"/")


def _note_ends(layout: Layout, table: pa.Table, at: dict[int, int]) -> None:
    """Note the first and the last file of each folder of a table, and the photos of each file."""
    for number in table["shard"].value_counts().to_pylist():
        layout.files[at[number["values"]]].rows += number["counts"]
    folders = table.select(["shard"]).append_column("folder", parents_of(table["key"].combine_chunks()))
    ends = folders.group_by("folder").aggregate([("shard", "min"), ("shard", "max")])
    columns = (ends[name].to_pylist() for name in ("folder", "shard_min", "shard_max"))
    for name, least, most in zip(*columns, strict=True):
        layout.first[name] = min(layout.first.get(name, at[least]), at[least])
        layout.last[name] = max(layout.last.get(name, at[most]), at[most])


def _note_deleted(deleted: set[bytes], table: pa.Table) -> None:
    """Note the photos that a later scan found to be gone, and those that are there again."""
    gone = table["shard"].to_numpy() == DELETED_SHARD
    if deleted:
        deleted.difference_update(table.filter(~gone)["key"].to_pylist())
    deleted.update(table.filter(gone)["key"].to_pylist())


def _joined(keys: Sequence[pa.Array | pa.ChunkedArray]) -> pa.Array:
    import pyarrow as pa

    parts = [chunk for each in keys for chunk in (each.chunks if isinstance(each, pa.ChunkedArray) else [each])]
    return pa.concat_arrays(parts) if parts else pa.array([], pa.binary())
