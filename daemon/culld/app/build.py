"""Build the pipeline, the scanner and the housekeeping from a configuration."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from culld.app.clip_extra import missing_extra, reads_clips
from culld.app.decision_ages import DecisionAges
from culld.app.housekeeping import ExpiredToTrash, Housekeeping
from culld.app.late_series import LateSeries
from culld.app.returned import returned_by_hand
from culld.clock import SystemClock
from culld.config import Embed
from culld.files.mount_guard import MountGuard
from culld.files.root_owner import foreign
from culld.imaging.clip_containers import CLIP_EXTENSIONS, is_clip_name
from culld.imaging.formats import other_extensions, supported_extensions
from culld.pipeline import Pipeline, Stages
from culld.quarantine.apply import PlanApplier
from culld.quarantine.orphans import put_away_orphans
from culld.retry import recheck_delay
from culld.rules import REGION_VARIABLES
from culld.stages.decide.brake import Brake
from culld.stages.decide.decider import Decider, no_brake
from culld.stages.group.directory import FolderCache
from culld.stages.group.grouping import Grouper, SeriesHold
from culld.stages.plan import Planner, TagSettings
from culld.stages.read import PoolReader, nothing_known
from culld.stages.watch.scanner import Scanner
from culld.system.alerts import Alerts
from culld.system.trash import to_trash

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from culld.config import Config
    from culld.inference.pool import Pool
    from culld.journal.store import SqliteJournal
    from culld.ports import Clock, Reader
    from culld.records import Assessment, FileStat, FolderPolicies, Outcome, Policy, ReadFailure, RootedPath
    from culld.stages.read.reader import Workers


_LONGEST_AGE_S: Final = 1e9


def is_clip(place: RootedPath) -> bool:
    """Return whether a file has the extension of a clip."""
    return is_clip_name(place.relative.name)


class PolicySet:
    """The policy of each watched folder, replaced as a whole when the configuration is reloaded."""

    def __init__(self, policies: FolderPolicies) -> None:
        """Hold these policies."""
        self.replace(policies)

    def replace(self, policies: FolderPolicies) -> None:
        """Replace all policies; the new ones apply from the next batch on."""
        self._policies = policies
        judging = {root for root, policy in policies.by_root.items() if policy.clips is not None}
        self._judging = judging if judging and reads_clips() else set()  # asked for each file of a scan

    @property
    def missing_extra(self) -> str:
        """That the extra `video` must be installed, as a sentence; empty if it need not be."""
        return missing_extra(self._policies)

    @property
    def digest(self) -> str:
        """The digest of the default policy."""
        return self._policies.default.digest

    def name_regions(self) -> bool:
        """Return whether a rule names a variable for which photos must be segmented."""
        return self._policies.names(REGION_VARIABLES)

    def of(self, root: Path) -> Policy:
        """Return the policy of a watched folder; raises KeyError for any other folder."""
        return self._policies.by_root[root]

    def clips_in(self, root: Path) -> Collection[str]:
        """Return the extensions of the clips that are judged in a watched folder; none without the extra `video`."""
        return CLIP_EXTENSIONS if root in self._judging else ()


def open_alerts(config: Config) -> Alerts:
    """Return the alerts of a configuration, which are sent by its command and its webhook."""
    return Alerts(config.alert.command, config.alert.webhook)


def open_scanner(config: Config, policies: PolicySet) -> Scanner:
    """Return the scanner; it skips the quarantine, the state folder, and the folders that another culld has claimed."""
    others = functools.partial(foreign, config.state)
    return Scanner(
        supported_extensions(),
        frozenset({config.quarantine, config.state}),
        claimed_by=others,
        clips=policies.clips_in,
        others=other_extensions(),
    )


@dataclass(frozen=True, slots=True)
class Builder:
    """Builds pipeline, reader and housekeeping for `run`, `once` and `policy simulate`.

    `heartbeat` is called while the workers are at work.
    """

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
        recall: Callable[[RootedPath, FileStat], Assessment | None] | None = None,
    ) -> Pipeline:
        """Return the pipeline with its stages.

        `report` is called with each outcome, `record_failure` with each read failure (default: the journal stores it).
        If `braked` is false, the brake is not checked. `more_to_come` returns whether more photos will follow. `recall`
        returns the recorded assessment of a file with a stamp (default: that in the journal).
        """
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
            workers.compare,
        )
        planner = Planner(
            workers.draft,
            self.config.quarantine,
            functools.partial(MountGuard(self.journal).ensure, self.config.quarantine),
            TagSettings(tags.prefix, tags.embed is Embed.DEFECTS, tags.sidecar, tags.sidecar_name, tags.reject_flags),
            folders.current_batch,
            self.journal.is_tagged,
        )
        stages = Stages(
            reader,
            Grouper(recall or self.journal.assessments_at, self.journal.shots_between, folders.begin_batch).group,
            decider.decide,
            planner.plan,
            PlanApplier().apply,
            report,
            record_failure or self.journal.fault,
            LateSeries(self.journal, [watch.path for watch in self.config.watch], self.policies.of).bring_back,
        )
        return Pipeline(stages, self.journal)

    def reader(self, *, patient: bool = False) -> PoolReader:
        """Return the reader; a `patient` one defers an incomplete file that changed lately, to read it again."""
        recheck = self._recheck if patient else lambda _: None
        return PoolReader(self.pool, self.heartbeat, recheck, self.journal.judged, segment=self.policies.name_regions)

    def clip_reader(self, pool: Workers, *, patient: bool = False, rejudging: bool = False) -> PoolReader:
        """Return the reader of clips, which has a pool of its own; `rejudging` judges known content again."""
        recheck = self._recheck if patient else lambda _: None
        known = nothing_known if rejudging else self.journal.judged
        return PoolReader(pool, self.heartbeat, recheck, known, is_clip=is_clip)

    def is_judged_clip(self, place: RootedPath) -> bool:
        """Return whether a file is a clip that is judged in its watched folder."""
        return place.relative.suffix.lower() in self.policies.clips_in(place.root)

    def housekeeping(self) -> Housekeeping:
        """Return the daily housekeeping."""
        return Housekeeping(
            self.journal,
            self.clock,
            DecisionAges(self.journal, self.clock, functools.partial(self.alerts.send, "culld: the clock is in doubt")),
            self.config.keep_history,
            ExpiredToTrash(self.config.quarantine, to_trash, self.journal.note_trashed),
            self.config.store.trash_after,
            functools.partial(self.alerts.send, "culld: summary of the last day"),
            lambda roots, beat: put_away_orphans(self.config.quarantine, roots, self.journal, beat),
        )

    def _recheck(self, stamp: FileStat) -> timedelta | None:
        # No program can set the ctime, unlike the mtime; a network file system may still return any number.
        age_s = self.clock.now().timestamp() - stamp.ctime_ns / 1e9
        return recheck_delay(timedelta(seconds=min(max(age_s, -_LONGEST_AGE_S), _LONGEST_AGE_S)))
