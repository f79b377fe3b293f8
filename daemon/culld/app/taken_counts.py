"""The counts of a pass that takes scores made elsewhere."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from culld.app.once_counts import Counts
from culld.records import Verdict

if TYPE_CHECKING:
    from culld.app.taken_scores import Origin
    from culld.records import Outcome, Plan

MOST_EXAMPLES: Final = 20


@dataclass(frozen=True, slots=True)
class Found:
    """The photos below a folder, before any is judged.

    `scored` have a row in the source, of which `waiting` have no decision yet; `others` are in the folder only.
    """

    scored: int
    waiting: int
    others: int


@dataclass(slots=True)
class Taken:
    """What became of the photos, by verdict (`counts`), by the origin of their scores, by rule and by keyword.

    `held` counts the photos that the policy rejects and that stay, for the mode or the brake. `examples` are the first
    plans that tag or move a photo. `brake` is why the brake is on; empty if it is off.
    """

    found: Found
    counts: Counts = field(default_factory=Counts)
    origins: Counter[Origin] = field(default_factory=Counter)
    rules: Counter[tuple[Verdict, str]] = field(default_factory=Counter)
    keywords: Counter[tuple[Verdict, str]] = field(default_factory=Counter)
    held: int = 0
    examples: list[Plan] = field(default_factory=list)
    brake: str = ""

    def add(self, outcome: Outcome, origin: Origin) -> None:
        """Count the rule, the keywords and the origin of the scores of one outcome; the loop counts its verdict."""
        plan = outcome.plan
        self.origins[origin] += 1
        self.held += plan.would_reject and plan.verdict is not Verdict.QUARANTINE
        if plan.verdict not in {Verdict.TAG, Verdict.QUARANTINE}:
            return
        self.rules[plan.verdict, plan.rule] += 1
        self.keywords.update((plan.verdict, keyword) for keyword in plan.keywords)
        if len(self.examples) < MOST_EXAMPLES:
            self.examples.append(plan)
