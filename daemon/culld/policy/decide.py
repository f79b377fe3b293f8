"""From what the network said of a photo to what shall happen with it, and why: pure."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final

from culld.records import Defect, Format, Mode, Plan, Scores, Stacking, Unreadable, Verdict, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from culld.records import Assessment, Rules, Stack

KEYWORDS: Final = {Defect.BLUR: "blur", Defect.UNDER: "underexposed", Defect.OVER: "overexposed"}
"""The words that photo libraries show, behind a prefix."""


def decide(stack: Stack, rules: Rules, *, now: datetime, plan_id: str, restored: bool, prefix: str = "defect:") -> Plan:
    """The plan for a stack under the rules of its folder; `restored`: a person brought this photo back.

    A photo is moved only if a defect reaches its reject threshold, the mode is enforce, no person restored it, and no
    file belongs to it that culld does not judge. Scores that are no probabilities (NaN above all) decide nothing.
    """
    verdict, reason, found = _judge(stack, rules, restored=restored)
    return Plan(
        id=plan_id,
        stack=stack,
        verdict=verdict,
        reason=reason,
        keywords=tuple(prefix + KEYWORDS[defect] for defect in found),
        policy=rules.digest,
        made_at=now,
    )


def tagged(scores: Scores, rules: Rules) -> tuple[Defect, ...]:
    """The defects whose probability is at least their tag threshold, in the order of the network's outputs."""
    return tuple(defect for defect in Defect if scores.of(defect) >= rules.of(defect).tag)


def rejected(scores: Scores, rules: Rules) -> tuple[Defect, ...]:
    """The defects whose probability is at least their reject threshold, in the order of the network's outputs."""
    limits = {defect: rules.of(defect).reject for defect in Defect}
    return tuple(defect for defect, limit in limits.items() if limit is not None and scores.of(defect) >= limit)


def _judge(stack: Stack, rules: Rules, *, restored: bool) -> tuple[Verdict, str, tuple[Defect, ...]]:
    scores = stack.lead.result
    if isinstance(scores, Unreadable):
        return Verdict.UNREADABLE, f"could not be read: {scores.reason}", ()
    # One broken output speaks against the whole answer of the network.
    if broken := _broken(scores):
        return Verdict.KEEP, f"the network gave no probability for {' and '.join(broken)}", ()
    return _judge_scores(stack, rules, scores, restored=restored)


def _judge_scores(
    stack: Stack, rules: Rules, scores: Scores, *, restored: bool
) -> tuple[Verdict, str, tuple[Defect, ...]]:
    found = tagged(scores, rules)
    if decisive := _rejects(stack, rules):
        by, seen = decisive
        bad = rejected(seen, rules)
        if spared := _spared(stack, rules, restored=restored):
            return _kept(found), f"{by}{bad[0]} {_figure(seen.of(bad[0]))} would be rejected, but {spared}", found
        return (
            Verdict.QUARANTINE,
            by + _reached("reject", {defect: rules.of(defect).reject for defect in bad}, seen),
            found,
        )
    if bad := rejected(scores, rules):
        better = f"{_names(stack.partners)}, the same shot, is better (policy.stacks: {rules.stacks})"
        return Verdict.TAG, f"{bad[0]} {_figure(scores.of(bad[0]))} would be rejected, but {better}", found
    if found:
        return Verdict.TAG, _reached("tag", {defect: rules.of(defect).tag for defect in found}, scores), found
    figures = ", ".join(f"{defect} {_figure(scores.of(defect))}" for defect in Defect)
    return Verdict.KEEP, f"no defect reaches its tag threshold ({figures})", ()


def _kept(found: tuple[Defect, ...]) -> Verdict:
    return Verdict.TAG if found else Verdict.KEEP


def _rejects(stack: Stack, rules: Rules) -> tuple[str, Scores] | None:
    """Whose scores reject a shot, and what to say before them: nothing if they are the photo's own."""
    voices = [(member, member.result) for member in stack.members if isinstance(member.result, Scores)]
    if rules.stacks is Stacking.RAW and stack.partners:
        voices = [(member, scores) for member, scores in voices if member.photo.format is Format.RAW]
    bad = [(member, scores) for member, scores in voices if not _broken(scores) and rejected(scores, rules)]
    if not bad or (rules.stacks is Stacking.BEST and len(bad) < len(voices)):
        return None
    member, scores = next((each for each in bad if each[0] is stack.lead), bad[0])
    return ("" if member is stack.lead else f"{_names([member])}, the same shot: "), scores


def _names(members: Iterable[Assessment]) -> str:
    return " and ".join(sorted(printable(Path(member.photo.place.relative.name)) for member in members))


def _broken(scores: Scores) -> list[Defect]:
    """The defects for which the network gave no probability."""
    return [defect for defect in Defect if not 0 <= scores.of(defect) <= 1]


def _spared(stack: Stack, rules: Rules, *, restored: bool) -> str | None:
    """Why a photo with a reject is only tagged; None if nothing speaks for it."""
    if restored:
        return "a person restored this photo"
    if unread := [partner for partner in stack.partners if isinstance(partner.result, Unreadable)]:
        return f"{_names(unread)}, the same shot, could not be read"
    if rules.protect.edited and stack.edits:
        names = ", ".join(sorted(printable(Path(place.relative.name)) for place in stack.edits))
        return f"somebody edited it in another program ({names}; policy.protect.edited)"
    if stack.kin:
        return f"{_listed(Path(place.relative.name) for place in stack.kin)} to it"
    if rules.mode is not Mode.ENFORCE:
        return f"mode is {rules.mode}"
    return None


def _listed(names: Iterable[Path]) -> str:
    *others, last = sorted(printable(name) for name in names)
    return f"{', '.join(others)} and {last} belong" if others else f"{last} belongs"


def _reached(key: str, limits: Mapping[Defect, float | None], scores: Scores) -> str:
    return " and ".join(
        f"{defect} {_figure(scores.of(defect), limit)} is at least {limit} (policy.defects.{defect}.{key})"
        for defect, limit in limits.items()
        if limit is not None
    )


def _figure(probability: float, limit: float = 0.01) -> str:
    """The probability with two decimals, or as many as the limit beside it has.

    It is cut, not rounded: 0.9951 beside 0.995 shown as 1.00, or 0.9699 shown as 0.97, would look like a mistake.
    """
    places = max(2, -int(Decimal(repr(limit)).as_tuple().exponent))
    cut = Decimal(repr(float(probability))).quantize(Decimal(1).scaleb(-places), ROUND_FLOOR)
    return f"{cut:f}"
