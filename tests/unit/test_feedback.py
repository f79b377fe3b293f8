"""The user's answers about rejects, and the thresholds that they suggest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from culld.cli.bar_chart import draw
from culld.records import Camera, Defect, FileStat, RecordedDecision, Stack, Verdict
from culld.stages.decide.feedback import (
    Feedback,
    QuarantinedFeedback,
    Reappearance,
    defect_of,
    feedback_counts,
    feedback_for,
    reappearance,
    suggest,
)
from harness import factories

BLUR = "policy.defects.blur.reject"


def reject(
    blur: float = 0.99, *, rule: str = BLUR, camera: str = "X", restored: bool = False, released: str = ""
) -> RecordedDecision:
    """A photo that was moved."""
    primary = factories.assessment(blur=blur)
    primary = replace(primary, photo=replace(primary.photo, camera=Camera(camera)))
    moved = RecordedDecision.of(replace(factories.plan(Stack(primary), Verdict.QUARANTINE), rule=rule))
    return replace(moved, restored_at=factories.NOON if restored else None, released=released)


def with_digests(found: RecordedDecision, judged: str, moved: str, stamp: FileStat | None) -> RecordedDecision:
    """The decision about a photo with these digests, as it was judged and moved, and this stamp in quarantine."""
    primary = found.stack.primary
    stack = replace(found.stack, primary=replace(primary, photo=replace(primary.photo, digest=judged)))
    return replace(found, stack=stack, now_digest=moved, stamp=stamp)


def answered(*blurs: float, false: tuple[float, ...] = ()) -> list[QuarantinedFeedback]:
    """Rejects that were deleted, and `false` ones that were brought back."""
    right = [QuarantinedFeedback(reject(blur), Feedback.CONFIRMED) for blur in blurs]
    return right + [QuarantinedFeedback(reject(blur), Feedback.FALSE_REJECT) for blur in false]


@pytest.mark.parametrize(
    ("found", "gone", "expected"),
    [
        (reject(restored=True), False, Feedback.FALSE_REJECT),
        (reject(), True, Feedback.CONFIRMED),
        (reject(), False, Feedback.PENDING),
        (reject(released="trash"), True, Feedback.NONE),
        (reject(released="policy"), True, Feedback.NONE),
        (reject(released="deleted"), True, Feedback.CONFIRMED),
        (reject(released="unclear"), True, Feedback.UNCLEAR),
        (reject(released="undecided", restored=True), True, Feedback.NONE),
        (reject(released="deleted", restored=True), True, Feedback.FALSE_REJECT),
    ],
)
def test_an_action_of_the_user_is_an_answer(found: RecordedDecision, gone: bool, expected: Feedback) -> None:  # noqa: FBT001
    """An action of culld is none."""
    assert feedback_for(found, gone=gone) is expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (reject(), Feedback.CONFIRMED),
        (reject(restored=True), Feedback.FALSE_REJECT),
        (reject(released="trash"), Feedback.CONFIRMED),
        (reject(released="policy"), Feedback.CONFIRMED),
        (reject(released="deleted"), Feedback.CONFIRMED),
        (reject(released="unclear"), Feedback.UNCLEAR),
    ],
)
def test_a_confirmed_decision_is_a_right_one(found: RecordedDecision, expected: Feedback) -> None:
    """Unless its photo was restored afterwards, or came back for an unknown reason."""
    assert feedback_for(found, gone=False, confirmed=True) is expected


LAY = FileStat(device=1, inode=7, size=100, mtime_ns=5, ctime_ns=50)
"""The file in quarantine."""
RENAMED = replace(LAY, ctime_ns=90)
COPY = FileStat(device=1, inode=8, size=100, mtime_ns=80, ctime_ns=80)
ELSEWHERE = replace(LAY, device=2, inode=3, ctime_ns=90)
REUSED = replace(LAY, mtime_ns=80, ctime_ns=80)


@pytest.mark.parametrize(
    ("digests", "released", "came", "stamp", "expected"),
    [
        # culld wrote keywords into the photo: the bytes decide.
        ("judged tagged", "", "tagged", RENAMED, Reappearance.BROUGHT_BACK),
        ("judged tagged", "", "tagged", ELSEWHERE, Reappearance.BROUGHT_BACK),
        ("judged tagged", "deleted", "tagged", ELSEWHERE, Reappearance.BROUGHT_BACK),
        ("judged tagged", "", "judged", COPY, Reappearance.COPIED_AGAIN),
        ("judged tagged", "deleted", "judged", COPY, Reappearance.COPIED_AGAIN),
        # It could not: the file's identity decides, as long as its inode cannot have been given to another file.
        ("tagged", "", "tagged", RENAMED, Reappearance.BROUGHT_BACK),
        ("tagged", "deleted", "tagged", RENAMED, Reappearance.UNCLEAR),
        ("tagged", "", "tagged", COPY, Reappearance.UNCLEAR),
        ("tagged", "", "tagged", REUSED, Reappearance.UNCLEAR),
        ("tagged", "", "tagged", ELSEWHERE, Reappearance.UNCLEAR),
        ("tagged", "deleted", "tagged", COPY, Reappearance.UNCLEAR),
    ],
)
def test_a_return_is_recognised_by_bytes_or_by_the_file(
    digests: str, released: str, came: str, stamp: FileStat, expected: Reappearance
) -> None:
    """In doubt it is unclear: the photo is not taken again, and no answer is counted."""
    found = with_digests(reject(released=released), digests.split(maxsplit=1)[0], "tagged", LAY)
    photo = replace(factories.photo(), digest=came, stamp=stamp)

    assert reappearance(found, photo) is expected


def test_without_the_stamp_of_the_reject_only_the_bytes_decide() -> None:
    """As after the journal was rebuilt."""
    found = with_digests(reject(), "tagged", "tagged", None)

    assert reappearance(found, replace(factories.photo(), digest="tagged", stamp=RENAMED)) is Reappearance.UNCLEAR


def test_answers_are_counted_by_defect_camera_or_rule() -> None:
    """The rate of false rejects is among those with an answer."""
    every = [
        QuarantinedFeedback(reject(), Feedback.FALSE_REJECT),
        QuarantinedFeedback(reject(camera="Y"), Feedback.CONFIRMED),
        QuarantinedFeedback(reject(camera="Y"), Feedback.PENDING),
        QuarantinedFeedback(reject(rule="policy.rules.mine"), Feedback.PENDING),
    ]
    by_defect = feedback_counts(every, defect_of)

    assert [(tally.name, tally.counts.total(), tally.false_rate) for tally in by_defect] == [
        ("blur", 3, 0.5),
        ("a rule", 1, None),
    ]
    assert [tally.name for tally in feedback_counts(every, lambda each: each.photo.camera.model or "")] == ["X", "Y"]


def test_the_lowest_threshold_that_is_right_often_enough_is_suggested() -> None:
    """With what would be moved by it, of what has an answer."""
    every = answered(*[0.9991] * 15, 0.9805, 0.975, false=(0.98, 0.971, 0.97))

    found = suggest(every, Defect.BLUR, precision=0.94, least=20)
    assert (found.threshold, found.known, found.false) == (0.975, 20, 3)
    assert (found.still_right, found.still_false) == (17, 1)
    assert suggest(every, Defect.BLUR, precision=1, least=20).threshold == 0.999


def test_nothing_is_suggested_without_enough_answers_or_a_good_threshold() -> None:
    """Nor from rejects that another defect or a rule decided."""
    assert suggest(answered(*[0.99] * 19), Defect.BLUR, precision=0.5, least=20).threshold is None
    assert suggest(answered(*[0.99] * 30), Defect.OVER, precision=0.5, least=20).known == 0
    assert suggest(answered(false=(0.99,) * 30), Defect.BLUR, precision=0.9, least=20).threshold is None


def test_the_chart_shows_each_part(tmp_path: Path) -> None:
    """False rejects have another colour; long names are cut."""
    file = tmp_path / "chart.png"
    draw(file, "title", list(Feedback), [("x" * 200, [3, 5, 0, 1, 1]), ("empty", [0, 0, 0, 0, 0])])

    with Image.open(file) as image:
        colours = {colour for _, colour in image.getcolors(1 << 16)}
        assert image.format == "PNG"
    assert {(0xD5, 0x5E, 0x00), (0x00, 0x72, 0xB2)} <= colours
