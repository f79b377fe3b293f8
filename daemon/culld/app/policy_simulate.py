"""The use case `policy simulate`: replay another policy on past decisions, and carry out the changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from culld.app.engine_pool import open_pool
from culld.app.model_files import resolve_policies
from culld.app.simulate import Simulation
from culld.app.startup import open_journal, open_journal_readonly, require_quarantine
from culld.config import load_config
from culld.errors import ConfigError
from culld.files.locks import RootLocks, state_lock
from culld.records import Mode, display_path
from culld.stages.decide.replay import ReplayAction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime
    from pathlib import Path

    from culld.config import Config
    from culld.quarantine.restore import Restored
    from culld.records import FolderPolicies, Outcome
    from culld.stages.decide.replay import ReplayResult


@dataclass(frozen=True, slots=True)
class SimulateRequest:
    """The configuration file with the other policy, for the photos judged at or after `since` (None: all)."""

    config_file: Path
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Simulated:
    """The digest of the policy, and the result for each photo that is still at the path of its last decision.

    `observes` is True if the mode is observe in every watched folder, so that no photo may be moved.
    """

    policy: str
    results: tuple[ReplayResult, ...]
    observes: bool

    @property
    def changes(self) -> list[ReplayResult]:
        """The results of the photos that would be moved or restored."""
        return [each for each in self.results if each.action in {ReplayAction.MOVE, ReplayAction.RESTORE}]


@dataclass(frozen=True, slots=True)
class Applied:
    """The changes that were carried out: the restored photos, and the outcomes of the new decisions."""

    restored: tuple[Restored, ...]
    outcomes: tuple[Outcome, ...]

    @property
    def moved(self) -> int:
        """How many photos were moved to quarantine."""
        return sum(bool(outcome.plan.moves) and not outcome.fault for outcome in self.outcomes)

    @property
    def came_back(self) -> int:
        """How many photos were restored from quarantine."""
        return sum(not result.fault for result in self.restored)

    @property
    def faults(self) -> dict[Path, str]:
        """The fault by the path of the photo, or of the record, that was not changed."""
        faults = {result.record.path: result.fault for result in self.restored if result.fault}
        return faults | {each.plan.photo.place.path: each.fault for each in self.outcomes if each.fault}


def simulate(request: SimulateRequest, environ: Mapping[str, str]) -> Simulated:
    """Replay the policy of a configuration file on past decisions; no file and no journal row is changed.

    Raises ConfigError for a file with mistakes, SystemFaultError if culld has not run yet.
    """
    config = load_config(request.config_file, environ)
    policies = resolve_policies(config)
    with open_journal_readonly(config.state) as journal:
        simulation = Simulation(config, policies, journal)
        found = simulation.changes(request.since)
        if any(change.action is ReplayAction.MOVE for change in found):
            with open_pool(config) as pool:
                found = simulation.with_user_metadata(found, pool)
    return _simulated(config, policies, found)


def apply_simulation(
    request: SimulateRequest, environ: Mapping[str, str], show: Callable[[Simulated], object]
) -> Applied:
    """Replay the policy, call `show` with the results, and carry them out.

    Raises ConfigError for a file with mistakes or with mode observe in every folder, SystemFaultError if a daemon runs,
    or if the journal, the quarantine or the model cannot be used.
    """
    config = load_config(request.config_file, environ)
    policies = resolve_policies(config)
    if _only_observes(config):
        file = display_path(request.config_file)
        raise ConfigError((f"{file}: policy.mode is observe, which moves no photo; write enforce first",))
    roots = [watch.path for watch in config.watch]
    with state_lock(config.state), RootLocks() as claims, open_journal(config) as journal, open_pool(config) as pool:
        claims.acquire_all(roots)
        require_quarantine(config, journal)
        simulation = Simulation(config, policies, journal)
        found = simulation.with_user_metadata(simulation.changes(request.since), pool)
        show(_simulated(config, policies, found))
        restored, outcomes = simulation.apply(found, pool)
    return Applied(tuple(restored), tuple(outcomes))


def _simulated(config: Config, policies: FolderPolicies, found: Iterable[ReplayResult]) -> Simulated:
    return Simulated(policies.default.digest, tuple(found), observes=_only_observes(config))


def _only_observes(config: Config) -> bool:
    """Return whether the mode is observe in every watched folder."""
    return all((watch.mode or config.policy.mode) is Mode.OBSERVE for watch in config.watch)
