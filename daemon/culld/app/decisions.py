"""The use cases `log` and `why`: past decisions, and the explanation of the last decision about a photo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from culld.app.burst_lookup import find_burst_view
from culld.app.model_files import resolve_policies
from culld.app.returned import is_gone
from culld.app.startup import open_journal_readonly
from culld.records import RootedPath

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from culld.app.burst_view import BurstView
    from culld.config import Config
    from culld.journal.store import SqliteJournal
    from culld.records import Policy, RecordedCopy, RecordedDecision, Verdict


@dataclass(frozen=True, slots=True)
class Explanation:
    """The last decision about a photo (`case`), the policy in force in its folder, and all decisions about the photo.

    `history` holds the oldest decision first. `burst` is the series of the photo; None if it is in none. `copy` is the
    repaired copy of the photo that was asked for last; None if none was.
    """

    case: RecordedDecision
    policy: Policy
    history: tuple[RecordedDecision, ...]
    burst: BurstView | None = None
    copy: RecordedCopy | None = None


@dataclass(frozen=True, slots=True)
class LogRequest:
    """The decisions to return: at most `limit`, made at or after `since` (None: all), with `verdict` (None: any)."""

    limit: int
    since: datetime | None = None
    verdict: Verdict | None = None


def past_decisions(state: Path, request: LogRequest) -> list[RecordedDecision]:
    """Return the requested decisions, the newest first; raises SystemFaultError if culld has not run yet."""
    with open_journal_readonly(state) as journal:
        return journal.decisions(request.limit, request.since, request.verdict)


def explain_decision(config: Config, path: Path) -> Explanation | None:
    """Explain the photo that is or was at an absolute path; None if culld has not judged it.

    Raises ConfigError if a threshold cannot be resolved, SystemFaultError if culld has not run yet.
    """
    policies = resolve_policies(config)
    with open_journal_readonly(config.state) as journal:
        history = tuple(decision for place in _places(path, config) for decision in journal.history_of(place))
        case = history[-1] if history else None
        if case is None or not (case.ended or case.restored):
            return None
        policy = policies.by_root.get(case.place.root, policies.default)
        burst = find_burst_view(journal, history, policy, is_gone)
        return Explanation(case, policy, history, burst, _copy_of(history, journal))


def _copy_of(history: Sequence[RecordedDecision], journal: SqliteJournal) -> RecordedCopy | None:
    numbers = (journal.number_of(decision.plan) for decision in reversed(history))
    copies = (journal.copy_of(number) for number in numbers if number is not None)
    return next((copy for copy in copies if copy is not None), None)


def _places(path: Path, config: Config) -> Iterator[RootedPath]:
    """Yield the path as a RootedPath below the innermost configured folder that contains it, if there is one."""
    roots = sorted((*(watch.path for watch in config.watch), config.quarantine), key=lambda root: -len(root.parts))
    root = next((root for root in roots if path.is_relative_to(root) and path != root), None)
    if root is not None:
        yield RootedPath(root, path.relative_to(root))
