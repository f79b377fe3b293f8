"""The rows of an archive that hold now: of each photo the last one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from culld.archive.records import Status
from culld.archive.schema import row_schema

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from culld.archive.folder import ArchiveFolder

_ALWAYS = ("path", "path_bytes", "scan", "status", "size", "mtime_ns")


def current(folder: ArchiveFolder, columns: Sequence[str] = ()) -> pa.Table:
    """Return the last row of each photo that is still there, with its `key`, the bytes of its path.

    Besides `columns` the table has path, path_bytes, scan, status, size and mtime_ns. Order is not defined.
    """
    import pyarrow.compute as pc

    names = list(dict.fromkeys([*_ALWAYS, *columns]))
    table = _all_rows(folder, names)
    table = table.append_column("key", key_of(table))
    last = table.group_by("key").aggregate([("scan", "max")])
    if last.num_rows < table.num_rows:
        numbered = table.select(["key", "scan"]).append_column("at", numbers(table.num_rows))
        kept = numbered.join(last, ["key", "scan"], ["key", "scan_max"], join_type="left semi")
        table = table.take(kept["at"])
    return table.filter(pc.not_equal(table["status"], str(Status.DELETED)))


def key_of(table: pa.Table) -> pa.ChunkedArray:
    """Return the bytes of the path of each row."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.coalesce(table["path_bytes"], table["path"].cast(pa.binary()))


def _all_rows(folder: ArchiveFolder, names: Sequence[str]) -> pa.Table:
    import pyarrow as pa
    import pyarrow.dataset as ds

    schema = pa.schema([row_schema().field(name) for name in names])
    files = [str(each) for each in folder.rows()]
    return ds.dataset(files, schema=schema, format="parquet").to_table() if files else schema.empty_table()


def numbers(count: int) -> pa.Array:
    """Return the numbers of so many rows, from 0."""
    import pyarrow as pa

    return pa.array(np.arange(count))
