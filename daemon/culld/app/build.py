"""Builds the parts out of a configuration and ties them together."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from culld.app.decision_ages import DecisionAges
from culld.app.housekeeping import ExpiredToTrash, Housekeeping
from culld.app.returned import returned_by_hand
from culld.clock import SystemClock
from culld.config import Embed
from culld.files.mount_guard import MountGuard
from culld.files.root_owner import foreign
from culld.imaging.supported import supported_extensions
from culld.pipeline import Pipeline, Stages
from culld.quarantine.apply import PlanApplier
from culld.quarantine.orphans import put_away_orphans
from culld.retry import recheck_delay
from culld.stages.decide.brake import Brake
from culld.stages.decide.decider import Decider, no_brake
from culld.stages.group.directory import FolderCache
from culld.stages.group.grouping import Grouper
from culld.stages.group.whole_series import SeriesHold
from culld.stages.plan import Planner, TagSettings
from culld.stages.read import PoolReader
from culld.stages.watch.scanner import Scanner
from culld.system.alerts import Alerts
from culld.system.trash import to_trash

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from culld.config import Config
    from culld.inference.pool import Pool
    from culld.journal.store import SqliteJournal
    from culld.ports import Clock, Reader
    from culld.records import FileStat, FolderPolicies, Outcome, Policy, ReadFailure


_LONGEST_AGE_S: Final = 1e9


class PolicySet:
    """The policy of each watched folder, exchanged as a whole when the configuration is read anew."""

    def __init__(self, policies: FolderPolicies) -> None:
        """Begin with these policies."""
        self._policies = policies

    def replace(self, policies: FolderPolicies) -> None:
        """Judge by these policies from the next batch on."""
        self._policies = policies

    @property
    def digest(self) -> str:
        """The hash of the default policy."""
        return self._policies.default.digest

    def of(self, root: Path) -> Policy:
        """The policy of a watched folder."""
        return self._policies.by_root[root]


def open_alerts(config: Config) -> Alerts:
    """What tells a person of what cannot wait."""
    return Alerts(config.alert.command, config.alert.webhook)


def open_scanner(config: Config) -> Scanner:
    """The scanner of the watched folders, which passes over the quarantine, the state, and folders of other cullds."""
    others = functools.partial(foreign, config.state)
    return Scanner(supported_extensions(), frozenset({config.quarantine, config.state}), claimed_by=others)


@dataclass(frozen=True, slots=True)
class Builder:
    """What the pipeline is made of; the two daemons (`run`, `once`) differ only in what feeds it."""

    config: Config
    journal: SqliteJournal
    pool: Pool
    policies: PolicySet
    clock: Clock = field(default_factory=SystemClock)
    alerts: Alerts = field(default_factory=Alerts)
    heartbeat: Callable[[], None] = lambda: None

    def pipeline(
        self,
        reader: Reader,
        report: Callable[[Outcome], object],
        *,
        braked: bool = True,
        more_to_come: Callable[[], bool] = lambda: False,
        record_failure: Callable[[ReadFailure], object] | None = None,
    ) -> Pipeline:
        """The page, with its real parts; `more_to_come` says whether other photos are on the way."""
        alarm = functools.partial(self.alerts.send, "culld has stopped moving photos")
        brake = Brake(self.journal, lambda: self.policies.digest, self.clock, alarm).check
        workers = PoolReader(self.pool, self.heartbeat)
        folders = FolderCache()
        tags = self.config.tags
        decider = Decider(
            self.policies.of,
            functools.partial(returned_by_hand, self.journal),
            workers.user_metadata,
            self.clock,
            SeriesHold(more_to_come),
            brake if braked else no_brake,
        )
        planner = Planner(
            workers.draft,
            self.config.quarantine,
            functools.partial(MountGuard(self.journal).ensure, self.config.quarantine),
            TagSettings(tags.prefix, tags.embed is Embed.DEFECTS, tags.sidecar, tags.sidecar_name, tags.reject_flags),
            folders.current_batch,
        )
        stages = Stages(
            reader,
            Grouper(self.journal.assessments_at, self.journal.shots_between, folders.begin_batch).group,
            decider.decide,
            planner.plan,
            PlanApplier().apply,
            report,
            record_failure or self.journal.fault,
        )
        return Pipeline(stages, self.journal)

    def reader(self, *, patient: bool = False) -> PoolReader:
        """The reader; `patient` if somebody will look again at files that cannot be read yet."""
        recheck = self._recheck if patient else lambda _: None
        return PoolReader(self.pool, self.heartbeat, recheck, self.journal.judged)

    def housekeeping(self) -> Housekeeping:
        """What is done once a day."""
        return Housekeeping(
            self.journal,
            self.clock,
            DecisionAges(self.journal, self.clock, functools.partial(self.alerts.send, "culld: the clock is in doubt")),
            self.config.keep_history,
            ExpiredToTrash(self.config.quarantine, to_trash, self.journal.note_trashed),
            self.config.store.trash_after,
            functools.partial(self.alerts.send, "culld: what the last day brought"),
            lambda roots, beat: put_away_orphans(self.config.quarantine, roots, self.journal, beat),
        )

    def _recheck(self, stamp: FileStat) -> timedelta | None:
        # Unlike mtime, no program can set it; a network file system may still give any number.
        age_s = self.clock.now().timestamp() - stamp.ctime_ns / 1e9
        return recheck_delay(timedelta(seconds=min(max(age_s, -_LONGEST_AGE_S), _LONGEST_AGE_S)))
