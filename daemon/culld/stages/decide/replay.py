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

    from culld.records import Case, Plan, Rules


class Fate(StrEnum):
    """What would become of a photo."""

    MOVE = "move"
    COME_BACK = "come back"
    STAY_AWAY = "stay in quarantine"
    STAY = "stay"


@dataclass(frozen=True, slots=True)
class Change:
    """A case, and the plan that the other policy has for it."""

    case: Case
    plan: Plan

    @property
    def fate(self) -> Fate:
        """What would become of the photo if that policy were allowed to move."""
        if self.plan.unwanted:
            return Fate.STAY_AWAY if self.case.away else Fate.MOVE
        return Fate.COME_BACK if self.case.away else Fate.STAY


def simulate(cases: Iterable[Case], rules_for: Callable[[Path], Rules | None], now: datetime) -> Iterator[Change]:
    """Decide each case by the rules of its folder; cases of folders that have none are passed over."""
    for case in cases:
        rules = rules_for(case.stack.lead.photo.place.root)
        if rules is not None:
            plan = decide(case.stack, rules, now=now, plan_id=case.plan, restored=case.restored)
            yield Change(case, plan)
