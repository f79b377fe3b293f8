"""The loop of `culld run`: it alone scans, owns the journal and changes files; other threads only leave marks."""

from __future__ import annotations

import json
import logging
import os
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

from culld.app.build import Policies, Wiring, open_alerts, open_scanner
from culld.app.decision_ages import clock_doubt
from culld.app.model_files import looked_up
from culld.app.startup import replay_unfinished
from culld.config import load_config
from culld.errors import ConfigError, PhotoError, StoppedError, SystemFaultError
from culld.records import printable
from culld.stages.decide.brake import brake_of
from culld.stages.report import report
from culld.stages.watch.batching import Batcher
from culld.stages.watch.intake import Intake
from culld.stages.watch.lease import is_written
from culld.stages.watch.roots import Ground
from culld.stages.watch.settle import Settler
from culld.stages.watch.signals import Dirty, Mark, Marks, Signal
from culld.unexpected import UnexpectedErrors

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from culld.app.service_status import Pulse
    from culld.config import Config
    from culld.inference.pool import Pool
    from culld.journal.store import SqliteJournal
    from culld.pipeline import Reading
    from culld.records import Sighting, Verdict

log = logging.getLogger(__name__)

_IDLE_S = 10.0
_SLOW_AFTER_S = 600.0
_LAST_ALERT_S = 1.0
_REST_S = 1.0
"""So long the loop sleeps at least after an unexpected error, lest it does nothing else."""


