"""The policy: from scores and thresholds to a verdict with its reason."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from culld.records import (
    Decision,
    Format,
    Mode,
    Plan,
    Policy,
    Protection,
    Scores,
    Stack,
    StackVerdict,
    Threshold,
    Unreadable,
    Verdict,
)
from culld.stages.decide.decide import decide
from culld.stages.plan import bare_plan
from harness import factories

BROKEN = [float("nan"), float("inf"), float("-inf"), -0.1, 1.1]

probabilities = st.floats(0, 1)


def plan_for(
    scores: Scores, *, rules: Policy | None = None, restored: bool = False, blocking: tuple[str, ...] = ()
) -> Plan:
    """The plan for a photo with these scores, under the default thresholds in enforce mode unless given."""
    primary = replace(factories.assessment(), result=scores)
    stack = Stack(primary, blocking_files=tuple(factories.place(name) for name in blocking))
    return bare_plan(decide(stack, rules or factories.rules(), now=factories.NOON, restored=restored), "defect:")


def test_a_sound_photo_is_kept_without_keywords() -> None:
    """Nothing reaches a threshold, so nothing is done, and the reason shows the figures."""
    plan = plan_for(Scores(0.1, 0.29, 0.599))

    assert (plan.verdict, plan.keywords) == (Verdict.KEEP, ())
    assert plan.reason == "no defect reaches its tag threshold (blur 0.10, under 0.29, over 0.59)"


def test_a_defect_at_its_tag_threshold_is_tagged() -> None:
    """The threshold itself counts."""
    plan = plan_for(Scores(0.5, 0, 0))

    assert (plan.verdict, plan.keywords) == (Verdict.TAG, ("defect:blur",))
    assert plan.reason == "blur 0.50 is at least 0.5 (policy.defects.blur.tag)"


def test_a_defect_at_its_reject_threshold_is_quarantined_and_tagged() -> None:
    """The keywords name every defect found, not only the one that decided."""
    plan = plan_for(Scores(0.97, 0.7, 0))

    assert (plan.verdict, plan.keywords) == (Verdict.QUARANTINE, ("defect:blur", "defect:underexposed"))
    assert plan.reason == "blur 0.97 is at least 0.97 (policy.defects.blur.reject)"


def test_every_reject_is_named_in_the_reason() -> None:
    """Two defects that would each move the photo are both named."""
    rules = replace(factories.rules(), over=Threshold(0.6, 0.97))

    assert plan_for(Scores(0.99, 0, 0.98), rules=rules).reason == (
        "blur 0.99 is at least 0.97 (policy.defects.blur.reject) and "
        "over 0.98 is at least 0.97 (policy.defects.over.reject)"
    )


def test_never_means_never() -> None:
    """A defect without a reject threshold, by default both exposure defects, only tags, however high its score is."""
    plan = plan_for(Scores(0, 1, 1))

    assert (plan.verdict, plan.keywords) == (Verdict.TAG, ("defect:underexposed", "defect:overexposed"))


@pytest.mark.parametrize(
    ("mode", "restored", "blocking", "expected"),
    [
        (Mode.OBSERVE, False, (), "blur 0.99 would be rejected, but mode is observe"),
        (Mode.ENFORCE, True, (), "blur 0.99 would be rejected, but the user restored this photo"),
        (Mode.ENFORCE, False, ("IMG_1.CR2",), "blur 0.99 would be rejected, but IMG_1.CR2 belongs to it"),
        (Mode.ENFORCE, False, ("b.mov", "a.cr2"), "blur 0.99 would be rejected, but a.cr2 and b.mov belong to it"),
        (Mode.ENFORCE, False, ("\udcff\n.cr2",), "blur 0.99 would be rejected, but \\xff\\n.cr2 belongs to it"),
    ],
)
def test_a_protected_reject_is_tagged_and_has_a_reason(
    mode: Mode,
    restored: bool,  # noqa: FBT001 - pytest passes it by name
    blocking: tuple[str, ...],
    expected: str,
) -> None:
    """The mode, an earlier restore, or a blocking file keeps the photo where it is."""
    plan = plan_for(
        Scores(0.99, 0, 0), rules=replace(factories.rules(), mode=mode), restored=restored, blocking=blocking
    )

    assert (plan.verdict, plan.keywords, plan.reason) == (Verdict.TAG, ("defect:blur",), expected)


def test_an_unreadable_photo_is_left_alone() -> None:
    """No keywords, and the reason of the reader is passed on."""
    stack = Stack(factories.unreadable(reason="truncated after 12 bytes"))

    plan = bare_plan(decide(stack, factories.rules(), now=factories.NOON, restored=False), "defect:")

    assert (plan.verdict, plan.keywords) == (Verdict.UNREADABLE, ())
    assert plan.reason == "could not be read: truncated after 12 bytes"


@pytest.mark.parametrize(("position", "broken"), list(product(range(3), BROKEN)))
def test_one_broken_score_makes_the_whole_answer_worthless(position: int, broken: float) -> None:
    """A network that gives NaN, or more than certainty, for one defect moves nothing for another."""
    figures = [1.0, 1.0, 1.0]
    figures[position] = broken

    plan = plan_for(Scores(*figures))

    assert (plan.verdict, plan.keywords) == (Verdict.KEEP, ())
    assert plan.reason == f"the network gave no probability for {('blur', 'under', 'over')[position]}"


def test_the_plan_carries_all_that_why_needs() -> None:
    """An id of its own, its time, the policy's digest, and the photo it is about."""
    plan, other = plan_for(Scores(0, 0, 0)), plan_for(Scores(0, 0, 0))

    assert (plan.made_at, plan.policy) == (factories.NOON, "policy-1")
    assert plan.id != other.id
    assert plan.photo == factories.photo()
    assert (plan.rewrites, plan.moves) == ((), ())


