"""The use case `once`: one pass over the photos that are not judged yet, or over all photos to judge them again."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from culld.app.batch_loop import BatchLoop
from culld.app.build import Builder, PolicySet, open_alerts, open_scanner
from culld.app.clips.pool import ClipPool, open_clip_pool
from culld.app.copies.background import Copies
from culld.app.copies.repairer import Repairer, open_repair_pool
from culld.app.engine_pool import open_pool
from culld.app.model_files import resolve_policies
from culld.app.rejudge import Rejudging, ReplayJournal
from culld.app.startup import claim_folders, open_journal
from culld.app.wishes.carry_out import Wishes
from culld.errors import ConfigError
from culld.files.lease import is_open_elsewhere
from culld.files.locks import RootLocks, state_lock
from culld.files.mount_guard import MountGuard
from culld.files.mounts import remote_roots
from culld.records import RootedPath, display_path
from culld.stages.read import PoolReader
from culld.stages.report import report
from culld.stages.watch.intake import CompleteFiles
from culld.stages.watch.settle import Settler
from culld.system.alerts import TIMEOUT_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from culld.app.once_counts import Counts
    from culld.config import Config
    from culld.inference.pool import Pool
    from culld.journal.store import SqliteJournal
    from culld.ports import KnownFiles
    from culld.records import FileSnapshot
    from culld.stages.watch.scanner import Scanner

    Progress = Callable[[int, str], AbstractContextManager[Callable[[int], None]]]
    """Begins a task with so many photos; the context holds the function that advances it by a count."""

log = logging.getLogger(__name__)


class OnePass:
    """One pass over the watched folders, or over some paths below them."""

    def __init__(self, config: Config, journal: SqliteJournal, pool: Pool, rejudging: Rejudging | None = None) -> None:
        """Build the pipeline; with `rejudging` also photos that were judged before are read and judged."""
        self._config = config
        self._journal = journal
        self._known: KnownFiles = rejudging or journal
        self._alerts = open_alerts(config)
        policies = PolicySet(resolve_policies(config))
        if policies.missing_extra:
            log.warning("%s", policies.missing_extra)
        builder = Builder(config, journal, pool, policies, alerts=self._alerts)
        self._loop = BatchLoop(config.batch.size, journal.fault)
        rejudging_reader = PoolReader(pool, segment=policies.name_regions)
        self._pipeline = builder.pipeline(
            builder.reader() if rejudging is None else rejudging_reader,
            report,
            more_to_come=self._loop.more_to_come,
            record_failure=self._loop.failed.add,
            recall=None if rejudging is None else rejudging.recall,
        )
        if rejudging is not None:
            self._pipeline = replace(self._pipeline, journal=ReplayJournal(journal))
        self._scanner: Scanner = open_scanner(config, policies)
        distant = remote_roots(watch.path for watch in config.watch)
        settler = Settler(config.settle.quiet.total_seconds(), is_open_elsewhere, distant)
        self._arrivals = CompleteFiles(self._scanner, settler, builder.clock)
        self._unexpected = self._loop.unexpected
        self._wishes = Wishes(builder, self._unexpected)
        self._copies = Copies(builder, self._unexpected, Repairer(partial(open_repair_pool, config), builder.clock))
        self._builder = builder
        self._clip_pool = ClipPool(partial(open_clip_pool, config), builder.clock)
        self._clips: list[FileSnapshot] = []

    def count(self, paths: Sequence[Path]) -> int:
        """Return how many photos below `paths` (empty: the watched folders) the pass will judge.

        Raises ConfigError for a path that does not exist or lies in no watched folder.
        """
        return sum(1 for _ in self._find(paths))

    def process(self, paths: Sequence[Path], advance: Callable[[int], None]) -> Counts:
        """Judge the photos and carry out their plans; `advance` is called with the number of photos of each step.

        If a folder takes several batches, a reject that may belong to a series is deferred to the end of the folder.
        If a batch or a folder fails unexpectedly, its photos count as failed, and the pass continues. At its end the
        wishes of people that wait are carried out.
        """
        try:
            counts = self._process(paths, advance)
            self._wishes.carry_out_all()
            return counts
        finally:
            self._wishes.close()
            self._clip_pool.close()
            self._alerts.close(2 * TIMEOUT_S)

    def make_copies(self, progress: Progress) -> None:
        """Make the repaired copies that wait, and those of photos that this pass rejected; then end the worker."""
        try:
            waiting = self._copies.waiting()
            with progress(len(waiting), "repairing") as advance:
                for copy in waiting:
                    self._copies.make(copy)
                    advance(1)
            for copy in self._copies.waiting():  # over which a worker was lost
                self._copies.make(copy)
        finally:
            self._copies.close()

    def _process(self, paths: Sequence[Path], advance: Callable[[int], None]) -> Counts:
        counts = self._loop.counts
        self._loop.process(self._pipeline, self._photos(self._arrivals.complete(self._find(paths))), advance)
        self._take_clips(advance)
        counts.failures |= self._loop.failed.failures
        counts.passed_over = self._scanner.passed_over.counts()
        counts.unfinished = self._arrivals.unfinished
        counts.unreadable_folders |= self._scanner.unreadable.reasons
        counts.waiting = {place: why for place, why in self._waiting(paths) if place not in counts.failures}
        advance(counts.unfinished)
        return counts

    def _photos(self, complete: Iterable[FileSnapshot]) -> Iterator[FileSnapshot]:
        """Yield the photos; the clips are kept for the end of the pass, so that no photo waits for them."""
        for snapshot in complete:
            if self._builder.is_judged_clip(snapshot.place):
                self._clips.append(snapshot)
            else:
                yield snapshot

    def _take_clips(self, advance: Callable[[int], None]) -> None:
        """Judge the clips one after the other, in a worker process of their own."""
        reader = self._builder.clip_reader(self._clip_pool, rejudging=self._known is not self._journal)
        pipeline = replace(self._pipeline, stages=replace(self._pipeline.stages, reader=reader))
        for clip in self._clips:
            self._loop.take(pipeline, [clip])
            advance(1)

    def _waiting(self, paths: Sequence[Path]) -> Iterator[tuple[RootedPath, str]]:
        """Yield the present photos below `paths` (empty: the watched folders) that failed, with the reason."""
        scope = scope_of(self._config, paths)
        for fault in self._journal.open_faults():
            is_selected = any(fault.place.path.is_relative_to(folder) for folder in scope)
            if is_selected and self._scanner.find(fault.place) is not None:
                yield fault.place, fault.reason

    def _find(self, paths: Sequence[Path]) -> Iterable[FileSnapshot]:
        return self._known.unknown(self._below(paths) if paths else self._in_roots())

    def _in_roots(self) -> Iterator[FileSnapshot]:
        for watch in self._config.watch:
            if away := MountGuard(self._journal).unavailable_reason(watch.path):
                log.warning("%s %s; it is skipped", display_path(watch.path), away)
                continue
            yield from self._loop.scan(self._scanner, watch.path, watch.path)

    def _below(self, paths: Sequence[Path]) -> Iterator[FileSnapshot]:
        """Yield each photo at or below the paths once; those in quarantine are left out."""
        found = {path.resolve(): path for path in paths}
        for real, path in found.items():
            root = next((watch.path for watch in self._config.watch if real.is_relative_to(watch.path)), None)
            if root is None or not real.exists():
                why = "is not there" if root is not None else "lies in no watched folder; `culld score` reads any file"
                raise ConfigError((f"{display_path(path)}: {why}",))
            if real.is_relative_to(self._config.quarantine) or not found.keys().isdisjoint(real.parents):
                continue
            if real.is_dir():
                yield from self._loop.scan(self._scanner, root, real)
            else:
                place = RootedPath(root, real.relative_to(root))
                if (snapshot := self._scanner.find(place)) is not None and not self._scanner.is_copy(place):
                    yield snapshot


@dataclass(frozen=True, slots=True)
class OnceRequest:
    """The files and folders below the watched folders to process; empty for all watched folders.

    With `rejudge` photos that were judged before are judged again.
    """

    paths: tuple[Path, ...] = ()
    rejudge: bool = False


def scope_of(config: Config, paths: Sequence[Path]) -> list[Path]:
    """Return the real paths of `paths`; the watched folders if there are none."""
    return [path.resolve() for path in paths] or [watch.path for watch in config.watch]


def run_once(config: Config, request: OnceRequest, progress: Progress) -> Counts:
    """Judge the photos that are not judged yet, or all photos if the request says so, and carry out their plans.

    `progress` is called with the number of photos and what is done with them, once for judging and once for repaired
    copies; it returns a context that holds the function to advance by a count.
    Raises ConfigError for a path that does not exist or lies in no watched folder, SystemFaultError if another culld
    runs, or if the journal, the quarantine or the model cannot be used.
    """
    with (
        state_lock(config.state),
        RootLocks(config.state) as locks,
        open_journal(config) as journal,
        open_pool(config) as pool,
    ):
        claim_folders(config, journal, locks)
        scope = scope_of(config, request.paths)
        rejudging = Rejudging(journal, scope, journal.last_number()) if request.rejudge else None
        one_pass = OnePass(config, journal, pool, rejudging)
        with progress(one_pass.count(request.paths), "culling") as advance:
            counts = one_pass.process(request.paths, advance)
        one_pass.make_copies(progress)
        return counts
