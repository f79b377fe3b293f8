"""`culld once`: what is there, once."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING

from culld.errors import ConfigError, PhotoError
from culld.host.alerts import PATIENCE_S
from culld.host.mounts import far
from culld.intake.batching import GROWTH
from culld.intake.lease import is_written
from culld.intake.settle import Settler
from culld.pipeline import one_ahead
from culld.policy.series import REACH_S
from culld.records import Place, Verdict, printable
from culld.service.report import report
from culld.service.wiring import Policies, Wiring, open_alerts, open_scanner
from culld.unexpected import UnexpectedErrors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from culld.config import Config
    from culld.intake.scanning import Scanner
    from culld.journal.store import SqliteJournal
    from culld.model.workers import Pool
    from culld.pipeline import Pipeline, Reading
    from culld.records import Outcome, Sighting

log = logging.getLogger(__name__)

_PATIENCE = 3
"""How many quiet times a file that is being written is waited for."""


@dataclass(slots=True)
class Tally:
    """What a sweep did: photos by verdict, failures, and files that were still being written."""

    verdicts: dict[Verdict, int] = field(default_factory=lambda: dict.fromkeys(Verdict, 0))
    failed: int = 0
    unfinished: int = 0
    known: int = 0

    def add(self, outcomes: Sequence[Outcome], batch: int) -> None:
        """Count a batch of so many photos; what has no outcome failed, or had been judged before."""
        for outcome in outcomes:
            self.verdicts[outcome.plan.verdict] += 1
            self.failed += outcome.fault is not None
        self.known += batch - len(outcomes)


def batches(ready: Iterable[Sighting], size: int) -> Iterator[list[Sighting]]:
    """The files in batches of a size, or of up to four times that where shots of one series might be torn apart.

    The files of a folder come one after the other; those that were last changed within half a minute of each other may
    be of one series. No more than one folder is held in memory.
    """
    batch: list[Sighting] = []
    for sighting in _by_time(ready):
        if batch and len(batch) >= size and not (_may_be_one(batch[-1], sighting) and len(batch) < GROWTH * size):
            yield batch
            batch = []
        batch.append(sighting)
    if batch:
        yield batch


def _by_time(ready: Iterable[Sighting]) -> Iterator[Sighting]:
    for _, files in groupby(ready, lambda sighting: sighting.place.path.parent):
        yield from sorted(files, key=lambda sighting: sighting.stamp.mtime_ns)


def _may_be_one(one: Sighting, other: Sighting) -> bool:
    near = other.stamp.mtime_ns - one.stamp.mtime_ns < REACH_S * 1e9
    return near and one.place.path.parent == other.place.path.parent


class Sweep:
    """One pass over the watched folders, or over some paths below them."""

    def __init__(self, config: Config, journal: SqliteJournal, pool: Pool) -> None:
        """Tie the parts together."""
        self._config = config
        self._journal = journal
        self._alerts = open_alerts(config)
        self._wiring = Wiring(config, journal, pool, Policies(config), alerts=self._alerts)
        self._scanner: Scanner = open_scanner(config)
        distant = far(watch.path for watch in config.watch)
        self._settler = Settler(config.settle.quiet.total_seconds(), is_written, distant)
        self._unexpected = UnexpectedErrors()
        self._unscanned: set[Path] = set()

    def count(self, paths: Sequence[Path]) -> int:
        """How many photos were not judged yet, in the watched folders or below `paths`; raises ConfigError."""
        return sum(1 for _ in self._find(paths))

    def process(self, paths: Sequence[Path], advance: Callable[[int], None]) -> Tally:
        """Judge what is found, and act; `advance` is told how many photos each step did.

        A batch or a folder that fails unexpectedly counts as failed, and the sweep goes on.
        """
        try:
            return self._process(paths, advance)
        finally:
            self._alerts.close(2 * PATIENCE_S)

    def _process(self, paths: Sequence[Path], advance: Callable[[int], None]) -> Tally:
        tally = Tally()
        pipeline = self._wiring.pipeline()
        young: list[Sighting] = []
        ready = self._ready(self._find(paths), young)
        for reading in one_ahead(pipeline.begin, batches(ready, self._config.batch.size)):
            self._finish(pipeline, reading, tally)
            advance(len(reading.settled))
        settled = self._wait_for(young)
        self._finish(pipeline, pipeline.begin(settled), tally)
        tally.unfinished = len(young) - len(settled)
        tally.failed += len(self._unscanned)
        advance(len(young))
        return tally

    def _finish(self, pipeline: Pipeline, reading: Reading, tally: Tally) -> None:
        outcomes = self._unexpected.attempt("judging a batch", partial(pipeline.finish, reading))
        if isinstance(outcomes, PhotoError):
            tally.failed += len(reading.settled)
            return
        for outcome in outcomes:
            with self._unexpected.tolerated("telling of a photo"):
                report(outcome)
        tally.add(outcomes, len(reading.settled))

    def _find(self, paths: Sequence[Path]) -> Iterable[Sighting]:
        return self._journal.unknown(self._below(paths) if paths else self._in_roots())

    def _in_roots(self) -> Iterator[Sighting]:
        for watch in self._config.watch:
            if not watch.path.is_dir():
                log.warning("%s is not there; it is passed over", printable(watch.path))
                continue
            yield from self._scan(watch.path, watch.path)

    def _scan(self, root: Path, folder: Path) -> Iterator[Sighting]:
        """The photos below a folder, up to where the look at it fails unexpectedly."""
        found = iter(self._scanner.scan(root, folder))
        doing = f"looking for photos below {printable(folder)}"
        while (sighting := self._unexpected.attempt(doing, partial(next, found, None))) is not None:
            if isinstance(sighting, PhotoError):
                log.warning("%s is not looked through to its end: %s", printable(folder), sighting)
                self._unscanned.add(folder)
                return
            yield sighting

    def _below(self, paths: Sequence[Path]) -> Iterator[Sighting]:
        for path in paths:
            real = path.resolve()
            root = next((watch.path for watch in self._config.watch if real.is_relative_to(watch.path)), None)
            if root is None or not real.exists():
                why = (
                    "is not there" if root is not None else "lies in no watched folder; `culld score` looks at any file"
                )
                raise ConfigError((f"{printable(path)}: {why}",))
            if real.is_dir():
                yield from self._scan(root, real)
            elif (sighting := self._scanner.look(Place(root, real.relative_to(root)))) is not None:
                yield sighting

    def _ready(self, found: Iterable[Sighting], young: list[Sighting]) -> Iterator[Sighting]:
        """The files that have lain still for the quiet time and are held open by nobody; the others become `young`.

        Age by the file system's change time, which no program can set, saves an archive the wait for a second look.
        """
        for sighting in found:
            age = time.time_ns() - max(sighting.stamp.ctime_ns, sighting.stamp.mtime_ns)
            if self._settler.is_complete(sighting.place, age / 1e9):
                yield sighting
            else:
                young.append(sighting)

    def _wait_for(self, young: Sequence[Sighting]) -> list[Sighting]:
        """Those of the young files that settle within a few quiet times."""
        settler = self._settler
        settled = settler.look(young, time.monotonic())
        patience_s = _PATIENCE * max((settler.quiet(sighting.place) for sighting in young), default=0)
        deadline = time.monotonic() + patience_s
        while len(settler) and time.monotonic() < deadline:
            time.sleep(min(0.5, settler.quiet_s / 2))
            seen = [self._scanner.look(place) for place in settler.waiting]
            settled += settler.look([sighting for sighting in seen if sighting is not None], time.monotonic())
        return settled
