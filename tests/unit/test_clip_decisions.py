"""Decisions about clips: by shares of the time, with rules that keep, and never about the movie of a Live Photo."""

from __future__ import annotations

from dataclasses import replace

import pytest

from culld.app.decision_json import explanation_json
from culld.app.review.photos import would_change
from culld.errors import PhotoBlockedError
from culld.journal.stack_json import facts_in, parsed, to_json
from culld.records import (
    Action,
    Decision,
    Defect,
    Format,
    Mode,
    PlanState,
    Policy,
    RecordedDecision,
    Rule,
    Scores,
    Stack,
    Threshold,
    Unreadable,
    UserMetadata,
    Verdict,
)
from culld.rules import parse
from culld.stages.decide.by_person import decide_by_person
from culld.stages.decide.decide import decide
from culld.stages.decide.feedback import defect_of
from culld.tags.own_properties import DecisionProperties
from harness import factories
from harness.judged_clips import clip

CLIPS = replace(factories.rules(), clips=Threshold(0.5, 0.8))


def about(stack: Stack, policy: Policy = CLIPS) -> Decision:
    """The decision about a stack."""
    return decide(stack, policy, now=factories.NOON, restored=False)


@pytest.mark.parametrize(
    ("shares", "verdict", "reason"),
    [
        ({"blur": 0.49}, Verdict.KEEP, "no defect lasts for long enough to be tagged (share of the time: blur 0.49"),
        ({"blur": 0.5}, Verdict.TAG, "blur 0.50 of the time is at least 0.5 (policy.clips.tag)"),
        ({"under": 0.6}, Verdict.TAG, "under 0.60 of the time is at least 0.5 (policy.clips.tag)"),
        ({"over": 0.9}, Verdict.QUARANTINE, "over 0.90 of the time is at least 0.8 (policy.clips.reject)"),
    ],
)
def test_the_two_thresholds_hold_for_the_shares_of_all_defects(
    shares: dict[str, float], verdict: Verdict, reason: str
) -> None:
    """Those of photos do not: under-exposed photos are only tagged, from another number on."""
    decision = about(Stack(clip(**shares)))

    assert decision.verdict is verdict
    assert decision.reason.startswith(reason)


def test_a_clip_is_moved_only_in_the_mode_enforce_and_if_nothing_protects_it() -> None:
    """As a photo is."""
    bad = Stack(clip(blur=1.0))
    observed = about(bad, replace(CLIPS, mode=Mode.OBSERVE))
    rated = about(replace(bad, user_metadata=UserMetadata(ratings=("xmp:Label red",))))

    assert (observed.verdict, observed.reason) == (
        Verdict.TAG,
        "blur 1.00 of the time would be rejected, but mode is observe",
    )
    assert rated.verdict is Verdict.TAG
    assert about(bad, replace(CLIPS, clips=Threshold(0.5, None))).verdict is Verdict.TAG


def test_without_the_key_a_clip_is_kept() -> None:
    """Also where it was judged under another policy."""
    decision = about(Stack(clip(blur=1.0)), factories.rules())

    assert (decision.verdict, decision.would_reject) == (Verdict.KEEP, False)
    assert decision.reason == "clips are not judged: policy.clips is not set for this folder"


def test_the_movie_of_a_live_photo_is_kept_whatever_its_scores() -> None:
    """It stays with its photo."""
    movie = replace(clip(blur=1.0), clip=None, is_live_movie=True)

    decision = about(Stack(movie))

    assert (decision.verdict, decision.defects) == (Verdict.KEEP, ())
    assert decision.reason == "it is the movie of a Live Photo, and stays with its photo"


def test_a_clip_that_cannot_be_read_is_never_moved() -> None:
    """Half-written and broken ones."""
    decision = about(Stack(replace(clip(), result=Unreadable("not complete: the clip lacks its index"), clip=None)))

    assert (decision.verdict, decision.would_reject) == (Verdict.UNREADABLE, False)