def test_the_prefix_stands_before_every_keyword() -> None:
    """The user may choose another prefix, or none."""
    stack = Stack(factories.assessment(blur=1, under=1, over=1))

    decision = decide(stack, factories.rules(), now=factories.NOON, restored=True)

    assert bare_plan(decision, "").keywords == ("blur", "underexposed", "overexposed")


@pytest.mark.parametrize(
    ("probability", "reject", "expected"),
    [
        (0.9951, 0.995, "blur 0.995 is at least 0.995"),
        (0.999999, 0.97, "blur 0.99 is at least 0.97"),
        (1.0, 1.0, "blur 1.00 is at least 1.0"),
        (0.29, 0.29, "blur 0.29 is at least 0.29"),
        (1e-7, 1e-8, "blur 0.00000010 is at least 1e-08"),
    ],
)
def test_figures_are_cut_and_never_contradict_the_threshold(probability: float, reject: float, expected: str) -> None:
    """A figure is shown with as many decimals as the threshold beside it, and never rounded up."""
    rules = replace(factories.rules(), blur=Threshold(0, reject))

    assert plan_for(Scores(probability, 0, 0), rules=rules).reason.startswith(expected)


@given(probabilities, probabilities, probabilities, st.sampled_from(Mode), st.tuples(st.booleans(), st.booleans()))
def test_only_a_reached_reject_in_enforce_mode_moves_a_photo(
    blur: float, under: float, over: float, mode: Mode, spared: tuple[bool, bool]
) -> None:
    """Whatever the scores are, a move needs the mode, a reached threshold, and a photo without protection."""
    restored, blocking = spared
    rules = replace(factories.rules(), mode=mode, over=Threshold(0.6, 0.97))

    plan = plan_for(Scores(blur, under, over), rules=rules, restored=restored, blocking=("a.cr2",) if blocking else ())

    reached = blur >= 0.97 or over >= 0.97
    may_move = mode is Mode.ENFORCE and not restored and not blocking
    assert (plan.verdict is Verdict.QUARANTINE) == (reached and may_move)
    assert (plan.verdict is Verdict.KEEP) == (plan.keywords == ())


