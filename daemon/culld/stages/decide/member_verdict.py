"""What the policy holds of one picture by itself: by the first named rule that holds of it, else by thresholds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from culld.records import Action, Defect, Scores
from culld.stages.decide.rule_variables import facts_of
from culld.stages.decide.thresholds import figure, rejected

if TYPE_CHECKING:
    from datetime import datetime

    from culld.records import Assessment, Rules, Stack


@dataclass(frozen=True, slots=True)
class Opinion:
    """Whether a picture should go (`action` is QUARANTINE), with a clause that says why, and the rule that says so.

    `brief` says the same in a few words, for a picture that is spared. Without a rule the action is TAG.
    """

    of: Assessment
    action: Action
    rule: str = ""
    why: str = ""
    brief: str = ""


def opinions(stack: Stack, rules: Rules, now: datetime) -> list[Opinion]:
    """What the policy holds of each picture of a shot that could be read, the leading one first."""
    return [_opinion(member, stack, rules, now) for member in stack.members if isinstance(member.result, Scores)]


def _opinion(member: Assessment, stack: Stack, rules: Rules, now: datetime) -> Opinion:
    if rules.named:
        others = tuple(each for each in stack.members if each is not member)
        facts = facts_of(replace(stack, lead=member, partners=others), now)
        for rule in rules.named:
            if rule.when.holds(facts):
                told = f'rule "{rule.name}" ({rule.when.text})'
                return Opinion(member, rule.action, f"policy.rules.{rule.name}", told, told)
    return _by_thresholds(member, rules)


def _by_thresholds(member: Assessment, rules: Rules) -> Opinion:
    bad = rejected(member, rules)
    if not bad or not isinstance(member.result, Scores):
        return Opinion(member, Action.TAG)
    limits = {defect: rules.of(defect).reject for defect in bad}
    brief = f"{bad[0]} {figure(member.result.of(bad[0]))}"
    return Opinion(
        member, Action.QUARANTINE, f"policy.defects.{bad[0]}.reject", reached("reject", limits, member.result), brief
    )


def reached(key: str, limits: dict[Defect, float | None], scores: Scores) -> str:
    """Which thresholds were reached, by which figures."""
    return " and ".join(
        f"{defect} {figure(scores.of(defect), limit)} is at least {limit} (policy.defects.{defect}.{key})"
        for defect, limit in limits.items()
        if limit is not None
    )