@pytest.mark.parametrize(
    ("action", "verdict"),
    [(Action.KEEP, Verdict.KEEP), (Action.TAG, Verdict.QUARANTINE), (Action.QUARANTINE, Verdict.QUARANTINE)],
)
def test_only_rules_that_keep_hold_for_clips(action: Action, verdict: Verdict) -> None:
    """Other rules are written for the probabilities of photos."""
    rule = Rule("all", parse("blur >= 0"), action)

    assert about(Stack(clip(blur=0.9)), replace(CLIPS, named_rules=(rule,))).verdict is verdict
    assert about(Stack(clip(blur=0.1)), replace(CLIPS, named_rules=(rule,))).verdict is Verdict.KEEP


def test_a_clip_of_an_avchd_folder_is_tagged_and_never_moved() -> None:
    """Not by a person either: the index of the folder names its file."""
    stack = Stack(clip("AVCHD/BDMV/STREAM/00001.MTS", blur=0.9))

    decision, by_person = about(stack), decide_by_person(stack, CLIPS, factories.NOON)

    assert decision.verdict is Verdict.TAG
    assert decision.reason == (
        "blur 0.90 of the time would be rejected, but it is a part of an AVCHD folder (BDMV), whose index names it"
    )
    assert isinstance(by_person, PhotoBlockedError)


def test_a_person_may_reject_a_clip_which_is_tagged_by_its_own_thresholds() -> None:
    """A share of 0.55 is above that of clips."""
    decision = decide_by_person(Stack(clip(over=0.55)), CLIPS, factories.NOON)

    assert isinstance(decision, Decision)
    assert (decision.verdict, decision.defects) == (Verdict.QUARANTINE, (Defect.OVER,))


def test_the_sidecar_holds_the_thresholds_of_clips() -> None:
    """Beside the shares."""
    decision = about(Stack(clip(blur=0.6)))
    primary = decision.stack.primary
    assert isinstance(primary.result, Scores)
    made = DecisionProperties(primary.result, decision.policy, decision.verdict, "m@1", factories.NOON, "1")

    found = made.properties()

    assert (found["Blur"], found["BlurTag"], found["BlurReject"], found["OverTag"]) == ("0.6000", "0.5", "0.8", "0.5")
    assert "FocusTag" not in found


def recorded(stack: Stack) -> RecordedDecision:
    """The decision about a stack as the journal holds it."""
    decision = about(stack)
    plan = replace(factories.plan(decision.stack, decision.verdict), rule=decision.rule)
    return replace(RecordedDecision.of(plan), state=PlanState.DONE)


def test_a_moved_clip_counts_for_clips_and_for_no_defect_of_photos() -> None:
    """So that feedback on clips suggests no threshold of photos."""
    assert defect_of(recorded(Stack(clip(blur=0.9)))) == "clips"


def test_what_would_change_the_verdict_names_the_keys_of_clips() -> None:
    """And nothing where clips are not judged."""
    case = recorded(Stack(clip(blur=0.9)))

    assert would_change(case, CLIPS)[0] == (
        "With a threshold above 0.900 it would not be rejected for blur (policy.clips.reject is 0.8)."
    )
    assert would_change(case, factories.rules()) == []


def test_the_explanation_has_the_judgement_and_no_number_that_json_lacks() -> None:
    """A clip that is not judged has no thresholds."""
    case = recorded(Stack(clip(blur=0.9)))

    found, off = explanation_json(case, CLIPS), explanation_json(case, factories.rules())

    assert found["clip"]["good"] == [5.0, 10.0]
    assert found["clip"]["sentence"] == "blurred 50 % of 10.0 s"
    assert found["thresholds"]["under"] == {"tag": 0.5, "reject": 0.8}
    assert off["thresholds"]["blur"] == {"tag": None, "reject": None}


def test_the_policy_of_photos_is_left_as_it_is() -> None:
    """The thresholds of clips replace those of photos for clips only."""
    assert CLIPS.about(Format.JPEG) is CLIPS
    assert CLIPS.about(Format.VIDEO).about(Format.VIDEO) == CLIPS.about(Format.VIDEO)


def test_the_facts_of_a_clip_are_read_back_from_the_journal() -> None:
    """Its format, by which it is known as a clip."""
    text = to_json(Stack(clip(blur=0.9)))

    assert text.startswith('{"format":"video"')  # which the index of the page and the copies look for
    assert facts_in(parsed(text))[0] is Format.VIDEO
