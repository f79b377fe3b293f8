"""Photos that are too small to judge are tagged at most."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from culld.imaging.image_file import DecodeLimits
from culld.journal.stack_json import full_size_in, parsed, to_json
from culld.records import (
    Action,
    Assessment,
    Decision,
    Format,
    Mode,
    Policy,
    Protection,
    Rating,
    RecordedDecision,
    Rule,
    Scores,
    Series,
    SeriesKind,
    Stack,
    StackVerdict,
    UserMetadata,
    Verdict,
)
from culld.rules import parse
from culld.stages.decide.decide import decide
from culld.stages.decide.replay import ReplayAction, replay
from culld.stages.read.assess import Scorer, assess
from harness import factories, fakes

SMALL, LARGE = (480, 320), (6000, 4000)
WHY = "it is too small to judge: its longer side has 480 pixels (policy.protect.smaller_than 640)"


def sized(size: tuple[int, int] | None, name: str = "a.jpg", *, blur: float = 0.99) -> Assessment:
    """A photo of this width and height; the name of a RAW makes it one."""
    found = replace(factories.assessment(name, blur=blur), full_size=size)
    return replace(found, photo=replace(found.photo, format=Format.RAW)) if name.endswith(".cr2") else found


def decided(stack: Stack | Assessment, policy: Policy | None = None) -> Decision:
    """The decision about a stack by the default policy, or by another one."""
    stack = stack if isinstance(stack, Stack) else Stack(stack)
    return decide(stack, policy or factories.rules(), now=factories.NOON, restored=False)


def rule(when: str, action: Action = Action.QUARANTINE) -> Policy:
    """The default policy with one rule."""
    return replace(factories.rules(), named_rules=(Rule("mine", parse(when), action),))


def test_a_small_reject_is_tagged_and_the_reason_names_its_size_and_the_key() -> None:
    """The deciding threshold is named as well, and the brake does not count the photo."""
    found = decided(sized(SMALL))

    assert (found.verdict, found.would_reject, len(found.defects)) == (Verdict.TAG, False, 1)
    assert found.reason == f"blur 0.99 would be rejected, but {WHY}"
    assert found.rule == "policy.defects.blur.reject"


def test_a_rule_does_not_move_a_small_photo_either() -> None:
    """As it moves no photo that is protected for another reason."""
    found = decided(sized(SMALL, blur=0.1), rule("longest < 500"))

    assert (found.verdict, found.reason) == (
        Verdict.KEEP,
        f'rule "mine" (longest < 500) would be rejected, but {WHY}',
    )


@pytest.mark.parametrize(
    ("size", "verdict"),
    [
        ((639, 480), Verdict.TAG),
        ((480, 639), Verdict.TAG),
        ((640, 480), Verdict.QUARANTINE),
        ((300, 640), Verdict.QUARANTINE),
        (None, Verdict.QUARANTINE),
    ],
)
def test_the_longer_side_decides_and_a_photo_of_unknown_size_is_not_small(
    size: tuple[int, int] | None, verdict: Verdict
) -> None:
    """Upright or not; an older culld recorded no size."""
    assert decided(sized(size)).verdict is verdict


@pytest.mark.parametrize(
    ("limit", "verdict"), [(481, Verdict.TAG), (480, Verdict.QUARANTINE), (None, Verdict.QUARANTINE)]
)
def test_the_policy_sets_the_limit_and_never_has_none(limit: int | None, verdict: Verdict) -> None:
    """`policy.protect.smaller_than`."""
    policy = replace(factories.rules(), protect=Protection(smaller_than=limit))

    assert decided(sized(SMALL), policy).verdict is verdict


@given(st.lists(st.floats(0, 1), min_size=3, max_size=3), st.integers(1, 639), st.sampled_from(StackVerdict))
def test_no_score_moves_a_small_photo(scores: list[float], side: int, stacks: StackVerdict) -> None:
    """Whatever the policy for stacks is."""
    photo = replace(sized((side, side)), result=Scores(*scores))

    assert decided(photo, replace(factories.rules(), stack_verdict=stacks)).verdict is not Verdict.QUARANTINE


def test_a_small_photo_that_no_threshold_rejects_has_the_reason_of_any_other() -> None:
    """Its size changes nothing there."""
    assert decided(sized(SMALL, blur=0.6)) == replace(
        decided(sized(LARGE, blur=0.6)), stack=Stack(sized(SMALL, blur=0.6))
    )


RAW, JPEG = "a.cr2", "a.jpg"


@pytest.mark.parametrize(
    ("raw", "jpeg", "stacks", "spared"),
    [
        (LARGE, LARGE, StackVerdict.BEST, False),
        (LARGE, SMALL, StackVerdict.BEST, True),
        (SMALL, LARGE, StackVerdict.BEST, True),
        (LARGE, SMALL, StackVerdict.WORST, False),
        (SMALL, SMALL, StackVerdict.WORST, True),
        (LARGE, SMALL, StackVerdict.RAW, False),
        (SMALL, LARGE, StackVerdict.RAW, True),
    ],
)
def test_a_shot_stays_if_its_reject_needs_a_small_photo(
    raw: tuple[int, int],
    jpeg: tuple[int, int],
    stacks: StackVerdict,
    spared: bool,  # noqa: FBT001 (a value of the table)
) -> None:
    """Both photos of the shot get the same verdict, and the reason names the one that is small."""
    members = sized(raw, RAW), sized(jpeg, JPEG)
    policy = replace(factories.rules(), stack_verdict=stacks)

    both = [decided(Stack(own, siblings=(other,)), policy) for own, other in (members, members[::-1])]

    assert [each.verdict for each in both] == [Verdict.TAG if spared else Verdict.QUARANTINE] * 2
    for own, found in zip(members, both, strict=True):
        if spared and own.full_size == LARGE:
            assert ", the same shot, is too small to judge: its longer side has 480 pixels" in found.reason
        elif spared:
            assert WHY in found.reason


def test_a_rating_is_the_reason_before_the_size_and_the_size_before_the_burst() -> None:
    """What the user did says more; the best of frames that cannot be judged is not known."""
    rated = Stack(sized(SMALL), user_metadata=UserMetadata(stars=(Rating("xmp:Rating 3", 3),)))
    burst = Stack(sized(SMALL), series=Series(SeriesKind.BURST, (sized(SMALL), sized(SMALL, "b.jpg"))))

    assert "it is rated (xmp:Rating 3" in decided(rated).reason
    assert WHY in decided(burst).reason


def test_in_mode_observe_the_size_is_the_reason_too() -> None:
    """The photo would stay in mode enforce as well."""
    assert WHY in decided(sized(SMALL), replace(factories.rules(), mode=Mode.OBSERVE)).reason


def test_a_rule_can_compare_the_longer_side() -> None:
    """A photo of unknown size meets no condition on it."""
    policy = rule("longest < 1000", Action.KEEP)

    kept = [decided(sized(size), policy).verdict is Verdict.KEEP for size in ((700, 900), LARGE, None)]

    assert kept == [True, False, False]


def test_the_journal_keeps_the_size_among_the_facts() -> None:
    """As width and height."""
    assert full_size_in(parsed(to_json(Stack(sized((300, 500)))))) == (300, 500)
    assert "full_size" not in json.loads(to_json(Stack(sized(None))))


@pytest.mark.parametrize(
    "text", ["{", "{}", '{"full_size":480}', '{"full_size":[480]}', '{"full_size":[480,"320"]}', '{"full_size":[0,-1]}']
)
def test_a_size_that_cannot_be_read_is_not_known(text: str) -> None:
    """An older culld kept none; the row may be damaged."""
    assert full_size_in(parsed(text)) is None


@pytest.mark.parametrize(("size", "action"), [(SMALL, ReplayAction.STAY), (None, ReplayAction.MOVE)])
def test_another_policy_protects_past_photos_whose_size_was_recorded(
    size: tuple[int, int] | None, action: ReplayAction
) -> None:
    """`culld policy simulate`; a decision of an older culld has no size, so its photo is not protected by it."""
    past = RecordedDecision.of(factories.plan(Stack(sized(size))))

    (found,) = replay([past], lambda _: factories.rules(), factories.NOON)

    assert found.action is action
    assert (WHY in found.decision.reason) == (size is not None)


@pytest.mark.parametrize("size", [(2000, 1500), (300, 500)])
def test_the_size_is_that_of_the_file_not_of_the_reduced_decode(size: tuple[int, int]) -> None:
    """A large JPEG is decoded at a reduced scale."""
    data = factories.encoded(factories.picture(3, size))

    found = assess(data, "a.jpg", Scorer(fakes.ConstantNetwork()), DecodeLimits())

    assert found.score.full_size == size


def test_the_size_of_a_turned_photo_is_that_before_it_is_turned() -> None:
    """The longer side is the same."""
    picture = factories.picture(3, (800, 600))
    exif = picture.getexif()
    exif[0x0112] = 6
    stream = io.BytesIO()
    picture.save(stream, "JPEG", exif=exif)

    found = assess(stream.getvalue(), "a.jpg", Scorer(fakes.ConstantNetwork()), DecodeLimits())

    assert found.score.full_size == (800, 600)
    assert assess(b"no photo", "a.jpg", Scorer(fakes.ConstantNetwork()), DecodeLimits()).score.full_size is None
