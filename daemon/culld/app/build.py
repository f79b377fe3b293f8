"""Builds the parts out of a configuration and ties them together."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from culld.app.decision_ages import Ages
from culld.app.housekeeping import Tidying
from culld.app.model_files import looked_up
from culld.app.returned import is_restored
from culld.app.trash_expired import Expiry
from culld.clock import SystemClock
from culld.config import Embed
from culld.files.mount_guard import Anchors
from culld.files.root_owner import foreign
from culld.imaging.supported import judged_extensions
from culld.pipeline import Pipeline
from culld.quarantine.apply import Applier
from culld.quarantine.orphans import put_away_orphans
from culld.stages.decide.brake import Braking
from culld.stages.group.directory import Catalogue
from culld.stages.group.grouping import Grouping
from culld.stages.plan import Judge, no_brake
from culld.stages.read import DarkroomDoor, recheck
from culld.stages.watch.scanner import Scanner
from culld.system.alerts import Alerts
from culld.system.trash import to_trash

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from culld.config import Config
    from culld.inference.pool import Pool
    from culld.journal.store import SqliteJournal
    from culld.ports import Clock
    from culld.records import Rules, Stamp


_LONGEST_AGE_S: Final = 1e9


class Policies:
    """The policy of each watched folder, exchanged as a whole when the configuration is read anew."""

    def __init__(self, config: Config) -> None:
        """Begin with the policy of this configuration."""
        self.take_over(config)

    def take_over(self, config: Config) -> None:
        """Judge by this configuration's policy from the next batch on; raises what `looked_up` raises."""
        config = looked_up(config)
        self._by_root = config.rules_by_folder()
        self.digest = config.rules().digest

    def of(self, root: Path) -> Rules:
        """The rules of a watched folder."""
        return self._by_root[root]


def open_alerts(config: Config) -> Alerts:
    """What tells a person of what cannot wait."""
    return Alerts(config.alert.command, config.alert.webhook)


def open_scanner(config: Config) -> Scanner:
    """The scanner of the watched folders, which passes over the quarantine, the state, and folders of other cullds."""
    others = functools.partial(foreign, config.state)
    return Scanner(judged_extensions(), frozenset({config.quarantine, config.state}), foreign=others)


@dataclass(frozen=True, slots=True)
class Wiring:
    """What the pipeline is made of; the two daemons (`run`, `once`) differ only in what feeds it."""

    config: Config
    journal: SqliteJournal
    pool: Pool
    policies: Policies
    clock: Clock = field(default_factory=SystemClock)
    alerts: Alerts = field(default_factory=Alerts)

    def pipeline(
        self,
        beat: Callable[[], None] = lambda: None,
        *,
        patient: bool = False,
        braked: bool = True,
        more_to_come: Callable[[], bool] = lambda: False,
    ) -> Pipeline:
        """The page, with its real parts; `patient` if somebody will look again at files that cannot be read yet."""
        alarm = functools.partial(self.alerts.ring, "culld has stopped moving photos")
        brake = Braking(self.journal, lambda: self.policies.digest, self.clock, alarm).holds
        door = DarkroomDoor(self.pool, beat, self._patience) if patient else DarkroomDoor(self.pool, beat)
        catalogue = Catalogue()
        judge = Judge(
            rules_for=self.policies.of,
            is_restored=functools.partial(is_restored, self.journal),
            draft=door.draft,
            care=door.care,
            clock=self.clock,
            quarantine=self.config.quarantine,
            quarantine_away=functools.partial(Anchors(self.journal).make, self.config.quarantine),
            prefix=self.config.tags.prefix,
            embed=self.config.tags.embed is Embed.DEFECTS,
            listing=catalogue.latest,
            sidecars=self.config.tags.sidecar,
            style=self.config.tags.sidecar_name,
            marks=self.config.tags.marks,
            brake=brake if braked else no_brake,
            more_to_come=more_to_come,
        )
        return Pipeline(
            door,
            self.journal,
            Grouping(self.journal.recall, self.journal.shots_around, catalogue.anew).group,
            judge.decide,
            Applier().apply,
        )

    def tidying(self) -> Tidying:
        """What is done once a day."""
        return Tidying(
            self.journal,
            self.clock,
            Ages(self.journal, self.clock, functools.partial(self.alerts.ring, "culld: the clock is in doubt")),
            self.config.history,
            Expiry(self.config.quarantine, to_trash, self.journal.note_trashed),
            self.config.store.trash_after,
            functools.partial(self.alerts.ring, "culld: what the last day brought"),
            lambda roots, beat: put_away_orphans(self.config.quarantine, roots, self.journal, beat),
        )

    def _patience(self, stamp: Stamp) -> timedelta | None:
        # Unlike mtime, no program can set it; a network file system may still give any number.
        age_s = self.clock.now().timestamp() - stamp.ctime_ns / 1e9
        return recheck.wait(timedelta(seconds=min(max(age_s, -_LONGEST_AGE_S), _LONGEST_AGE_S)))
