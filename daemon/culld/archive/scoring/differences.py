"""Which listed photos differ from the rows of an archive, in memory that hardly depends on their number."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

import numpy as np

from culld.archive.objects.uri import stored_bytes
from culld.archive.parquet.last_rows import batches_of, keys_of, last_of_each, paths_in
from culld.archive.records import Status
from culld.archive.scoring.spool import RECORD

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pyarrow as pa
    from numpy.typing import NDArray

    from culld.archive.scoring.spool import Records, Spool
    from culld.records import FileSnapshot

    Flags = NDArray[np.bool_]

_COLUMNS: Final = ("path", "path_bytes", "scan", "status", "size", "mtime_ns")
_CHUNK: Final = 1 << 16


@dataclass(frozen=True, slots=True, eq=False)
class Differences:
    """A flag for each listed photo, whether it is read, and for each row, whether its photo is gone; in order."""

    todo: Flags
    gone: Flags


def differences(spool: Spool, photos: Iterable[FileSnapshot], files: list[Path]) -> Differences:
    """Compare listed photos with the rows of files; the places of the photos are added to the spool.

    A photo is read unless its last row has its size and mtime, and is no failure; of one that is listed several times
    the first counts. Raises OSError.
    """
    found = Differences(
        np.zeros(_spool_photos(spool, iter(photos)), np.bool_), np.zeros(_spool_rows(spool, files), np.bool_)
    )
    for records in spool.parts():
        is_row = records["scan"] > 0
        listed, rows = records[~is_row], records[is_row]
        listed = listed[last_of_each(listed["key"], -listed["at"])]
        rows = rows[last_of_each(rows["key"], rows["scan"])]
        todo, gone = _compared(listed, rows[rows["is_there"]])
        found.todo[listed["at"][todo]] = True
        found.gone[rows[rows["is_there"]]["at"][gone]] = True
    return found


def _compared(listed: Records, rows: Records) -> tuple[Flags, Flags]:
    """Return which of the listed photos are read, and which rows have no photo; no two have one key on one side."""
    both = np.concatenate([listed, rows])
    order = np.lexsort((both["scan"], both["key"][:, 0], both["key"][:, 1]))
    ordered = both[order]
    one, other = ordered[:-1], ordered[1:]
    has_row, is_same, has_photo = (np.zeros(len(both), np.bool_) for _ in range(3))
    has_row[order[:-1]] = has_photo[order[1:]] = (one["key"] == other["key"]).all(axis=1)
    is_same[order[:-1]] = (one["size"] == other["size"]) & (one["mtime_ns"] == other["mtime_ns"]) & other["is_settled"]
    return ~(has_row & is_same)[: len(listed)], ~has_photo[len(listed) :]


def _spool_photos(spool: Spool, photos: Iterable[FileSnapshot]) -> int:
    """Write the listed photos to the spool; return their number."""
    count, rest = 0, iter(photos)
    while some := list(islice(rest, _CHUNK)):
        records = np.zeros(len(some), RECORD)
        records["key"] = keys_of(stored_bytes(each.place.path) for each in some)
        records["at"] = np.arange(count, count + len(some))
        records["size"] = [each.stamp.size for each in some]
        records["mtime_ns"] = [each.stamp.mtime_ns for each in some]
        spool.add(records)
        spool.add_places(some)
        count += len(some)
    return count


def _spool_rows(spool: Spool, files: list[Path]) -> int:
    """Write the rows to the spool; return their number."""
    count = 0
    for batch in batches_of(files, _COLUMNS):
        spool.add(_records(batch, count))
        count += len(batch)
    return count


def _records(batch: pa.RecordBatch, start: int) -> Records:
    import pyarrow.compute as pc

    records = np.zeros(len(batch), RECORD)
    records["key"] = keys_of(paths_in(batch))
    records["at"] = np.arange(start, start + len(batch))
    status, size, mtime_ns = (batch.column(name) for name in ("status", "size", "mtime_ns"))
    records["scan"] = batch.column("scan").to_numpy()
    records["size"], records["mtime_ns"] = (pc.fill_null(each, 0).to_numpy() for each in (size, mtime_ns))
    is_failed = pc.equal(status, str(Status.FAILED)).to_numpy(zero_copy_only=False)
    records["is_there"] = pc.not_equal(status, str(Status.DELETED)).to_numpy(zero_copy_only=False)
    is_known = pc.and_(size.is_valid(), mtime_ns.is_valid()).to_numpy(zero_copy_only=False)
    records["is_settled"] = is_known & ~is_failed
    return records
