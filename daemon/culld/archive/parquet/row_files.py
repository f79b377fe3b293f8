"""The files of rows of a scan: one for each shard, and files that join the rows of consecutive shards."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

from culld.archive.parquet.schema import SCHEMA_KEY, SCHEMA_VERSION, row_schema
from culld.errors import ConfigError
from culld.records import display_path

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pyarrow as pa

SHARD: Final = "shard-{:06}.parquet"
JOINED: Final = "shard-{:06}-{:06}.parquet"
_NAME: Final = re.compile(r"shard-(\d{6,})(?:-(\d{6,}))?\.parquet")


@dataclass(frozen=True, slots=True)
class RowFile:
    """A file with the rows of the shards `first` to `last` of a scan; both are the same number in the file of one."""

    path: Path
    first: int
    last: int

    @property
    def is_joined(self) -> bool:
        """Whether it holds several shards."""
        return self.last > self.first


@dataclass(frozen=True, slots=True)
class RowFiles:
    """The files of a scan that hold its rows, by their shards, and the `replaced` ones, whose rows a joined file has.

    Replaced files are there for a moment after each join, and after a run that was killed in this moment.
    """

    holding: list[RowFile] = field(default_factory=list)
    replaced: list[RowFile] = field(default_factory=list)

    @classmethod
    def of(cls, folder: Path) -> RowFiles:
        """Return the files in the folder of a scan; raises ConfigError if two files hold some of the same shards."""
        found = cls()
        named = filter(None, map(_named, folder.glob("shard-*.parquet")))
        for each in sorted(named, key=lambda file: (file.first, -file.last)):
            before = found.holding[-1] if found.holding else None
            if before is None or each.first > before.last:
                found.holding.append(each)
            elif each.last <= before.last:
                found.replaced.append(each)
            else:
                both = f"{display_path(before.path)} and {display_path(each.path)}"
                raise ConfigError((f"{both} hold rows of the same shards; remove one of them and score again",))
        return found


def _named(path: Path) -> RowFile | None:
    """Return what the name of a file says; None for a name that culld does not give."""
    match = _NAME.fullmatch(path.name)
    if match is None:
        return None
    first, last = int(match[1]), int(match[2] or match[1])
    return RowFile(path, first, last) if first <= last else None


def read_rows(file: Path, columns: Sequence[str] | None = None, rows: Sequence[int] | None = None) -> pa.Table:
    """Return columns of a file of rows, all without `columns`; of some `rows` by their number, in order, or of all.

    Raises ConfigError if the file is damaged or has another schema.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(file, memory_map=True) as opened:
            _check(file, opened.schema_arrow)
            names = None if columns is None else list(columns)
            return opened.read(names, use_threads=False) if rows is None else _some(opened, names, rows)
    except (OSError, pa.ArrowException) as error:
        why = str(error).partition("\n")[0]
        raise ConfigError((f"{display_path(file)} cannot be read ({why}); remove it and score again",)) from error


def _check(file: Path, schema: pa.Schema) -> None:
    version = (schema.metadata or {}).get(SCHEMA_KEY, b"").decode()
    if version != str(SCHEMA_VERSION) or not schema.equals(_expected()):
        raise ConfigError((f"{display_path(file)} {other_schema(version or 'of another program')}",))


@cache
def _expected() -> pa.Schema:
    return row_schema()


def _some(opened: pa.parquet.ParquetFile, columns: list[str] | None, rows: Sequence[int]) -> pa.Table:
    """Return some rows; only the row groups that hold one are read."""
    sizes = [opened.metadata.row_group(at).num_rows for at in range(opened.num_row_groups)]
    ends = np.cumsum(sizes)
    wanted = np.asarray(rows, np.int64)
    groups, place = np.unique(np.searchsorted(ends, wanted, side="right"), return_inverse=True)
    read = np.array([sizes[at] for at in groups], np.int64)
    shift = (np.cumsum(read) - read) - (ends[groups] - read)
    return opened.read_row_groups(groups.tolist(), columns, use_threads=False).take(wanted + shift[place])


def other_schema(found: object) -> str:
    """Return, as a clause, that a file has another schema than this culld."""
    return f"has schema {found}, and this culld writes {SCHEMA_VERSION}; score the photos again into a new folder"
