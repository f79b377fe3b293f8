"""What the policy holds of one picture by itself: by the first named rule that holds of it, else by thresholds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from culld.records import Action, Defect, Scores
from culld.stages.decide.rule_variables import variables_of
from culld.stages.decide.thresholds import format_probability, rejected

if TYPE_CHECKING:
    from datetime import datetime

    from culld.records import Assessment, Policy, Stack


@dataclass(frozen=True, slots=True)
class MemberVerdict:
    """Whether a picture should go (`action` is QUARANTINE), with a clause that says why, and the rule that says so.

    `brief` says the same in a few words, for a picture that is spared. Without a rule the action is TAG.
    """

    of: Assessment
    action: Action
    rule: str = ""
    reason: str = ""
    short_reason: str = ""


def member_verdicts(stack: Stack, rules: Policy, now: datetime) -> list[MemberVerdict]:
    """What the policy holds of each picture of a shot that could be read, the leading one first."""
    return [_member_verdict(member, stack, rules, now) for member in stack.members if isinstance(member.result, Scores)]


def _member_verdict(member: Assessment, stack: Stack, rules: Policy, now: datetime) -> MemberVerdict:
    if rules.named_rules:
        others = tuple(each for each in stack.members if each is not member)
        facts = variables_of(replace(stack, primary=member, siblings=others), now)
        for rule in rules.named_rules:
            if rule.when.holds(facts):
                told = f'rule "{rule.name}" ({rule.when.text})'
                return MemberVerdict(member, rule.action, f"policy.rules.{rule.name}", told, told)
    return _by_thresholds(member, rules)


def _by_thresholds(member: Assessment, rules: Policy) -> MemberVerdict:
    bad = rejected(member, rules)
    if not bad or not isinstance(member.result, Scores):
        return MemberVerdict(member, Action.TAG)
    limits = {defect: rules.of(defect).reject for defect in bad}
    brief = f"{bad[0]} {format_probability(member.result.of(bad[0]))}"
    return MemberVerdict(
        member, Action.QUARANTINE, f"policy.defects.{bad[0]}.reject", reached("reject", limits, member.result), brief
    )


def reached(key: str, limits: dict[Defect, float | None], scores: Scores) -> str:
    """Which thresholds were reached, by which figures."""
    return " and ".join(
        f"{defect} {format_probability(scores.of(defect), limit)} is at least {limit} (policy.defects.{defect}.{key})"
        for defect, limit in limits.items()
        if limit is not None
    )
