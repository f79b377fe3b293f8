"""The rows of an archive that hold now, by joins of Arrow: another way than the code that is tested."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from culld.archive.parquet.last_rows import key_of
from culld.archive.parquet.schema import row_schema
from culld.archive.records import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from culld.archive.parquet.folder import ArchiveFolder

_ALWAYS = ("path", "path_bytes", "scan", "status", "size", "mtime_ns")


def current(folder: ArchiveFolder, columns: Sequence[str] = ()) -> pa.Table:
    """Return the last row of each photo that is still there, with its `key`, the bytes of its path.

    Besides `columns` the table has path, path_bytes, scan, status, size and mtime_ns. Order is not defined.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    names = list(dict.fromkeys([*_ALWAYS, *columns]))
    table = _all_rows(folder, names)
    table = table.append_column("key", key_of(table))
    last = table.group_by("key").aggregate([("scan", "max")])
    if last.num_rows < table.num_rows:
        numbered = table.select(["key", "scan"]).append_column("at", pa.array(np.arange(table.num_rows)))
        kept = numbered.join(last, ["key", "scan"], ["key", "scan_max"], join_type="left semi")
        table = table.take(kept["at"])
    return table.filter(pc.not_equal(table["status"], str(Status.DELETED)))


def _all_rows(folder: ArchiveFolder, names: Sequence[str]) -> pa.Table:
    import pyarrow as pa
    import pyarrow.dataset as ds

    schema = pa.schema([row_schema().field(name) for name in names])
    files = [str(each) for each in folder.rows()]
    return ds.dataset(files, schema=schema, format="parquet").to_table() if files else schema.empty_table()
