"""The loop of `culld run`: only this thread scans, writes the journal and changes files.

Other threads only put wake-ups on its queue.
"""

from __future__ import annotations

import functools
import logging
import os
from typing import TYPE_CHECKING

from culld.app.build import Builder, PolicySet, open_alerts, open_scanner
from culld.app.clips.pool import ClipPool, open_clip_pool
from culld.app.clips.turns import ClipTurns, InFlightFiles
from culld.app.copies.background import Copies
from culld.app.copies.repairer import Repairer, open_repair_pool
from culld.app.decision_ages import clock_doubt
from culld.app.model_files import resolve_policies
from culld.app.policy_reload import PolicyReload
from culld.app.service_status import DaemonState, OutcomeCount
from culld.app.startup import log_start, replay_unfinished
from culld.app.wishes.carry_out import Wishes
from culld.errors import PhotoError, StoppedError
from culld.files.lease import is_open_elsewhere
from culld.retry import ERROR_PAUSE_S
from culld.stages.decide.brake import active_brake
from culld.stages.report import report
from culld.stages.watch.batching import Batcher
from culld.stages.watch.intake import IntakeQueue
from culld.stages.watch.roots import WatchedRoots
from culld.stages.watch.settle import Settler
from culld.stages.watch.signals import DirtyFolder, LoopQueue, Signal, Wakeup
from culld.unexpected import UnexpectedErrors

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from culld.app.service_status import ServiceStatus
    from culld.config import Config
    from culld.inference.pool import Pool
    from culld.journal.store import SqliteJournal
    from culld.pipeline import Pipeline
    from culld.records import FileSnapshot, Outcome

log = logging.getLogger(__name__)

_IDLE_S = 10.0
_SLOW_AFTER_S = 600.0
_LAST_ALERT_S = 1.0