class Daemon:
    """Watches, judges and acts until it is told to stop."""

    def __init__(
        self,
        config: Config,
        path: Path,
        journal: SqliteJournal,
        pool: Pool,
        pulse: Pulse,
        marks: Marks,
    ) -> None:
        """Tie the parts together; `path` is the configuration file, watched for a new policy."""
        self._marks = marks
        self._path = path
        self._config = config
        self._journal = journal
        self._pool = pool
        self._unexpected = UnexpectedErrors()
        self._seen_errors = 0
        self._replay_asked = False
        self._policies = Policies(config)
        self._alerts = open_alerts(config)
        wiring = Wiring(config, journal, pool, self._policies, alerts=self._alerts)
        self._clock = wiring.clock
        self._pulse = pulse
        self._pipeline = wiring.pipeline(self._beat, patient=True, more_to_come=lambda: self._waiting() > 0)
        self._ground = Ground(config, path, marks, journal)
        self._settler = Settler(config.settle.quiet.total_seconds(), is_written)
        self._batcher = Batcher(config.batch.size, config.batch.wait.total_seconds())
        self._intake = Intake(
            lambda: self._ground.present, open_scanner(config), self._settler, journal, self._clock, self._batcher
        )
        self._begun: Reading | None = None
        self._tidying = wiring.tidying()
        self._tidy_asked = True
        self._policy_problem: str | None = None
        self._last = ""
        self._verdicts: Counter[Verdict] = Counter()
        self._trouble = ""
        self._told: set[str] = set()

    def run(self, environ: Mapping[str, str]) -> None:
        """Work until a stop is marked; the first scan is done before the service manager hears READY.

        Raises SystemFaultError, as when another culld works on one of the folders.
        """
        with self._ground:
            try:
                self._log_start()
                self._step({Signal.RESCAN}, environ)
                self._pulse.ready()
                log.info("ready; photos waiting: %d", self._waiting())
                while not self._marks.stop_asked:
                    self._step(self._marks.take(self._patience()), environ)
            finally:
                self._pulse.notifier.stopping()
                self._alerts.close(_LAST_ALERT_S)
                self._note("stopped")
                judged = ", ".join(f"{count} {verdict}" for verdict, count in sorted(self._verdicts.items()))
                log.info("stopped; judged since the start: %s", judged or "no photo")

    def _log_start(self) -> None:
        watched = ", ".join(
            f"{printable(watch.path)} ({watch.mode or self._config.policy.mode})" for watch in self._config.watch
        )
        log.info(
            "watching %s; quarantine %s; state %s",
            watched,
            printable(self._config.quarantine),
            printable(self._config.state),
        )
        log.info("policy %s", self._policies.digest)

    def _step(self, marks: set[Mark], environ: Mapping[str, str]) -> None:
        """Take a turn; what it meets with unexpectedly costs a photo, a folder or one step of it, never the loop."""
        with self._unexpected.tolerated("taking a turn of the loop"):
            self._turn(marks, environ)
        with self._unexpected.tolerated("telling how things stand"):
            self._tell()

    def _turn(self, marks: set[Mark], environ: Mapping[str, str]) -> None:
        self._pulse.beat()
        if Signal.RELOAD in marks:
            with self._unexpected.tolerated("reading the policy file"):
                self._reload(environ)
        self._tidy_asked = self._tidy_asked or Signal.TIDY in marks
        if Signal.PROBE in marks:
            with self._unexpected.tolerated("probing for events"):
                self._ground.probe(self._clock.monotonic())
        if Signal.RESCAN in marks:
            with self._unexpected.tolerated("looking for the configured folders"):
                self._ground.look()
                self._settler.far = self._ground.far
        if Signal.RESCAN in marks or self._replay_asked:
            self._replay()
        try:
            now = self._clock.monotonic()
            self._batcher.add(self._settled(marks), now)
            if self._marks.stop_asked:
                return
            # One batch a turn, while the next one is being read: a saved policy or a stop need not wait for the drop.
            begun, self._begun = self._begun, self._begin(self._batcher.take(now))
            if begun is not None:
                self._finish(begun)
            if self._tidy_asked and not self._waiting():
                self._tidy()
        except StoppedError:
            log.info("stopping; the photos that were being read will be read again at the next start")

    def _replay(self) -> None:
        """End what could not be ended at once: a disk was away, or something unexpected came in between."""
        self._replay_asked = False
        if self._ground.quarantine not in self._ground.offline:
            with self._unexpected.tolerated("ending unfinished plans"):
                replay_unfinished(self._journal, self._told)

    def _settled(self, marks: set[Mark]) -> list[Sighting]:
        """The photos that have settled; if the look at all folders fails, each of them is looked at by itself."""
        found = self._unexpected.attempt("looking for new photos", partial(self._intake.settled, marks))
        if not isinstance(found, PhotoError):
            return found
        whole = [Dirty(root, root, deep=True) for root in self._ground.present] if Signal.RESCAN in marks else []
        apart: list[Mark] = [*whole, *(mark for mark in marks if isinstance(mark, Dirty))]
        settled: list[Sighting] = []
        for mark in apart:
            with self._unexpected.tolerated("looking for new photos"):
                settled += self._intake.settled({mark})
        return settled

    def _tidy(self) -> None:
        self._tidy_asked = False
        with self._unexpected.tolerated("tidying up"):
            self._tidying.count_time()
            if self._tidying.is_due():
                is_there = self._ground.quarantine not in self._ground.offline
                self._tidying.tidy(self._ground.present, self._beat, is_quarantine_there=is_there)

    def _begin(self, batch: list[Sighting]) -> Reading | None:
        return self._pipeline.begin(batch) if batch else None

    def _finish(self, begun: Reading) -> None:
        """Take a batch to its outcomes; of one that fails as a whole, open plans are ended before the next look."""
        self._replay_asked = True
        try:
            outcomes = self._pipeline.finish(begun)
            self._replay_asked = False
        finally:
            self._batcher.done(begun.settled)
        for outcome in outcomes:
            with self._unexpected.tolerated("telling of a photo"):
                report(outcome)
                self._verdicts[outcome.plan.verdict] += 1
                self._last = f"{outcome.plan.verdict} {printable(outcome.plan.photo.place.relative)}"

    def _beat(self) -> None:
        """Show the watchdog that work goes on, and let a stop through while nothing has been changed."""
        self._pulse.beat()
        if self._marks.stop_asked:
            raise StoppedError
        if self._pool.trouble != self._trouble:
            self._tell()

    def _patience(self) -> float:
        """How long the loop may sleep when nothing is marked, in seconds."""
        if self._unexpected.count != self._seen_errors:
            self._seen_errors = self._unexpected.count
            return min(_REST_S, self._pulse.patience_s)
        if self._begun is not None:
            return 0.0
        until_batch = max(0.0, self._batcher.due - self._clock.monotonic())
        until_scan = max(0.0, self._intake.due - self._clock.monotonic())
        until_look = min(1.0, self._settler.quiet_s / 2) if len(self._settler) else _IDLE_S
        return min(until_batch, until_scan, until_look, self._pulse.patience_s)

    def _reload(self, environ: Mapping[str, str]) -> None:
        """Take over the policy of the saved file; a broken file keeps the last good one and is told everywhere."""
        self._pulse.notifier.reloading()
        try:
            fresh = self._unexpected.attempt("reading the policy file", partial(self._loaded, environ))
        except (ConfigError, SystemFaultError) as error:
            self._policy_problem = str(error)
        else:
            if isinstance(fresh, PhotoError):
                self._policy_problem = str(fresh)
            else:
                self._take_over(fresh)
        if self._policy_problem:
            log.error("the last good policy (%s) stays in force: %s", self._policies.digest, self._policy_problem)
        self._tell()
        self._pulse.ready()

    def _loaded(self, environ: Mapping[str, str]) -> Config:
        return looked_up(load_config(self._path, environ))

    def _take_over(self, fresh: Config) -> None:
        self._policy_problem = None
        if tuple(watch.path for watch in fresh.watch) == self._ground.roots:
            self._policies.take_over(fresh)
            log.info("policy %s is in force", self._policies.digest)
        kept = [
            info.alias or key
            for key, info in type(fresh).model_fields.items()
            if key != "policy" and getattr(fresh, key) != self._frozen(key)
        ]
        if kept:
            log.warning("restart culld to take over what changed in %s", ", ".join(kept))

    def _frozen(self, key: str) -> object:
        return getattr(self._config, key)

    def _tell(self) -> None:
        """Say how things stand, to the service manager and to `culld status`, when it has changed."""
        self._trouble = self._pool.trouble
        more = " and more" if self._intake.is_full else ""
        parts = [f"{self._waiting()}{more} waiting", f"policy {self._policies.digest}"]
        slow = self._slow()
        parts += [f"{slow} written for long"] if slow else []
        parts += [f"last: {self._last}"] if self._last else []
        parts += [self._trouble] if self._trouble else []
        parts += [f"offline: {', '.join(map(printable, self._ground.offline))}"] if self._ground.offline else []
        unread = len(self._intake.scanner.unread)
        parts += [f"{unread} folders cannot be read"] if unread else []
        parts += ["the brake is on, nothing is moved: see culld status"] if brake_of(self._journal) else []
        parts += ["the clock is in doubt: see culld status"] if clock_doubt(self._journal) else []
        parts += ["policy file broken, the last good one is in force"] if self._policy_problem else []
        if self._pulse.tell("; ".join(parts)):
            self._note("running")

    def _waiting(self) -> int:
        being_read = 0 if self._begun is None else len(self._begun.settled)
        return len(self._settler) + len(self._batcher) + being_read

    def _slow(self) -> int:
        return self._settler.slow(_SLOW_AFTER_S, self._clock.monotonic())

    def _note(self, state: str) -> None:
        told = {
            "state": state,
            "pid": os.getpid(),
            "waiting": self._waiting(),
            "more": self._intake.is_full,
            "slow": self._slow(),
            "trouble": self._trouble,
            "policy": self._policies.digest,
            "policy_problem": self._policy_problem,
            "watch": [printable(root) for root in self._ground.roots],
            "offline": {printable(folder): why for folder, why in self._ground.offline.items()},
            "unwatched": self._ground.unwatched,
            "unread_folders": len(self._intake.scanner.unread),
            "unread": self._intake.scanner.unread.told(),
            "quarantine": printable(self._ground.quarantine),
        }
        self._journal.note("daemon", json.dumps(told), self._clock.now())
