"""The use case behind `culld archive apply`: judge photos by scores that were made elsewhere, as `once` judges them.

Each file is hashed, and its metadata are read, now. Scores are taken if they belong to these bytes; a photo without
such scores is scored now.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from culld.app.batch_loop import BatchLoop
from culld.app.build import Builder, PolicySet, open_alerts, open_scanner
from culld.app.dry_run import journal_for_dry_run, without_changes
from culld.app.engine_pool import open_pool
from culld.app.model_files import resolve_policies
from culld.app.simulate import StoredScoresReader
from culld.app.startup import claim_folders, open_journal
from culld.app.taken_counts import Found, Taken
from culld.app.taken_scores import TakenScores
from culld.errors import ConfigError, SystemFaultError
from culld.files.lease import is_open_elsewhere
from culld.files.locks import RootLocks, state_lock
from culld.files.mount_guard import MountGuard
from culld.files.mounts import remote_roots
from culld.records import display_path
from culld.stages.decide.brake import active_brake
from culld.stages.read import PoolReader
from culld.stages.report import report
from culld.stages.watch.intake import CompleteFiles
from culld.stages.watch.settle import Settler
from culld.system.alerts import TIMEOUT_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from culld.app.taken_scores import ScoreSource
    from culld.config import Config
    from culld.journal.store import SqliteJournal
    from culld.records import FileSnapshot, Outcome


class Shown(Protocol):
    """What the user sees meanwhile."""

    def found(self, found: Found) -> None:
        """Take the counts of photos and scores, before the first photo is judged."""

    def progress(self, total: int, doing: str) -> AbstractContextManager[Callable[[int], None]]:
        """Begin a task with so many photos; the context holds the function that advances it by a count."""


@dataclass(frozen=True, slots=True)
class TakeRequest:
    """The real path of the folder whose photos are judged, at or below a watched one; `dry_run` changes nothing."""

    folder: Path
    dry_run: bool = False


def require_watched(config: Config, folder: Path) -> Path:
    """Return the watched folder at or above the real path of a folder; raises ConfigError if there is none."""
    if not folder.is_dir():
        raise ConfigError((f"{display_path(folder)}: is no folder",))
    root = next((watch.path for watch in config.watch if folder.is_relative_to(watch.path)), None)
    if root is None:
        watched = ", ".join(display_path(watch.path) for watch in config.watch)
        raise ConfigError((f"{display_path(folder)}: lies in no folder that the policy watches ({watched})",))
    return root


def require_known_facts(policies: PolicySet) -> None:
    """Raise ConfigError if a rule needs the regions of photos, which scores made elsewhere do not hold."""
    if policies.name_regions():
        text = (
            "policy.rules: a rule names share_blur, share_clipped or subject_sharp, which an archive does not hold;"
            " take it out, or judge these photos with `culld once`"
        )
        raise ConfigError((text,))


def take_scores(config: Config, request: TakeRequest, source: ScoreSource, shown: Shown) -> Taken:
    """Judge the photos of a folder that have scores in `source` and no decision yet, and carry the decisions out.

    Raises ConfigError for a rule that these scores do not suffice for, SystemFaultError if another culld runs, if the
    folder is away, or if the journal, the quarantine or the model cannot be used.
    """
    policies = PolicySet(resolve_policies(config))
    require_known_facts(policies)
    with contextlib.ExitStack() as stack:
        if request.dry_run:
            journal: SqliteJournal = stack.enter_context(journal_for_dry_run(config))
            builder = Builder(config, journal, stack.enter_context(open_pool(config)), policies)
            return TakingPass(builder, request, source).run(shown)
        stack.enter_context(state_lock(config.state))
        locks = stack.enter_context(RootLocks(config.state))
        journal = stack.enter_context(open_journal(config))
        pool = stack.enter_context(open_pool(config))
        claim_folders(config, journal, locks)
        alerts = open_alerts(config)
        stack.callback(alerts.close, 2 * TIMEOUT_S)
        return TakingPass(Builder(config, journal, pool, policies, alerts=alerts), request, source).run(shown)


class TakingPass:
    """One pass over the photos of a folder; with `dry_run` no stage after the decision changes anything."""

    def __init__(self, builder: Builder, request: TakeRequest, source: ScoreSource) -> None:
        """Build the pipeline: that of the daemon, with a reader that takes scores from `source`."""
        config, journal = builder.config, builder.journal
        self._builder = builder
        self._request = request
        self._source = source
        self._scores = TakenScores(source, journal.judged)
        self._loop = BatchLoop(config.batch.size, journal.fault)
        self._taken = Taken(Found(0, 0, 0), self._loop.counts)
        pipeline = builder.pipeline(
            StoredScoresReader(PoolReader(builder.pool, known=self._scores.known), self._scores.lookup),
            self._report,
            more_to_come=self._loop.more_to_come,
            record_failure=self._loop.failed.add,
        )
        self._pipeline = without_changes(pipeline, config.tags.prefix) if request.dry_run else pipeline
        self._scanner = open_scanner(config, builder.policies)
        distant = remote_roots(watch.path for watch in config.watch)
        settler = Settler(config.settle.quiet.total_seconds(), is_open_elsewhere, distant)
        self._arrivals = CompleteFiles(self._scanner, settler, builder.clock)

    def run(self, shown: Shown) -> Taken:
        """Count the photos, show the counts, then judge; return what became of them."""
        taken, counts = self._taken, self._loop.counts
        self._require_present()
        taken.found = self._found()
        shown.found(taken.found)
        with shown.progress(taken.found.waiting, "judging") as advance:
            waiting = self._builder.journal.unknown(self._scored())
            self._loop.process(self._pipeline, self._arrivals.complete(waiting), advance)
            advance(self._arrivals.unfinished)
        counts.failures |= self._loop.failed.failures
        counts.unfinished = self._arrivals.unfinished
        counts.unreadable_folders |= self._scanner.unreadable.reasons
        counts.known += taken.found.scored - taken.found.waiting
        taken.brake = active_brake(self._builder.journal)
        return taken

    def _require_present(self) -> None:
        root = self._root
        if away := MountGuard(self._builder.journal).check(root):
            raise SystemFaultError(f"{display_path(root)} {away}")

    def _found(self) -> Found:
        scored = others = 0

        def seen() -> Iterator[FileSnapshot]:
            nonlocal scored, others
            for snapshot in self._photos():
                if self._source.holds(snapshot.place):
                    scored += 1
                    yield snapshot
                else:
                    others += 1

        waiting = sum(1 for _ in self._builder.journal.unknown(seen()))
        return Found(scored, waiting, others)

    def _scored(self) -> Iterator[FileSnapshot]:
        return (snapshot for snapshot in self._photos() if self._source.holds(snapshot.place))

    def _photos(self) -> Iterator[FileSnapshot]:
        return self._loop.scan(self._scanner, self._root, self._request.folder)

    @property
    def _root(self) -> Path:
        return require_watched(self._builder.config, self._request.folder)

    def _report(self, outcome: Outcome) -> None:
        if not self._request.dry_run:
            report(outcome)
        self._taken.add(outcome, self._scores.origin(outcome.plan.photo))