class Daemon:
    """Watches the folders, judges photos and carries out plans until a stop is requested."""

    def __init__(
        self,
        config: Config,
        path: Path,
        journal: SqliteJournal,
        pool: Pool,
        service_status: ServiceStatus,
        queue: LoopQueue,
    ) -> None:
        """Build the pipeline; `path` is the configuration file, which is watched for a new policy."""
        self._queue = queue
        self._config = config
        self._journal = journal
        self._pool = pool
        self._unexpected = UnexpectedErrors()
        self._seen_errors = 0
        self._replay_asked = False
        self._policies = PolicySet(resolve_policies(config))
        self._policy_file = PolicyReload(path, config, self._policies, self._unexpected)
        self._alerts = open_alerts(config)
        builder = Builder(config, journal, pool, self._policies, alerts=self._alerts, heartbeat=self._heartbeat)
        self._clock = builder.clock
        self._status = service_status
        self._reader = builder.reader(patient=True)
        self._pipeline = builder.pipeline(self._reader, self._report, more_to_come=lambda: self._waiting() > 0)
        self._roots = WatchedRoots(config, path, queue, journal)
        self._settler = Settler(config.settle.quiet.total_seconds(), is_open_elsewhere)
        self._batcher = Batcher(config.batch.size, config.batch.wait.total_seconds())
        scanner = open_scanner(config, self._policies)
        clip_pool = ClipPool(functools.partial(open_clip_pool, config), self._clock)
        self._clips = ClipTurns(builder, clip_pool, scanner, self._pipeline)
        self._intake = IntakeQueue(
            lambda: self._roots.present,
            scanner,
            self._settler,
            journal,
            self._clock,
            InFlightFiles(self._batcher, self._clips),
        )
        self._in_progress: list[FileSnapshot] = []
        self._wishes = Wishes(builder, self._unexpected)
        repairer = Repairer(functools.partial(open_repair_pool, config), self._clock)
        self._copies = Copies(builder, self._unexpected, repairer)
        self._housekeeping = builder.housekeeping()
        self._tidy_asked = True
        self._outcomes = OutcomeCount()
        self._trouble = ""
        self._logged_replays: set[str] = set()

    def run(self, environ: Mapping[str, str]) -> None:
        """Run the loop until a stop is requested; READY is sent to the service manager after the first scan.

        Raises SystemFaultError, for example if another culld uses one of the folders.
        """
        with self._roots:
            try:
                log_start(self._config, self._policies.digest, self._policies.missing_extra)
                self._step({Signal.RESCAN}, environ)
                self._status.ready()
                log.info("ready; photos waiting: %d", self._waiting() + len(self._clips))
                while not self._queue.stop_asked:
                    self._step(self._queue.take(self._sleep_s()), environ)
            finally:
                self._status.notifier.stopping()
                self._wishes.close()
                self._copies.close()
                self._clips.close()
                self._alerts.close(_LAST_ALERT_S)
                self._save_status("stopped", self._state())
                log.info("stopped; judged since the start: %s", self._outcomes.as_text() or "no photo")

    def _step(self, wakeups: set[Wakeup], environ: Mapping[str, str]) -> None:
        """Run one iteration; an unexpected error ends one photo, folder or step of it, never the loop."""
        with self._unexpected.tolerated("running one iteration of the loop"):
            self._iterate(wakeups, environ)
        with self._unexpected.tolerated("publishing the status"):
            self._publish_status()

    def _iterate(self, wakeups: set[Wakeup], environ: Mapping[str, str]) -> None:
        self._status.heartbeat()
        if Signal.RELOAD in wakeups:
            with self._unexpected.tolerated("reading the policy file"):
                self._reload(environ)
        self._tidy_asked = self._tidy_asked or Signal.HOUSEKEEPING in wakeups
        if Signal.PROBE in wakeups:
            with self._unexpected.tolerated("probing for events"):
                self._roots.probe(self._clock.monotonic())
        if Signal.RESCAN in wakeups:
            with self._unexpected.tolerated("checking the configured folders"):
                self._roots.refresh()
                self._settler.remote_roots = self._roots.remote_roots
        if Signal.RESCAN in wakeups or self._replay_asked:
            self._replay()
        try:
            now = self._clock.monotonic()
            self._batcher.add(self._clips.take(self._settled(wakeups)), now)
            if self._queue.stop_asked:
                return
            # One batch per iteration, while the next one is read: a saved policy or a stop waits for one batch at most.
            batch, self._in_progress = self._in_progress, self._begin(self._batcher.take(now))
            if batch:
                self._process(self._pipeline, batch)
            self._clips.step(self._process)
            self._wishes.step(wakeups, is_quarantine_there=self._roots.has_quarantine)
            is_idle = not self._waiting()
            self._copies.step(self._roots.present, is_quarantine_there=self._roots.has_quarantine, is_idle=is_idle)
            if self._tidy_asked and not self._waiting():
                self._housekeep()
        except StoppedError:
            log.info("stopping; the photos of the current batch will be read again at the next start")

    def _replay(self) -> None:
        """Replay plans that were left open because a disk was offline or an unexpected error occurred."""
        self._replay_asked = False
        if self._roots.has_quarantine:
            with self._unexpected.tolerated("replaying unfinished plans"):
                replay_unfinished(self._journal, self._logged_replays)

    def _settled(self, wakeups: set[Wakeup]) -> list[FileSnapshot]:
        """Return the photos that have settled; if the scan of all folders fails, each folder is scanned separately."""
        found = self._unexpected.attempt("scanning for new photos", lambda: self._intake.settled(wakeups))
        if not isinstance(found, PhotoError):
            return found
        whole = [DirtyFolder(root, root, deep=True) for root in self._roots.present] if Signal.RESCAN in wakeups else []
        apart: list[Wakeup] = [*whole, *(each for each in wakeups if isinstance(each, DirtyFolder))]
        settled: list[FileSnapshot] = []
        for wakeup in apart:
            with self._unexpected.tolerated("scanning for new photos"):
                settled += self._intake.settled({wakeup})
        return settled

    def _housekeep(self) -> None:
        self._tidy_asked = False
        with self._unexpected.tolerated("doing the housekeeping"):
            self._housekeeping.count_time()
            if self._housekeeping.is_due():
                has_quarantine = self._roots.has_quarantine
                self._housekeeping.run(self._roots.present, self._heartbeat, is_quarantine_there=has_quarantine)

    def _begin(self, batch: list[FileSnapshot]) -> list[FileSnapshot]:
        """Submit a batch to the workers and return it; it is processed in the next iteration."""
        if batch:
            with self._unexpected.tolerated("submitting photos to the workers"):  # `read` submits them again
                self._reader.begin(batch)
        return batch

    def _process(self, pipeline: Pipeline, batch: list[FileSnapshot]) -> None:
        """Process a batch; if that fails, its open plans are replayed in the next iteration."""
        self._replay_asked = True
        try:
            pipeline.process(batch)
            self._replay_asked = False
        finally:
            self._batcher.release(batch)

    def _report(self, outcome: Outcome) -> None:
        report(outcome)
        self._outcomes.add(outcome)

    def _heartbeat(self) -> None:
        """Send a heartbeat between two steps; raises StoppedError if a stop is requested."""
        self._status.heartbeat()
        if self._queue.stop_asked:
            raise StoppedError
        if self._pool.trouble != self._trouble:
            self._publish_status()

    def _sleep_s(self) -> float:
        """Return how long the loop may sleep if no wake-up arrives, in seconds."""
        if self._unexpected.count != self._seen_errors:
            self._seen_errors = self._unexpected.count
            return min(ERROR_PAUSE_S, self._status.watchdog_half_s)
        if self._in_progress or self._wishes.more:
            return 0.0
        until_batch = max(0.0, self._batcher.due_at - self._clock.monotonic())
        until_scan = max(0.0, self._intake.next_scan_at - self._clock.monotonic())
        until_look = min(1.0, self._settler.quiet_s / 2) if len(self._settler) else _IDLE_S
        until_work = min(self._copies.wait_s, self._clips.wait_s)
        return min(until_batch, until_scan, until_look, until_work, self._status.watchdog_half_s)

    def _reload(self, environ: Mapping[str, str]) -> None:
        """Apply the policy of the saved file, or log and publish the reason why it is not applied."""
        self._status.notifier.reloading()
        self._policy_file.reload(environ)
        self._publish_status()
        self._status.ready()

    def _publish_status(self) -> None:
        """Report the state to the service manager and to `culld status` when it has changed."""
        self._trouble = self._pool.trouble
        state = self._state()
        line = state.line(self._outcomes.last, active_brake(self._journal), clock_doubt(self._journal))
        if self._status.set_status(line):
            self._save_status("running", state)

    def _waiting(self) -> int:
        return len(self._settler) + len(self._batcher) + len(self._in_progress)

    def _state(self) -> DaemonState:
        return DaemonState(
            waiting=self._waiting() + len(self._clips),
            is_full=self._intake.is_full,
            slow=self._settler.slow(_SLOW_AFTER_S, self._clock.monotonic()),
            trouble=self._trouble,
            policy=self._policies.digest,
            policy_problem=self._policy_file.problem,
            roots=self._roots.roots,
            offline=self._roots.offline,
            unwatched=self._roots.unwatched,
            unread_folders=len(self._intake.scanner.unreadable),
            unread=self._intake.scanner.unreadable.as_text(),
            quarantine=self._roots.quarantine,
            passed_over=self._intake.scanner.passed_over.counts(),
        )

    def _save_status(self, name: str, state: DaemonState) -> None:
        self._journal.set_status("daemon", state.to_json(name, os.getpid()), self._clock.now())
