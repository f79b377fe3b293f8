"""From the scores of a stack to its verdict and the reason; pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from culld.records import (
    Action,
    Decision,
    Defect,
    Format,
    Mode,
    Scores,
    StackVerdict,
    Unreadable,
    Verdict,
)
from culld.stages.decide.protection import names_of, protection_reason
from culld.stages.decide.rule_variables import variables_of
from culld.stages.decide.thresholds import format_probability, invalid_scores, is_night, is_small, rejected, tagged

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from culld.records import Assessment, Policy, Stack


NO_DEFECT: Final = "no defect reaches its tag threshold"
"""The beginning of the reason of a photo that is kept for its scores."""


def decide(stack: Stack, policy: Policy, *, now: datetime, restored: bool) -> Decision:
    """Return the decision about a stack under the policy of its folder.

    `restored`: the user restored this photo before. A photo is moved only if a rule or a threshold rejects it, nothing
    protects it, and the mode is enforce. With scores that are not probabilities (such as NaN) the verdict is keep. A
    clip is decided about by `policy.clips`.
    """
    policy = policy.about(stack.primary.photo.format)
    result = _evaluate(stack, policy, now, restored=restored)
    decision = Decision(
        stack, result.verdict, result.reason, policy, now, result.found, result.rule, result.would_reject, result.brief
    )
    is_held = result.would_reject and policy.mode is not Mode.ENFORCE
    return decision.held_back(f"mode is {policy.mode}") if is_held else decision


@dataclass(frozen=True, slots=True)
class _Result:
    verdict: Verdict
    reason: str
    found: tuple[Defect, ...] = ()
    rule: str = ""
    would_reject: bool = False
    brief: str = ""


def _evaluate(stack: Stack, rules: Policy, now: datetime, *, restored: bool) -> _Result:
    scores = stack.primary.result
    if isinstance(scores, Unreadable):
        return _Result(Verdict.UNREADABLE, f"could not be read: {scores.reason}")
    if kept := _not_judged(stack.primary, scores, rules):
        return _Result(Verdict.KEEP, kept)
    verdicts = _member_verdicts(stack, rules, now)
    if keeps := next((verdict for verdict in verdicts if verdict.action is Action.KEEP), None):
        return _Result(Verdict.KEEP, f"{_member_prefix(keeps, stack)}{keeps.reason} keeps it", rule=keeps.rule)
    found = tagged(stack.primary, rules)
    decisive = _decisive(verdicts, stack, rules)
    if decisive is None:
        return _not_rejected(stack, scores, found, rules, verdicts[0])
    by = _member_prefix(decisive, stack)
    brief = by + decisive.short_reason
    too_small = _too_small(verdicts, stack, rules)
    if spared := protection_reason(stack, rules, restored=restored, too_small=too_small):
        return _Result(_tag_or_keep(found), f"{brief} would be rejected, but {spared}", found, decisive.rule)
    return _Result(Verdict.QUARANTINE, by + decisive.reason, found, decisive.rule, would_reject=True, brief=brief)


def _not_judged(primary: Assessment, scores: Scores, rules: Policy) -> str:
    """Return why a photo or clip is not judged; empty if it is."""
    # If one score is not a probability, the others are not used either.
    if wrong := invalid_scores(scores):
        return f"the network gave no probability for {' and '.join(wrong)}"
    if primary.is_live_movie:
        return "it is the movie of a Live Photo, and stays with its photo"
    if primary.photo.format is Format.VIDEO and rules.clips is None:
        return "clips are not judged: policy.clips is not set for this folder"
    return ""


def is_rejected(stack: Stack, policy: Policy, now: datetime) -> bool:
    """Return whether the policy rejects a stack, with the user metadata that it has so far."""
    return _evaluate(stack, policy.about(stack.primary.photo.format), now, restored=False).would_reject


def _not_rejected(
    stack: Stack, scores: Scores, found: tuple[Defect, ...], rules: Policy, own: MemberVerdict
) -> _Result:
    """Return the result for a shot that stays, also if `own`, the verdict on its primary photo, is a reject."""
    if own.action is Action.QUARANTINE:
        better = f"{names_of(stack.siblings)}, the same shot, is better (policy.stack_verdict: {rules.stack_verdict})"
        return _Result(_tag_or_keep(found), f"{own.short_reason} would be rejected, but {better}", found, own.rule)
    if found:
        limits: dict[Defect, float | None] = {defect: rules.of(defect).tag for defect in found}
        only = f"; {own.reason} only tags" if own.rule else ""
        rule = own.rule or key_of(stack.primary, found[0], "tag")
        return _Result(Verdict.TAG, _reached("tag", limits, stack.primary) + only, found, rule)
    figures = ", ".join(f"{defect} {format_probability(scores.of(defect))}" for defect in scores.known)
    if scores.under >= rules.under.tag and is_night(stack.primary.photo, rules):
        light, limit = stack.primary.photo.camera.exposure.light_value, rules.protect.night_below
        figures += f"; dark at settings for night, light value {light:.1f}: policy.protect.night_below {limit:g}"
    if stack.primary.clip is not None:
        return _Result(Verdict.KEEP, f"no defect lasts for long enough to be tagged (share of the time: {figures})")
    return _Result(Verdict.KEEP, f"{NO_DEFECT} ({figures})")


def _tag_or_keep(found: tuple[Defect, ...]) -> Verdict:
    return Verdict.TAG if found else Verdict.KEEP


def _member_prefix(verdict: MemberVerdict, stack: Stack) -> str:
    """Return the prefix of the reason of a verdict: the name of the sibling; empty for the primary photo."""
    return "" if verdict.of is stack.primary else f"{names_of([verdict.of])}, the same shot: "


def _decisive(verdicts: Sequence[MemberVerdict], stack: Stack, rules: Policy) -> MemberVerdict | None:
    """Return the verdict that rejects a shot, preferably the one on the primary photo; None if the shot stays."""
    if rules.stack_verdict is StackVerdict.RAW and any(verdict.of.photo.format is Format.RAW for verdict in verdicts):
        verdicts = [verdict for verdict in verdicts if verdict.of.photo.format is Format.RAW]
    bad = [verdict for verdict in verdicts if verdict.action is Action.QUARANTINE]
    if not bad or (rules.stack_verdict is StackVerdict.BEST and len(bad) < len(verdicts)):
        return None
    return next((verdict for verdict in bad if verdict.of is stack.primary), bad[0])


def _too_small(verdicts: Sequence[MemberVerdict], stack: Stack, rules: Policy) -> list[Assessment]:
    """Return the photos of a rejected shot that are too small to judge; none if the others alone reject the shot."""
    small = [verdict.of for verdict in verdicts if is_small(verdict.of, rules)]
    others = [replace(each, action=Action.TAG) if is_small(each.of, rules) else each for each in verdicts]
    return small if _decisive(others, stack, rules) is None else []


@dataclass(frozen=True, slots=True)
class MemberVerdict:
    """The verdict of the policy on one photo of a shot: QUARANTINE if it is rejected, the reason, and the rule.

    `short_reason` is the reason for a photo that is rejected and not moved. Without a rule the action is TAG.
    """

    of: Assessment
    action: Action
    rule: str = ""
    reason: str = ""
    short_reason: str = ""


def _member_verdicts(stack: Stack, rules: Policy, now: datetime) -> list[MemberVerdict]:
    """Return the verdict on each readable photo of a shot, the primary one first."""
    return [_member_verdict(member, stack, rules, now) for member in stack.members if isinstance(member.result, Scores)]


def _member_verdict(member: Assessment, stack: Stack, rules: Policy, now: datetime) -> MemberVerdict:
    if rules.named_rules:
        others = tuple(each for each in stack.members if each is not member)
        facts = variables_of(replace(stack, primary=member, siblings=others), now)
        for rule in rules.named_rules:
            if rule.when.holds(facts):
                reason = f'rule "{rule.name}" ({rule.when.text})'
                return MemberVerdict(member, rule.action, f"policy.rules.{rule.name}", reason, reason)
    return _by_thresholds(member, rules)


def _by_thresholds(member: Assessment, rules: Policy) -> MemberVerdict:
    bad = rejected(member, rules)
    if not bad or not isinstance(member.result, Scores):
        return MemberVerdict(member, Action.TAG)
    limits = {defect: rules.of(defect).reject for defect in bad}
    of_time = " of the time" if member.clip is not None else ""
    brief = f"{bad[0]} {format_probability(member.result.of(bad[0]))}{of_time}"
    key = key_of(member, bad[0], "reject")
    return MemberVerdict(member, Action.QUARANTINE, key, _reached("reject", limits, member), brief)


def key_of(member: Assessment, defect: Defect, name: str) -> str:
    """Return the key of the policy that holds a threshold, `tag` or `reject`, of a photo or clip."""
    return f"policy.clips.{name}" if member.photo.format is Format.VIDEO else f"policy.defects.{defect}.{name}"


def _reached(name: str, limits: dict[Defect, float | None], member: Assessment) -> str:
    """Return a text with the thresholds that were reached, and the scores that reach them."""
    assert isinstance(member.result, Scores)  # noqa: S101 (a threshold was reached)
    of_time = "of the time " if member.clip is not None else ""
    return " and ".join(
        f"{defect} {format_probability(member.result.of(defect), limit)} {of_time}is at least {limit}"
        f" ({key_of(member, defect, name)})"
        for defect, limit in limits.items()
        if limit is not None
    )
