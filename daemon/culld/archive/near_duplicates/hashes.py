"""The photos of an archive as arrays: what the search for duplicates compares, and the rows of those it has found."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from culld.archive.near_duplicates.likeness import UNKNOWN_TIME, Photos
from culld.archive.parquet.last_rows import batches_of, keys_of, last_of_each, paths_in
from culld.archive.parquet.schema import HASH_BYTES
from culld.archive.records import Status
from culld.stages.group.stacks import shot_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pyarrow as pa
    from numpy.typing import NDArray

    from culld.archive.near_duplicates.bands import Places

_COMPARED: Final = (
    "path", "path_bytes", "scan", "status", "digest", "width", "height", "orientation", "taken_at", "dhash",
    "brightness", "siblings",
)  # fmt: skip
_SHOWN: Final = ("path", "path_bytes", "size", "mtime_ns", "width", "height", "taken_at", "sharpness", "blur", "digest")
_DIGEST_BYTES: Final = 32
_LYING: Final = 5
"""From this EXIF orientation on, width and height are exchanged."""
_COUNTED: Final = re.compile(r"(.*?)(\d{3,9})")
"""A name that a camera counts, such as DSC_0123."""


@dataclass(frozen=True, slots=True, eq=False)
class HashedRows:
    """The photos that have a hash now, and the place of each among all rows of the files."""

    files: tuple[Path, ...]
    photos: Photos
    places: Places

    def table(self, wanted: Places) -> pa.Table:
        """Return the rows of photos, by their places in `photos`, in order, with the columns that are shown."""
        import pyarrow as pa

        order = np.argsort(wanted)
        places = self.places[wanted[order]]
        found, start = list[Any](), 0
        for batch in batches_of(self.files, _SHOWN):
            first, last = np.searchsorted(places, [start, start + len(batch)])
            if last > first or not found:
                found.append(batch.take(pa.array(places[first:last] - start)))
            start += len(batch)
        return pa.Table.from_batches(found).take(pa.array(np.argsort(order)))


def read_hashes(files: Sequence[Path]) -> HashedRows:
    """Read the photos whose last row has a digest; raises OSError, and the errors of pyarrow."""
    keys, scans, parts, places = list[Any](), list[Any](), list[Photos](), list[Any]()
    start = 0
    for batch in batches_of(files, _COMPARED):
        paths, which = list(paths_in(batch)), _with_digest(batch)
        keys.append(keys_of(paths))
        scans.append(batch.column("scan").to_numpy())
        parts.append(_photos_in(batch, paths, which))
        places.append(start + which)
        start += len(batch)
    is_last = last_of_each(np.concatenate(keys), np.concatenate(scans))
    all_places = np.concatenate(places)
    now = is_last[all_places]
    return HashedRows(tuple(files), _joined(parts, now), all_places[now])


def _photos_in(batch: pa.RecordBatch, paths: Sequence[bytes], which: NDArray[np.int64]) -> Photos:
    """Return some of the rows of a batch."""
    import pyarrow as pa

    rows = batch.take(pa.array(which))
    width, height = _lengths(rows.column("width")), _lengths(rows.column("height"))
    lies = _numbers(rows.column("orientation")) >= _LYING
    shot, series, number = _by_names([paths[at] for at in which], rows.column("siblings").to_pylist())
    return Photos(
        hashes=_bytes_in(rows.column("dhash"), HASH_BYTES),
        digests=_bytes_in(rows.column("digest"), _DIGEST_BYTES),
        width=np.where(lies, height, width),
        height=np.where(lies, width, height),
        brightness=_numbers(rows.column("brightness")),
        taken=rows.column("taken_at").cast(pa.int64()).fill_null(UNKNOWN_TIME).to_numpy(),
        shot=shot,
        series=series,
        number=number,
    )


def _with_digest(batch: pa.RecordBatch) -> NDArray[np.int64]:
    """Return the positions of the photos that were read; one that cannot be decoded may have copies as well."""
    import pyarrow as pa
    import pyarrow.compute as pc

    was_read = pc.is_in(batch.column("status"), pa.array([str(Status.SCORED), str(Status.UNREADABLE)]))
    return np.flatnonzero(pc.and_(was_read, batch.column("digest").is_valid()).to_numpy(zero_copy_only=False))


def _by_names(paths: Sequence[bytes], siblings: Sequence[object]) -> tuple[Places, Places, Places]:
    """Return shot, series and number of photos, see `Photos`."""
    found = np.zeros((len(paths), 3), np.int64)
    for at, (path, others) in enumerate(zip(paths, siblings, strict=True)):
        folder, name = os.path.split(os.fsdecode(path))
        counted = _COUNTED.fullmatch(name.rpartition(".")[0])
        found[at, 0] = hash((folder, shot_of(name))) if others else hash(path)
        if counted:
            found[at, 1:] = hash((folder, counted[1], len(counted[2]))), int(counted[2])
    return found[:, 0], found[:, 1], found[:, 2]


def _bytes_in(column: pa.Array, size: int) -> NDArray[np.uint8]:
    joined = b"".join(bytes(size) if each is None else each for each in column.to_pylist())
    return np.frombuffer(joined, np.uint8).reshape(-1, size)


def _numbers(column: pa.Array) -> NDArray[np.float32]:
    """Return numbers; NaN where none is known."""
    import pyarrow as pa

    found: NDArray[np.float32] = column.cast(pa.float32()).to_numpy(zero_copy_only=False)
    return found


def _lengths(column: pa.Array) -> NDArray[np.float32]:
    found = _numbers(column)
    return np.where(found > 0, found, np.float32(np.nan))


def _joined(parts: Sequence[Photos], which: NDArray[np.bool_]) -> Photos:
    """Return some of the photos of all parts, of which there is at least one."""
    return Photos(*(np.concatenate([getattr(each, name) for each in parts])[which] for name in Photos.__slots__))
