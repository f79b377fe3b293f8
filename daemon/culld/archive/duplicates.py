"""The use case `culld archive duplicates`: groups of copies over a whole archive, the sharpest photo first."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from culld.archive.near_duplicates.groups import Kind, grouped
from culld.archive.near_duplicates.hashes import read_hashes
from culld.archive.parquet.folder import ArchiveFolder, placed
from culld.errors import ConfigError, SystemFaultError
from culld.records import display_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    import pyarrow as pa
    from numpy.typing import NDArray

    from culld.archive.near_duplicates.bands import Places
    from culld.archive.near_duplicates.groups import Groups
    from culld.archive.near_duplicates.hashes import HashedRows

_WHOLE: Final = 0.8
"""A photo with less than this share of the pixels of the largest one is a smaller copy: its sharpness is no detail."""
_SLICE: Final = 1000


@dataclass(frozen=True, slots=True)
class Member:
    """A photo of a group; `same_bytes` is whether it has the bytes of the first one. Facts that are not known are None.

    `size` in bytes; `width` and `height` in pixels as stored; `sharpness` and `blur` as in the row.
    """

    path: Path
    size: int | None
    width: int | None
    height: int | None
    taken_at: datetime | None
    sharpness: float | None
    blur: float | None
    digest: str
    same_bytes: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Photos that are copies of each other, or similar; the best one first."""

    kind: Kind
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """The groups of one kind, those first whose photos besides the first take most bytes."""

    kind: Kind
    starts: Places
    rows: pa.Table

    def __len__(self) -> int:
        """Return the number of groups."""
        return len(self.starts) - 1

    @property
    def photos(self) -> int:
        """The number of photos in all groups."""
        return int(self.rows.num_rows)

    @property
    def spare_bytes(self) -> int:
        """The bytes of all photos but the first one of each group."""
        sizes = _column(self.rows, "size", 0)
        return int(sizes.sum() - sizes[self.starts[:-1]].sum())

    def groups(self, limit: int | None = None) -> Iterator[Group]:
        """Yield the first groups, or all of them."""
        count = len(self) if limit is None else min(limit, len(self))
        for first in range(0, count, _SLICE):
            starts = self.starts[first : min(first + _SLICE, count) + 1]
            rows = self.rows.slice(starts[0], starts[-1] - starts[0]).to_pylist()
            for start, end in zip(starts[:-1] - starts[0], starts[1:] - starts[0], strict=True):
                yield Group(self.kind, tuple(_member(row, rows[start]) for row in rows[start:end]))


def find_duplicates(path: Path) -> tuple[Ranked, Ranked]:
    """Return the groups of copies in an archive, and those of similar shots; nothing is written.

    Raises ConfigError for a folder without an archive that this culld can read, SystemFaultError for damaged rows.
    """
    import pyarrow as pa

    folder = ArchiveFolder(path.absolute())
    try:
        with folder.read():
            rows = read_hashes(folder.rows())
            copies, similar = grouped(rows.photos)
            return _ranked(rows, copies), _ranked(rows, similar)
    except (OSError, pa.ArrowException) as error:
        raise SystemFaultError(f"the rows of {display_path(path)} cannot be read: {error}") from error


def write_groups(file: Path, found: tuple[Ranked, ...]) -> None:
    """Write one row for each photo of each group, as CSV or Parquet by the name of the file.

    Raises ConfigError for another name and for a file that exists, SystemFaultError if it cannot be written.
    """
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet as pq

    check_out(file)
    table = pa.concat_tables(_numbered(each, sum(map(len, found[:at]))) for at, each in enumerate(found))
    try:
        with placed(file.absolute()) as hidden:
            if file.suffix.lower() == ".csv":
                pyarrow.csv.write_csv(_as_text(table), hidden)
            else:
                pq.write_table(table, hidden, compression="zstd")
    except OSError as error:
        raise SystemFaultError(f"{display_path(file)} cannot be written: {error.strerror or error}") from error


