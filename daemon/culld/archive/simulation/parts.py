"""The parts of an archive, each a range of files, judged in processes of their own.

A folder belongs to the part in which it begins; its process also reads the files in which the folder goes on.
"""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np

from culld.archive.parquet.row_files import read_rows
from culld.archive.simulation.judge import FACT_VARIABLES, Judge
from culld.archive.simulation.outcomes import Simulation
from culld.archive.simulation.photo_columns import PhotoColumns, columns_for
from culld.archive.simulation.row_stack import RowStacks, shots_in
from culld.archive.simulation.tally import Tally
from culld.archive.simulation.whole_folders import whole_folders
from culld.errors import ConfigError, SystemFaultError
from culld.records import Mode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    import pyarrow as pa

    from culld.archive.parquet.folder import Manifest
    from culld.archive.simulation.layout import Layout
    from culld.config import Config
    from culld.records import FolderPolicies, Policy

_LEAST: Final = 1 << 17
"""The rows of a part, at least: a process that judges fewer costs more than it saves."""
_MOST: Final = 1 << 19
_PARTS: Final = 8
"""The parts of each process, as far as the limits allow: when the last ones are judged, processes wait."""


def judged_parts(tables: Tables, workers: int, size: int = 0) -> Iterator[tuple[range, Simulation]]:
    """Yield the parts of an archive in order, with what would happen to their photos.

    A part has whole files, with `size` rows or just more; 0: by the number of processes. Raises ConfigError for a
    damaged file, and SystemFaultError if a process is lost.
    """
    rows = [each.rows for each in tables.layout.files]
    parts = list(_parts(rows, size or min(max(sum(rows) // (workers * _PARTS), _LEAST), _MOST)))
    workers = min(workers, len(parts))
    if workers <= 1:
        yield from ((part, _needed(tables.judged(part))) for part in parts)
        return
    context = multiprocessing.get_context("spawn")
    try:
        with ProcessPoolExecutor(workers, context, _Worker.start, (tables,)) as pool:
            for part, found in zip(parts, pool.map(_Worker.judged, parts), strict=True):
                yield part, _needed(found)
    except BrokenProcessPool as error:
        raise SystemFaultError("a process of the simulation ended; is there too little memory?") from error


def _parts(rows: Sequence[int], size: int) -> Iterator[range]:
    """Yield ranges of files by the number of the rows of each."""
    start = count = 0
    for at, number in enumerate(rows):
        count += number
        if count >= size or at + 1 == len(rows):
            yield range(start, at + 1)
            start, count = at + 1, 0


def _needed(found: Simulation | tuple[str, ...]) -> Simulation:
    if isinstance(found, Simulation):
        return found
    raise ConfigError(found)


class _Worker:
    """What a process holds: the archive and the policies."""

    tables: ClassVar[Tables]

    @classmethod
    def start(cls, tables: Tables) -> None:
        """Take the archive and the policies; the threads of Arrow would compete with the other processes."""
        import pyarrow as pa

        pa.set_cpu_count(1)
        cls.tables = tables

    @classmethod
    def judged(cls, part: range) -> Simulation | tuple[str, ...]:
        """Return what would happen to the photos of a part, or the problems of a damaged file."""
        return cls.tables.judged(part)


@dataclass(frozen=True, slots=True)
class Roots:
    """The folders below which photos are named: watched folders with their policies, and folders of the archive."""

    watched: Mapping[Path, Policy]
    scored: Sequence[Path]

    @classmethod
    def of(cls, config: Config, policies: FolderPolicies, manifest: Manifest) -> Roots:
        """Return the roots; a watched folder is also meant by its path without links."""
        watched = {path: policies.by_root[watch.path] for watch in config.watch for path in _paths(watch.path)}
        return cls(watched, [Path(uri) for uri in manifest.uris])

    def root_of(self, folder: Path) -> Path:
        """Return the root of the photos of a folder: the nearest one that is watched, else scored, else the folder."""
        for known in (self.watched, frozenset(self.scored)):
            for each in (folder, *folder.parents):
                if each in known:
                    return each
        return folder


def _paths(path: Path) -> set[Path]:
    return {path, Path(os.path.realpath(path))}


@dataclass(frozen=True, slots=True)
class Tables:
    """Prepares tables of rows for the judge."""

    layout: Layout
    roots: Roots
    policies: FolderPolicies
    now: datetime

    def judged(self, part: range) -> Simulation | tuple[str, ...]:
        """Return what would happen to the photos of a range of files; the problems of a file that is damaged."""
        tally = Tally(Simulation(self.policies.default.digest))
        try:
            for table in whole_folders(self.layout, columns_for(self._variables), part):
                judge = self.judge(table)
                tally.add(judge.photos, judge.judged(), judge.decisions)
        except ConfigError as error:
            return error.problems
        return tally.simulation

    @property
    def _variables(self) -> frozenset[str]:
        return frozenset(name for rule in self.policies.default.named_rules for name in rule.when.variables)

    def judge(self, table: pa.Table) -> Judge:
        """Return the judge of a table of whole folders."""
        encoded = table["folder"].combine_chunks().dictionary_encode()
        folders = encoded.indices.to_numpy().astype(np.int64)
        paths = [Path(os.fsdecode(each) or "/") for each in encoded.dictionary.to_pylist()]
        roots = [self.roots.root_of(path) for path in paths]
        unique = list(dict.fromkeys(roots))
        at = np.array([unique.index(root) for root in roots], np.int64)
        photos = PhotoColumns(table, at[folders], unique, self.now)
        cameras, models = photos.codes("camera")
        stacks = RowStacks(
            photos, shots_in(photos, folders), _Facts(self.layout, table).of, self._is_gone, self._all_facts
        )
        policies = [replace(self.roots.watched.get(root, self.policies.default), mode=Mode.ENFORCE) for root in unique]
        return Judge(photos, stacks, policies, folders * len(models) + cameras)

    @property
    def _all_facts(self) -> bool:
        return self.policies.default.names(FACT_VARIABLES)

    def _is_gone(self, key: bytes) -> bool:
        return key in self.layout.deleted


@dataclass(frozen=True, slots=True)
class _Facts:
    """Reads the facts of rows of a table."""

    layout: Layout
    table: pa.Table

    def of(self, rows: Sequence[int]) -> list[str | None]:
        """Return the facts of rows, in order; raises ConfigError for a damaged file."""
        places = self.table.select(["file", "row"]).take(rows)
        files, numbers = places["file"].to_numpy(), places["row"].to_numpy()
        found: dict[int, str | None] = {}
        for file in np.unique(files).tolist():
            inside = np.flatnonzero(files == file)
            facts = read_rows(self.layout.files[file].path, ["facts"], numbers[inside])["facts"]
            found |= dict(zip(inside.tolist(), facts.to_pylist(), strict=True))
        return [found[at] for at in range(len(rows))]
