"""`culld once`: what is there, once."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING

from culld.app.build import Builder, PolicySet, open_alerts, open_scanner
from culld.app.failure_collector import FailureCollector
from culld.errors import ConfigError, PhotoError
from culld.files.lease import is_open_elsewhere
from culld.files.mount_guard import MountGuard
from culld.files.mounts import remote_roots
from culld.pipeline import one_ahead
from culld.records import RootedPath, Verdict, display_path
from culld.stages.group.series import SERIES_WINDOW_S
from culld.stages.report import report
from culld.stages.watch.arrivals import CompleteFiles
from culld.stages.watch.batching import GROWTH
from culld.stages.watch.settle import Settler
from culld.system.alerts import TIMEOUT_S
from culld.unexpected import UnexpectedErrors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from culld.config import Config
    from culld.inference.pool import Pool
    from culld.journal.store import SqliteJournal
    from culld.pipeline import Pipeline, Reading
    from culld.records import FileSnapshot, Outcome
    from culld.stages.watch.scanner import Scanner

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Counts:
    """What a sweep did: photos by verdict, and files that were still being written.

    `failures` are the photos that could not be judged, or whose plan could not be carried out; `waiting` those that
    failed earlier and whose next try is not due; `unread` the folders that cannot be read. All with the reason.
    """

    verdicts: dict[Verdict, int] = field(default_factory=lambda: dict.fromkeys(Verdict, 0))
    failures: dict[RootedPath, str] = field(default_factory=dict)
    waiting: dict[RootedPath, str] = field(default_factory=dict)
    unreadable_folders: dict[Path, str] = field(default_factory=dict)
    unfinished: int = 0
    known: int = 0

    def add(self, outcomes: Sequence[Outcome], known: int) -> None:
        """Count the outcomes of a batch, and the photos in it that had been judged before."""
        for outcome in outcomes:
            self.verdicts[outcome.plan.verdict] += 1
            if outcome.fault is not None:
                self.failures[outcome.plan.photo.place] = outcome.fault
        self.known += known


@dataclass(frozen=True, slots=True)
class BatchCut:
    """A batch of files; the folder of the first one may have begun in the batch before, that of the last one go on."""

    batch: list[FileSnapshot]
    begins: bool = True
    ends: bool = True


def batches(ready: Iterable[FileSnapshot], size: int) -> Iterator[list[FileSnapshot]]:
    """The files in batches of a size, or of up to four times that where shots of one series might be torn apart.

    The files of a folder come one after the other; those that were last changed within half a minute of each other may
    be of one series. No more than one folder is held in memory.
    """
    batch: list[FileSnapshot] = []
    for sighting in _by_time(ready):
        if batch and len(batch) >= size and not (_may_be_one(batch[-1], sighting) and len(batch) < GROWTH * size):
            yield batch
            batch = []
        batch.append(sighting)
    if batch:
        yield batch


def cut(ready: Iterable[FileSnapshot], size: int) -> Iterator[BatchCut]:
    """The `batches`, each with whether it begins or ends within a folder: a series may be cut there."""
    before: BatchCut | None = None
    for batch in batches(ready, size):
        whole = before is None or before.batch[-1].place.path.parent != batch[0].place.path.parent
        if before is not None:
            yield replace(before, ends=whole)
        before = BatchCut(batch, begins=whole)
    if before is not None:
        yield before


def _by_time(ready: Iterable[FileSnapshot]) -> Iterator[FileSnapshot]:
    for _, files in groupby(ready, lambda sighting: sighting.place.path.parent):
        yield from sorted(files, key=lambda sighting: sighting.stamp.mtime_ns)


def _may_be_one(one: FileSnapshot, other: FileSnapshot) -> bool:
    near = other.stamp.mtime_ns - one.stamp.mtime_ns < SERIES_WINDOW_S * 1e9
    return near and one.place.path.parent == other.place.path.parent


class OnePass:
    """One pass over the watched folders, or over some paths below them."""

    def __init__(self, config: Config, journal: SqliteJournal, pool: Pool) -> None:
        """Tie the parts together."""
        self._config = config
        self._journal = journal
        self._alerts = open_alerts(config)
        self._wiring = Builder(config, journal, pool, PolicySet(config), alerts=self._alerts)
        self._scanner: Scanner = open_scanner(config)
        distant = remote_roots(watch.path for watch in config.watch)
        settler = Settler(config.settle.quiet.total_seconds(), is_open_elsewhere, distant)
        self._arrivals = CompleteFiles(self._scanner, settler, self._wiring.clock)
        self._unexpected = UnexpectedErrors()
        self._tally = Counts()
        self._is_cut = False

    def count(self, paths: Sequence[Path]) -> int:
        """How many photos were not judged yet, in the watched folders or below `paths`; raises ConfigError."""
        return sum(1 for _ in self._find(paths))

    def process(self, paths: Sequence[Path], advance: Callable[[int], None]) -> Counts:
        """Judge what is found, and act; `advance` is told how many photos each step did.

        Where a folder takes several batches, a reject that may belong to a series is held back to the folder's end.
        A batch or a folder that fails unexpectedly counts as failed, and the sweep goes on.
        """
        try:
            return self._process(paths, advance)
        finally:
            self._alerts.close(2 * TIMEOUT_S)

    def _process(self, paths: Sequence[Path], advance: Callable[[int], None]) -> Counts:
        tally = self._tally
        hearing = FailureCollector(self._journal, lambda: self._is_cut)
        pipeline = replace(self._wiring.pipeline(more_to_come=lambda: self._is_cut), journal=hearing)
        cuts = cut(self._arrivals.complete(self._find(paths)), self._config.batch.size)
        for reading, one in one_ahead(lambda each: (pipeline.begin(each.batch), each), cuts):
            self._is_cut = not (one.begins and one.ends)
            self._finish(pipeline, reading, hearing)
            advance(len(reading.settled))
            if one.ends:
                self._finish_held(pipeline, hearing)
        tally.failures |= hearing.failures
        tally.unfinished = self._arrivals.unfinished
        tally.unreadable_folders |= self._scanner.unreadable.reasons
        tally.waiting = {place: why for place, why in self._waiting(paths) if place not in tally.failures}
        advance(tally.unfinished)
        return tally

    def _finish(self, pipeline: Pipeline, reading: Reading, hearing: FailureCollector, *, held: bool = False) -> None:
        outcomes = self._unexpected.attempt("judging a batch", partial(pipeline.finish, reading))
        if isinstance(outcomes, PhotoError):
            self._tally.failures |= {sighting.place: str(outcomes) for sighting in reading.settled}
            return
        for outcome in outcomes:
            with self._unexpected.tolerated("telling of a photo"):
                report(outcome)
        known = 0 if held else len(reading.settled)
        self._tally.add(outcomes, max(0, known - len(outcomes) - hearing.take_count()))

    def _finish_held(self, pipeline: Pipeline, hearing: FailureCollector) -> None:
        """Judge the photos that were held back, now that the others of their folders are known."""
        self._is_cut = False
        for batch in batches(hearing.take_deferred(), GROWTH * self._config.batch.size):
            self._finish(pipeline, pipeline.begin(batch), hearing, held=True)

    def _waiting(self, paths: Sequence[Path]) -> Iterator[tuple[RootedPath, str]]:
        """The photos in the watched folders, or below `paths`, that failed and are there, with the reason."""
        scope = [path.resolve() for path in paths] or [watch.path for watch in self._config.watch]
        for fault in self._journal.open_faults():
            is_meant = any(fault.place.path.is_relative_to(folder) for folder in scope)
            if is_meant and self._scanner.find(fault.place) is not None:
                yield fault.place, fault.reason

    def _find(self, paths: Sequence[Path]) -> Iterable[FileSnapshot]:
        return self._journal.unknown(self._below(paths) if paths else self._in_roots())

    def _in_roots(self) -> Iterator[FileSnapshot]:
        for watch in self._config.watch:
            if away := MountGuard(self._journal).unavailable_reason(watch.path):
                log.warning("%s %s; it is passed over", display_path(watch.path), away)
                continue
            yield from self._scan(watch.path, watch.path)

    def _scan(self, root: Path, folder: Path) -> Iterator[FileSnapshot]:
        """The photos below a folder, up to where the look at it fails unexpectedly."""
        found = iter(self._scanner.scan(root, folder))
        doing = f"looking for photos below {display_path(folder)}"
        while (sighting := self._unexpected.attempt(doing, partial(next, found, None))) is not None:
            if isinstance(sighting, PhotoError):
                log.warning("%s is not looked through to its end: %s", display_path(folder), sighting)
                self._tally.unreadable_folders[folder] = str(sighting)
                return
            yield sighting

    def _below(self, paths: Sequence[Path]) -> Iterator[FileSnapshot]:
        for path in paths:
            real = path.resolve()
            root = next((watch.path for watch in self._config.watch if real.is_relative_to(watch.path)), None)
            if root is None or not real.exists():
                why = (
                    "is not there" if root is not None else "lies in no watched folder; `culld score` looks at any file"
                )
                raise ConfigError((f"{display_path(path)}: {why}",))
            if real.is_dir():
                yield from self._scan(root, real)
            elif (sighting := self._scanner.find(RootedPath(root, real.relative_to(root)))) is not None:
                yield sighting
