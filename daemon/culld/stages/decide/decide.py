"""From what the network said of a photo to what shall happen with it, and why: pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from culld.records import Action, Defect, Format, Plan, Scores, StackVerdict, Unreadable, Verdict
from culld.stages.decide.member_verdict import member_verdicts, reached
from culld.stages.decide.protection import hold_reason, names_of, protection_reason
from culld.stages.decide.thresholds import format_probability, invalid_scores, is_night, tagged

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from culld.records import Policy, Stack
    from culld.stages.decide.member_verdict import MemberVerdict

KEYWORDS: Final = {Defect.BLUR: "blur", Defect.UNDER: "underexposed", Defect.OVER: "overexposed"}
"""The words that photo libraries show, behind a prefix."""


def decide(  # noqa: PLR0913 (what a decision hangs on)
    stack: Stack,
    rules: Policy,
    *,
    now: datetime,
    plan_id: str,
    restored: bool,
    brake: str = "",
    prefix: str = "defect:",
) -> Plan:
    """The plan for a stack under the rules of its folder.

    `restored`: a person brought this photo back; `brake` says why nothing may be moved now, and is empty if it may. A
    photo is moved only if a rule or a threshold says so, nothing protects it, and the mode is enforce. Scores that are
    no probabilities (NaN above all) decide nothing.
    """
    ruling = _evaluate(stack, rules, now, restored=restored, brake=brake)
    return Plan(
        id=plan_id,
        stack=stack,
        verdict=ruling.verdict,
        reason=ruling.reason,
        keywords=tuple(prefix + KEYWORDS[defect] for defect in ruling.found),
        policy=rules.digest,
        made_at=now,
        rule=ruling.rule,
        would_reject=ruling.would_reject,
    )


@dataclass(frozen=True, slots=True)
class _Result:
    verdict: Verdict
    reason: str
    found: tuple[Defect, ...] = ()
    rule: str = ""
    would_reject: bool = False


def _evaluate(stack: Stack, rules: Policy, now: datetime, *, restored: bool, brake: str) -> _Result:
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
    spared = protection_reason(stack, rules, restored=restored)
    if but := spared or hold_reason(rules, brake):
        reason = f"{by}{decisive.short_reason} would be rejected, but {but}"
        return _Result(_tag_or_keep(found), reason, found, decisive.rule, would_reject=spared is None)
    return _Result(Verdict.QUARANTINE, by + decisive.reason, found, decisive.rule, would_reject=True)


def _not_rejected(
    stack: Stack, scores: Scores, found: tuple[Defect, ...], rules: Policy, own: MemberVerdict
) -> _Result:
    """What is said of a photo that nothing rejects, or only its own scores and not those of the shot."""
    if own.action is Action.QUARANTINE:
        better = f"{names_of(stack.siblings)}, the same shot, is better (policy.stack_verdict: {rules.stack_verdict})"
        return _Result(_tag_or_keep(found), f"{own.short_reason} would be rejected, but {better}", found, own.rule)
    if found:
        limits: dict[Defect, float | None] = {defect: rules.of(defect).tag for defect in found}
        only = f"; {own.reason} only tags" if own.rule else ""
        rule = own.rule or f"policy.defects.{found[0]}.tag"
        return _Result(Verdict.TAG, reached("tag", limits, scores) + only, found, rule)
    figures = ", ".join(f"{defect} {format_probability(scores.of(defect))}" for defect in Defect)
    if scores.under >= rules.under.tag and is_night(stack.primary.photo, rules):
        light, limit = stack.primary.photo.camera.exposure.light_value, rules.protect.night_below
        figures += f"; dark at settings for night, light value {light:.1f}: policy.protect.night_below {limit:g}"
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
