"""What another policy would do with photos that were decided about: pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from culld.stages.decide.decide import decide

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

    from culld.records import Decision, Policy, RecordedDecision


class ReplayAction(StrEnum):
    """What would become of a photo."""

    MOVE = "move"
    RESTORE = "come back"
    STAY_QUARANTINED = "stay in quarantine"
    STAY = "stay"


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """A case, and the decision of the other policy about it."""

    case: RecordedDecision
    decision: Decision

    @property
    def action(self) -> ReplayAction:
        """What would become of the photo if that policy were allowed to move."""
        if self.decision.would_reject:
            return ReplayAction.STAY_QUARANTINED if self.case.away else ReplayAction.MOVE
        return ReplayAction.RESTORE if self.case.away else ReplayAction.STAY


def replay(
    cases: Iterable[RecordedDecision], rules_for: Callable[[Path], Policy | None], now: datetime
) -> Iterator[ReplayResult]:
    """Decide each case by the rules of its folder; cases of folders that have none are passed over."""
    for case in cases:
        rules = rules_for(case.place.root)
        if rules is not None:
            yield ReplayResult(case, decide(case.stack, rules, now=now, restored=case.content_restored))
