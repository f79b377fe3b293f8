"""Decisions of another policy about photos with a recorded decision; pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from culld.records import BY_PERSON
from culld.stages.decide.decide import decide

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

    from culld.records import Decision, Policy, RecordedDecision


class ReplayAction(StrEnum):
    """The effect of another policy on a photo."""

    MOVE = "move"
    RESTORE = "come back"
    STAY_QUARANTINED = "stay in quarantine"
    STAY = "stay"


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """A recorded decision, and the decision of another policy about the same stack."""

    case: RecordedDecision
    decision: Decision

    @property
    def action(self) -> ReplayAction:
        """The effect on the photo if the other policy were in mode enforce; none on one that a person rejected."""
        if self.case.away and self.case.rule == BY_PERSON:
            return ReplayAction.STAY_QUARANTINED
        if self.decision.would_reject:
            return ReplayAction.STAY_QUARANTINED if self.case.away else ReplayAction.MOVE
        return ReplayAction.RESTORE if self.case.away else ReplayAction.STAY


def replay(
    cases: Iterable[RecordedDecision], rules_for: Callable[[Path], Policy | None], now: datetime
) -> Iterator[ReplayResult]:
    """Yield the decision about each case under the policy of its folder; cases without a policy are skipped."""
    for case in cases:
        rules = rules_for(case.place.root)
        if rules is not None:
            yield ReplayResult(case, decide(case.stack, rules, now=now, restored=case.content_restored))
