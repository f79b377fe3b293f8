"""From what the network said of a photo to what shall happen with it, and why: pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from culld.records import Action, Defect, Format, Plan, Scores, Stacking, Unreadable, Verdict
from culld.stages.decide.member_verdict import opinions, reached
from culld.stages.decide.protection import held, names_of, protected
from culld.stages.decide.thresholds import broken, figure, is_night, tagged

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from culld.records import Rules, Stack
    from culld.stages.decide.member_verdict import Opinion

KEYWORDS: Final = {Defect.BLUR: "blur", Defect.UNDER: "underexposed", Defect.OVER: "overexposed"}
"""The words that photo libraries show, behind a prefix."""


def decide(  # noqa: PLR0913 (what a decision hangs on)
    stack: Stack, rules: Rules, *, now: datetime, plan_id: str, restored: bool, brake: str = "", prefix: str = "defect:"
) -> Plan:
    """The plan for a stack under the rules of its folder.

    `restored`: a person brought this photo back; `brake` says why nothing may be moved now, and is empty if it may. A
    photo is moved only if a rule or a threshold says so, nothing protects it, and the mode is enforce. Scores that are
    no probabilities (NaN above all) decide nothing.
    """
    ruling = _rule(stack, rules, now, restored=restored, brake=brake)
    return Plan(
        id=plan_id,
        stack=stack,
        verdict=ruling.verdict,
        reason=ruling.reason,
        keywords=tuple(prefix + KEYWORDS[defect] for defect in ruling.found),
        policy=rules.digest,
        made_at=now,
        rule=ruling.rule,
        unwanted=ruling.unwanted,
    )


@dataclass(frozen=True, slots=True)
class _Ruling:
    verdict: Verdict
    reason: str
    found: tuple[Defect, ...] = ()
    rule: str = ""
    unwanted: bool = False


def _rule(stack: Stack, rules: Rules, now: datetime, *, restored: bool, brake: str) -> _Ruling:
    scores = stack.lead.result
    if isinstance(scores, Unreadable):
        return _Ruling(Verdict.UNREADABLE, f"could not be read: {scores.reason}")
    # One broken output speaks against the whole answer of the network.
    if wrong := broken(scores):
        return _Ruling(Verdict.KEEP, f"the network gave no probability for {' and '.join(wrong)}")
    voices = opinions(stack, rules, now)
    if keeps := next((voice for voice in voices if voice.action is Action.KEEP), None):
        return _Ruling(Verdict.KEEP, f"{_by(keeps, stack)}{keeps.why} keeps it", rule=keeps.rule)
    found = tagged(stack.lead, rules)
    decisive = _decisive(voices, stack, rules)
    if decisive is None:
        return _stays(stack, scores, found, rules, voices[0])
    by = _by(decisive, stack)
    spared = protected(stack, rules, restored=restored)
    if but := spared or held(rules, brake):
        reason = f"{by}{decisive.brief} would be rejected, but {but}"
        return _Ruling(_kept(found), reason, found, decisive.rule, unwanted=spared is None)
    return _Ruling(Verdict.QUARANTINE, by + decisive.why, found, decisive.rule, unwanted=True)


def _stays(stack: Stack, scores: Scores, found: tuple[Defect, ...], rules: Rules, own: Opinion) -> _Ruling:
    """What is said of a photo that nothing rejects, or only its own scores and not those of the shot."""
    if own.action is Action.QUARANTINE:
        better = f"{names_of(stack.partners)}, the same shot, is better (policy.stacks: {rules.stacks})"
        return _Ruling(_kept(found), f"{own.brief} would be rejected, but {better}", found, own.rule)
    if found:
        limits: dict[Defect, float | None] = {defect: rules.of(defect).tag for defect in found}
        only = f"; {own.why} only tags" if own.rule else ""
        rule = own.rule or f"policy.defects.{found[0]}.tag"
        return _Ruling(Verdict.TAG, reached("tag", limits, scores) + only, found, rule)
    figures = ", ".join(f"{defect} {figure(scores.of(defect))}" for defect in Defect)
    if scores.under >= rules.under.tag and is_night(stack.lead.photo, rules):
        light = f"{stack.lead.photo.camera.exposure.value_ev:.1f}"
        figures += f"; dark at settings for night, light value {light}: policy.protect.night {rules.protect.night:g}"
    return _Ruling(Verdict.KEEP, f"no defect reaches its tag threshold ({figures})")


def _kept(found: tuple[Defect, ...]) -> Verdict:
    return Verdict.TAG if found else Verdict.KEEP


def _by(opinion: Opinion, stack: Stack) -> str:
    """What to say before an opinion: nothing if it is about the photo itself."""
    return "" if opinion.of is stack.lead else f"{names_of([opinion.of])}, the same shot: "


def _decisive(voices: Sequence[Opinion], stack: Stack, rules: Rules) -> Opinion | None:
    """The opinion that rejects a shot, its own one first; None if the shot stays."""
    if rules.stacks is Stacking.RAW and any(voice.of.photo.format is Format.RAW for voice in voices):
        voices = [voice for voice in voices if voice.of.photo.format is Format.RAW]
    bad = [voice for voice in voices if voice.action is Action.QUARANTINE]
    if not bad or (rules.stacks is Stacking.BEST and len(bad) < len(voices)):
        return None
    return next((voice for voice in bad if voice.of is stack.lead), bad[0])
