"""Missed focus and the subject of a photo: from the scores to the verdict, the keyword, the rules and the journal."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as some

from culld.journal.stack_json import facts_in, focus_in, parsed, to_json
from culld.journal.subject_json import subject_in, subject_out
from culld.records import Defect, Face, Scores, Stack, Subject, Threshold, Verdict
from culld.stages.decide.decide import decide
from culld.stages.decide.rule_variables import variables_of
from culld.stages.plan import bare_plan
from culld.tags.own_properties import DecisionProperties
from harness.factories import NOON, assessment, rules

FACE = Face((0.1, 0.2, 0.3, 0.4), ((0.2, 0.3), (0.3, 0.3)), 0.9, blur=0.85, light=0.2)
SUBJECT = Subject((FACE,), sharpness=0.7, sharp_share=0.25, sharpest=(0.5, 0.75))
OUT_OF_FOCUS = replace(assessment(), result=Scores(0.1, 0.1, 0.1, 0.8), subject=SUBJECT)
NO_FACE = replace(assessment(), subject=Subject())


def test_a_face_out_of_focus_is_tagged_and_stays() -> None:
    """The default policy never moves a photo for missed focus."""
    decision = decide(Stack(OUT_OF_FOCUS), rules(), now=NOON, restored=False)

    assert (decision.verdict, decision.defects) == (Verdict.TAG, (Defect.FOCUS,))
    assert decision.rule == "policy.defects.focus.tag"
    assert bare_plan(decision, "defect:").keywords == ("defect:missed-focus",)


def test_a_policy_can_reject_missed_focus() -> None:
    """From the probability that the user gives."""
    strict = replace(rules(), focus=Threshold(0.5, 0.8))

    assert decide(Stack(OUT_OF_FOCUS), strict, now=NOON, restored=False).verdict is Verdict.QUARANTINE


def test_a_photo_without_a_measured_face_has_no_probability_of_missed_focus() -> None:
    """It reaches no threshold, not even one of zero, and its line does not name the defect."""
    zero = replace(rules(), focus=Threshold(0.0, 0.0))
    decision = decide(Stack(NO_FACE), zero, now=NOON, restored=False)

    assert decision.verdict is Verdict.KEEP
    assert "focus" not in f"{decision.reason} {NO_FACE.result}"


def test_rules_can_use_the_main_face_and_the_sharpness() -> None:
    """Each is unknown where it was not measured."""
    facts = variables_of(Stack(OUT_OF_FOCUS), NOON)
    unknown = variables_of(Stack(assessment()), NOON)

    names = ("faces", "face_blur", "face_light", "sharpness", "sharp_share", "missed_focus")
    assert [facts[name] for name in names] == [1, 0.85, 0.2, 0.7, 0.25, 0.8]
    assert [unknown[name] for name in names] == [None] * len(names)
    assert variables_of(Stack(NO_FACE), NOON)["faces"] == 0


@pytest.mark.parametrize("given_", [OUT_OF_FOCUS, NO_FACE, assessment()])
def test_the_journal_keeps_the_subject(given_: object) -> None:
    """Also that a photo was searched and has no face."""
    known = parsed(to_json(Stack(given_)))  # type: ignore[arg-type]

    assert facts_in(known)[3] == given_.subject  # type: ignore[attr-defined]
    assert focus_in(known) == given_.result.focus  # type: ignore[attr-defined]


def test_a_sidecar_holds_missed_focus_only_where_it_was_measured() -> None:
    """So the sidecar of a photo without a face is the same as before."""
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    with_face, without = (
        DecisionProperties(scores, rules(), Verdict.TAG, "model@1", moment, "1", subject).properties()
        for scores, subject in ((Scores(0.1, 0.1, 0.1, 0.8), SUBJECT), (Scores(0.1, 0.1, 0.1), Subject()))
    )

    assert with_face["Focus"] == "0.8000"
    assert (with_face["FocusTag"], with_face["FocusReject"]) == ("0.7", "never")
    assert (with_face["Faces"], with_face["Sharpness"]) == ("1", "0.7000")
    assert {"Focus", "FocusTag", "FocusReject", "Faces", "Sharpness"} == with_face.keys() - without.keys()


VALUES = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=3),
    lambda inner: (
        some.lists(inner, max_size=4)
        | some.dictionaries(some.sampled_from(["faces", "box", "eyes", "confidence", "blur", "sharpest"]), inner)
    ),
    max_leaves=20,
)


@given(VALUES)
def test_any_value_in_the_journal_gives_a_subject_or_none(value: object) -> None:
    """A damaged row must not stop a stage: what is not valid is not known."""
    found = subject_in(value)

    assert found is None or json.loads(json.dumps(subject_out(found), allow_nan=False))
