"""From what the network said of a photo to what shall happen with it, and why: pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

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
from culld.stages.decide.member_verdict import member_verdicts, reached
from culld.stages.decide.protection import names_of, protection_reason
from culld.stages.decide.thresholds import format_probability, invalid_scores, is_night, tagged

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from culld.records import Policy, Stack
    from culld.stages.decide.member_verdict import MemberVerdict


def decide(stack: Stack, policy: Policy, *, now: datetime, restored: bool) -> Decision:
    """The decision about a stack under the policy of its folder.

    `restored`: a person brought this photo back. A photo is moved only if a rule or a threshold says so, nothing
    protects it, and the mode is enforce. Scores that are no probabilities (NaN above all) decide nothing.
    """
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
    # One broken output speaks against the whole answer of the network.
    if wrong := invalid_scores(scores):
        return _Result(Verdict.KEEP, f"the network gave no probability for {' and '.join(wrong)}")
    voices = member_verdicts(stack, rules, now)
    if keeps := next((voice for voice in voices if voice.action is Action.KEEP), None):
        return _Result(Verdict.KEEP, f"{_member_prefix(keeps, stack)}{keeps.reason} keeps it", rule=keeps.rule)
    found = tagged(stack.primary, rules)
    decisive = _decisive(voices, stack, rules)
    if decisive is None:
        return _not_rejected(stack, scores, found, rules, voices[0])
    by = _member_prefix(decisive, stack)
    brief = by + decisive.short_reason
    if spared := protection_reason(stack, rules, restored=restored):
        return _Result(_tag_or_keep(found), f"{brief} would be rejected, but {spared}", found, decisive.rule)
    return _Result(Verdict.QUARANTINE, by + decisive.reason, found, decisive.rule, would_reject=True, brief=brief)


def is_rejected(stack: Stack, policy: Policy, now: datetime) -> bool:
    """Whether a rule or a threshold rejects a stack, whatever protects it."""
    return _evaluate(stack, policy, now, restored=False).would_reject


def _not_rejected(
    stack: Stack, scores: Scores, found: tuple[Defect, ...], rules: Policy, own: MemberVerdict
) -> _Result:
    """What is said of a photo that nothing rejects, or only its own scores and not those of the shot."""
    if own.action is Action.QUARANTINE:
        better = f"{names_of(stack.siblings)}, the same shot, is better (policy.stacks: {rules.stack_verdict})"
        return _Result(_tag_or_keep(found), f"{own.short_reason} would be rejected, but {better}", found, own.rule)
    if found:
        limits: dict[Defect, float | None] = {defect: rules.of(defect).tag for defect in found}
        only = f"; {own.reason} only tags" if own.rule else ""
        rule = own.rule or f"policy.defects.{found[0]}.tag"
        return _Result(Verdict.TAG, reached("tag", limits, scores) + only, found, rule)
    figures = ", ".join(f"{defect} {format_probability(scores.of(defect))}" for defect in Defect)
    if scores.under >= rules.under.tag and is_night(stack.primary.photo, rules):
        light = f"{stack.primary.photo.camera.exposure.light_value:.1f}"
        figures += (
            f"; dark at settings for night, light value {light}: policy.protect.night {rules.protect.night_below:g}"
        )
    return _Result(Verdict.KEEP, f"no defect reaches its tag threshold ({figures})")


def _tag_or_keep(found: tuple[Defect, ...]) -> Verdict:
    return Verdict.TAG if found else Verdict.KEEP


def _member_prefix(opinion: MemberVerdict, stack: Stack) -> str:
    """What to say before an opinion: nothing if it is about the photo itself."""
    return "" if opinion.of is stack.primary else f"{names_of([opinion.of])}, the same shot: "


def _decisive(voices: Sequence[MemberVerdict], stack: Stack, rules: Policy) -> MemberVerdict | None:
    """The opinion that rejects a shot, its own one first; None if the shot stays."""
    if rules.stack_verdict is StackVerdict.RAW and any(voice.of.photo.format is Format.RAW for voice in voices):
        voices = [voice for voice in voices if voice.of.photo.format is Format.RAW]
    bad = [voice for voice in voices if voice.action is Action.QUARANTINE]
    if not bad or (rules.stack_verdict is StackVerdict.BEST and len(bad) < len(voices)):
        return None
    return next((voice for voice in bad if voice.of is stack.primary), bad[0])