@given(probabilities, probabilities, probabilities, probabilities)
def test_a_worse_score_never_gets_a_milder_verdict(blur: float, worse: float, under: float, over: float) -> None:
    """The verdict grows with the score."""
    order = [Verdict.KEEP, Verdict.TAG, Verdict.QUARANTINE]
    low, high = sorted((blur, worse))

    milder = plan_for(Scores(low, under, over)).verdict
    harder = plan_for(Scores(high, under, over)).verdict

    assert order.index(milder) <= order.index(harder)


BAD, GOOD = Scores(0.99, 0, 0), Scores(0.02, 0, 0)
UNREADABLE = Unreadable("damaged")


def test_a_photo_with_edits_is_protected_unless_the_policy_allows_its_move() -> None:
    """Edits protect the photo unless `policy.protect.edited` is off."""
    stack = Stack(factories.assessment(blur=0.99), editor_sidecars=(factories.place("a.pp3"),))
    bold = replace(factories.rules(), protect=Protection(edited=False))

    spared, taken = (decide(stack, rules, now=factories.NOON, restored=False) for rules in (factories.rules(), bold))

    assert spared.verdict is Verdict.TAG
    assert "it was edited in another program (a.pp3; policy.protect.edited)" in spared.reason
    assert taken.verdict is Verdict.QUARANTINE


def pair(raw: Scores | Unreadable, picture: Scores | Unreadable, stacks: StackVerdict) -> tuple[Decision, Decision]:
    """The decisions about a RAW and its JPEG."""
    members = [
        replace(factories.assessment(name), result=result) for name, result in (("a.cr2", raw), ("a.jpg", picture))
    ]
    members[0] = replace(members[0], photo=replace(members[0].photo, format=Format.RAW))
    rules = replace(factories.rules(), stack_verdict=stacks)
    both = [Stack(members[0], siblings=(members[1],)), Stack(members[1], siblings=(members[0],))]
    first, second = (decide(stack, rules, now=factories.NOON, restored=False) for stack in both)
    return first, second


@pytest.mark.parametrize(
    ("raw", "picture", "stacks", "goes"),
    [
        (BAD, BAD, StackVerdict.BEST, True),
        (BAD, GOOD, StackVerdict.BEST, False),
        (GOOD, BAD, StackVerdict.BEST, False),
        (GOOD, BAD, StackVerdict.WORST, True),
        (BAD, GOOD, StackVerdict.WORST, True),
        (GOOD, GOOD, StackVerdict.WORST, False),
        (BAD, GOOD, StackVerdict.RAW, True),
        (GOOD, BAD, StackVerdict.RAW, False),
        (BAD, UNREADABLE, StackVerdict.BEST, False),
        (BAD, UNREADABLE, StackVerdict.WORST, False),
        (UNREADABLE, BAD, StackVerdict.RAW, False),
    ],
)
def test_a_raw_and_its_jpeg_are_moved_together_or_stay(
    raw: Scores | Unreadable, picture: Scores | Unreadable, stacks: StackVerdict, *, goes: bool
) -> None:
    """By the best of the two, the worst, or the RAW; an unreadable one keeps the other."""
    plans = pair(raw, picture, stacks)

    assert {plan.verdict is Verdict.QUARANTINE for plan in plans} == {goes}


def test_the_reason_names_the_photo_that_decided() -> None:
    """So that the user can check that photo."""
    raw, picture = pair(BAD, GOOD, StackVerdict.RAW)
    assert raw.reason == "blur 0.99 is at least 0.97 (policy.defects.blur.reject)"
    assert picture.reason == "a.cr2, the same shot: blur 0.99 is at least 0.97 (policy.defects.blur.reject)"

    raw, picture = pair(GOOD, BAD, StackVerdict.BEST)
    assert (raw.verdict, picture.verdict) == (Verdict.KEEP, Verdict.TAG)
    assert (
        picture.reason
        == "blur 0.99 would be rejected, but a.cr2, the same shot, is better (policy.stack_verdict: best)"
    )

    raw, _ = pair(BAD, UNREADABLE, StackVerdict.BEST)
    assert raw.reason == "blur 0.99 would be rejected, but a.jpg, the same shot, could not be read"