def check_out(file: Path) -> None:
    """Raise ConfigError for a file that exists, or whose name ends with neither .csv nor .parquet."""
    if file.suffix.lower() not in {".csv", ".parquet"}:
        raise ConfigError((f"--out {display_path(file)}: write a name that ends with .csv or .parquet",))
    if os.path.lexists(file):
        raise ConfigError((f"--out {display_path(file)} exists; name a new file",))


def _ranked(rows: HashedRows, groups: Groups) -> Ranked:
    """Return groups in order, and in each the best photo first."""
    table = rows.table(groups.places)
    sizes = np.diff(groups.starts)
    number = np.repeat(np.arange(len(sizes)), sizes)
    table = table.take(_best_first(table, number, groups.starts))
    spare = np.bincount(number, _column(table, "size", 0), len(sizes)) - _column(table, "size", 0)[groups.starts[:-1]]
    order = np.argsort(-spare, kind="stable")
    position = np.empty(len(order), np.int64)
    position[order] = np.arange(len(order))
    starts = np.concatenate([[0], np.cumsum(sizes[order])])
    return Ranked(groups.kind, starts, table.take(np.argsort(position[number], kind="stable")))


def _best_first(table: pa.Table, number: Places, starts: Places) -> Places:
    """Return the order of the rows by group, and in it by pixels, sharpness or blur, bytes, age and path.

    Smaller copies come after those of about full size: their pixels are sharper, and show less.
    """
    import pyarrow.compute as pc

    pixels = _column(table, "width", 0) * _column(table, "height", 0)
    most = np.maximum.reduceat(pixels, starts[:-1]) if len(number) else pixels
    is_smaller = pixels < _WHOLE * most[number]
    sharpness, blur = _column(table, "sharpness", np.nan), _column(table, "blur", np.inf)
    unknown = np.bincount(number, np.isnan(sharpness), len(starts) - 1)[number] > 0
    path = pc.rank(table["path"], tiebreaker="first").to_numpy()
    keys = (path, _column(table, "mtime_ns", 0), -_column(table, "size", 0), np.where(unknown, blur, -sharpness))
    return np.lexsort((*keys, is_smaller, number))


def _column(table: pa.Table, name: str, unknown: float) -> NDArray[np.float64]:
    found: NDArray[np.float64] = table[name].cast("float64", safe=False).fill_null(float(unknown)).to_numpy()
    return found


def _member(row: dict[str, Any], first: dict[str, Any]) -> Member:
    raw = row["path_bytes"]
    return Member(
        Path(row["path"] if raw is None else os.fsdecode(raw)),
        row["size"],
        row["width"],
        row["height"],
        row["taken_at"],
        row["sharpness"],
        row["blur"],
        row["digest"].hex(),
        row is not first and row["digest"] == first["digest"],
    )


def _numbered(found: Ranked, before: int) -> pa.Table:
    """Return the rows with the number of the group, from 1, the kind, and the rank in the group, from 1."""
    import pyarrow as pa

    sizes = np.diff(found.starts)
    group = np.repeat(np.arange(len(sizes)), sizes)
    rank = np.arange(found.photos) - found.starts[group] + 1
    lead = {"group": group + before + 1, "kind": [str(found.kind)] * found.photos, "rank": rank}
    table = found.rows.drop_columns(["mtime_ns"])
    types = {"group": pa.int64(), "kind": pa.string(), "rank": pa.int64()}
    columns = [pa.array(values, types[name]) for name, values in lead.items()]
    return pa.table([*columns, *table.columns], names=[*lead, *table.column_names])


def _as_text(table: pa.Table) -> pa.Table:
    """Return the table with bytes as text: digests in hex, and no bytes of paths, which `path` holds escaped."""
    import pyarrow as pa

    digests = pa.array([each.hex() for each in table["digest"].to_pylist()], pa.string())
    at = table.column_names.index("digest")
    return table.set_column(at, "digest", digests).drop_columns(["path_bytes"])
