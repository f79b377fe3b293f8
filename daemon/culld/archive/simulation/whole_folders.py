"""The rows of an archive as tables of whole folders, one after the other, in bounded memory.

Series and shots lie in one folder, so each table can be judged without the others. The plans say in which files the
rows of a folder are: a scan lists folder by folder, so that mostly only the rows of one folder wait for others.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from culld.archive.parquet.last_rows import key_of
from culld.archive.parquet.row_files import read_rows
from culld.archive.records import Status
from culld.archive.simulation.layout import parents_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt
    import pyarrow as pa

    from culld.archive.simulation.layout import Layout, PlannedFile

_ROWS: Final = 60_000
"""A table has about so many rows, those of one joined file: 60 MB with what is calculated of it."""
_READERS: Final = 1
_AT_ONCE: Final = 1 << 12
"""The rows that a thread reads at once; in small files, since one that is handed over costs as much as one row."""
_AHEAD: Final = 1 << 15


def whole_folders(layout: Layout, columns: Sequence[str], files: range | None = None) -> Iterator[pa.Table]:
    """Yield the rows that hold now, of whole folders, with their `folder`, `key`, `file` (its position) and `row`.

    With `files` only the folders that begin in one of them. Raises ConfigError for a file that is damaged or has other
    columns.
    """
    import pyarrow as pa

    own = range(len(layout.files)) if files is None else files
    end = max([own.stop, *(layout.last[name] + 1 for name, at in layout.first.items() if at in own)]) if own else 0
    waiting: list[pa.Table] = []
    rest: pa.Table | None = None
    count = 0
    for at, table in zip(range(own.start, end), _tables(layout, columns, range(own.start, end)), strict=True):
        waiting.append(table)
        count += table.num_rows
        if count < _ROWS and at + 1 < end:
            continue
        fresh = _of_folders(_described(layout, waiting, at + 1 - len(waiting)), layout.first, own)
        together = fresh if rest is None else pa.concat_tables([rest, fresh])
        encoded = together["folder"].combine_chunks().dictionary_encode()
        lasts = np.array([layout.last.get(each, -1) for each in encoded.dictionary.to_pylist()], np.int64)
        done, rest = _split(together, lasts[encoded.indices.to_numpy()] <= at)
        waiting, count = [], rest.num_rows
        if done.num_rows:
            yield done.combine_chunks()


def _of_folders(table: pa.Table, first: Mapping[bytes, int], files: range) -> pa.Table:
    """Return the rows of folders that begin in some files; one that no plan has begins where it is."""
    import pyarrow as pa

    encoded = table["folder"].combine_chunks().dictionary_encode()
    ours = np.array([first.get(each, files.start) in files for each in encoded.dictionary.to_pylist()], bool)
    rows = ours[encoded.indices.to_numpy()]
    return table if rows.all() else table.filter(pa.array(rows))


def _described(layout: Layout, tables: list[pa.Table], first: int) -> pa.Table:
    """Return the rows of files that hold now, with `folder`, `key`, `file` and `row`; `first` is the first file."""
    import pyarrow as pa

    counts = [table.num_rows for table in tables]
    table = pa.concat_tables(tables).combine_chunks()
    key = key_of(table).combine_chunks()
    ends = np.cumsum([0, *counts])
    rows = np.arange(table.num_rows) - np.repeat(ends[:-1], counts)
    files = np.repeat(np.arange(first, first + len(tables)), counts)
    for name, values in {"key": key, "folder": parents_of(key), "file": pa.array(files), "row": pa.array(rows)}.items():
        table = table.append_column(name, values)
    scans = [layout.files[at].scan for at in range(first, first + len(tables))]
    if len(set(scans)) == 1:
        return _current(table, layout.later[scans[0]])
    parts = zip(scans, ends, counts, strict=False)
    return pa.concat_tables([_current(table.slice(start, size), layout.later[scan]) for scan, start, size in parts])


def _split(table: pa.Table, first: npt.NDArray[np.bool_]) -> tuple[pa.Table, pa.Table]:
    """Return some rows and the other ones; mostly these are those at the begin and at the end."""
    import pyarrow as pa

    count = int(first.sum())
    if first[:count].all():
        return table.slice(0, count), table.slice(count)
    return table.filter(pa.array(first)), table.filter(pa.array(~first))


def _tables(layout: Layout, columns: Sequence[str], which: range) -> Iterator[pa.Table]:
    """Yield the rows of each file in order; a thread reads `_AHEAD` rows ahead, or one file."""
    with ThreadPoolExecutor(_READERS) as pool:
        begun: deque[tuple[int, Any]] = deque()
        ahead = 0
        for files, rows in _batches([layout.files[at] for at in which]):
            begun.append((rows, pool.submit(_read, files, columns)))
            ahead += rows
            while len(begun) > 1 and ahead > _AHEAD:
                count, tables = begun.popleft()
                ahead -= count
                yield from tables.result()
        for _, tables in begun:
            yield from tables.result()


def _batches(files: Sequence[PlannedFile]) -> Iterator[tuple[list[PlannedFile], int]]:
    """Yield files that are read at once, with the number of their rows."""
    batch: list[PlannedFile] = []
    count = 0
    for each in files:
        batch.append(each)
        count += each.rows
        if count >= _AT_ONCE:
            yield batch, count
            batch, count = [], 0
    if batch:
        yield batch, count


def _read(files: Sequence[PlannedFile], columns: Sequence[str]) -> list[pa.Table]:
    return [read_rows(file.path, columns) for file in files]


def _current(table: pa.Table, later: pa.Array) -> pa.Table:
    """Return the rows that no later scan replaced, and that are not deleted."""
    import pyarrow.compute as pc

    holds = pc.not_equal(table["status"], str(Status.DELETED))
    if len(later):
        holds = pc.and_(holds, pc.invert(pc.is_in(table["key"], later)))
    return table if pc.all(holds).as_py() else table.filter(holds)
