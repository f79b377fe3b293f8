"""What people's answers say about the policy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

import factories
from culld.cli.bar_chart import draw
from culld.records import Defect, Reject, Scores, Stamp
from culld.stages.decide.feedback import Answer, Answered, Comeback, answer, comeback, defect_of, suggest, tallies

BLUR = "policy.defects.blur.reject"


def reject(
    blur: float = 0.99, *, rule: str = BLUR, camera: str = "X", restored: bool = False, released: str = ""
) -> Reject:
    """A photo that was moved."""
    place = factories.place()
    return Reject("p", factories.NOON, place, place, frozenset(), Scores(blur, 0, 0), camera, rule, restored, released)


def answered(*blurs: float, false: tuple[float, ...] = ()) -> list[Answered]:
    """Rejects that were deleted, and `false` ones that were brought back."""
    right = [Answered(reject(blur), Answer.CONFIRMED) for blur in blurs]
    return right + [Answered(reject(blur), Answer.FALSE) for blur in false]


@pytest.mark.parametrize(
    ("found", "gone", "expected"),
    [
        (reject(restored=True), False, Answer.FALSE),
        (reject(), True, Answer.CONFIRMED),
        (reject(), False, Answer.WAITING),
        (reject(released="trash"), True, Answer.NONE),
        (reject(released="policy"), True, Answer.NONE),
        (reject(released="deleted"), True, Answer.CONFIRMED),
        (reject(released="unclear"), True, Answer.UNCLEAR),
        (reject(released="undecided", restored=True), True, Answer.NONE),
        (reject(released="deleted", restored=True), True, Answer.FALSE),
    ],
)
def test_what_a_person_did_is_an_answer(found: Reject, gone: bool, expected: Answer) -> None:  # noqa: FBT001
    """What culld did by itself is none."""
    assert answer(found, gone=gone) is expected


LAY = Stamp(device=1, inode=7, size=100, mtime_ns=5, ctime_ns=50)
"""The file in quarantine."""
RENAMED = replace(LAY, ctime_ns=90)
COPY = Stamp(device=1, inode=8, size=100, mtime_ns=80, ctime_ns=80)
ELSEWHERE = replace(LAY, device=2, inode=3, ctime_ns=90)
REUSED = replace(LAY, mtime_ns=80, ctime_ns=80)


@pytest.mark.parametrize(
    ("digests", "released", "came", "stamp", "expected"),
    [
        # culld wrote keywords into the photo: the bytes tell.
        ("judged tagged", "", "tagged", RENAMED, Comeback.BROUGHT_BACK),
        ("judged tagged", "", "tagged", ELSEWHERE, Comeback.BROUGHT_BACK),
        ("judged tagged", "deleted", "tagged", ELSEWHERE, Comeback.BROUGHT_BACK),
        ("judged tagged", "", "judged", COPY, Comeback.COPIED_AGAIN),
        ("judged tagged", "deleted", "judged", COPY, Comeback.COPIED_AGAIN),
        # It could not: the file's identity tells, as long as its inode cannot have been given to another file.
        ("tagged", "", "tagged", RENAMED, Comeback.BROUGHT_BACK),
        ("tagged", "deleted", "tagged", RENAMED, Comeback.UNCLEAR),
        ("tagged", "", "tagged", COPY, Comeback.UNCLEAR),
        ("tagged", "", "tagged", REUSED, Comeback.UNCLEAR),
        ("tagged", "", "tagged", ELSEWHERE, Comeback.UNCLEAR),
        ("tagged", "deleted", "tagged", COPY, Comeback.UNCLEAR),
    ],
)
def test_how_a_content_came_back_is_told_by_bytes_or_by_the_file(
    digests: str, released: str, came: str, stamp: Stamp, expected: Comeback
) -> None:
    """In doubt it is unclear: the photo is not taken again, and no answer is counted."""
    found = replace(reject(released=released), digests=frozenset(digests.split()), moved="tagged", stamp=LAY)
    photo = replace(factories.photo(), digest=came, stamp=stamp)

    assert comeback(found, photo) is expected


def test_without_the_stamp_of_the_reject_only_the_bytes_tell() -> None:
    """As after the journal was rebuilt."""
    found = replace(reject(), digests=frozenset({"tagged"}), moved="tagged", stamp=None)

    assert comeback(found, replace(factories.photo(), digest="tagged", stamp=RENAMED)) is Comeback.UNCLEAR


def test_answers_are_counted_by_defect_camera_or_rule() -> None:
    """The rate of false rejects is among those with an answer."""
    every = [
        Answered(reject(), Answer.FALSE),
        Answered(reject(camera="Y"), Answer.CONFIRMED),
        Answered(reject(camera="Y"), Answer.WAITING),
        Answered(reject(rule="policy.rules.mine"), Answer.WAITING),
    ]
    by_defect = tallies(every, defect_of)

    assert [(tally.name, tally.counts.total(), tally.false_rate) for tally in by_defect] == [
        ("blur", 3, 0.5),
        ("a rule", 1, None),
    ]
    assert [tally.name for tally in tallies(every, lambda each: each.camera or "")] == ["X", "Y"]


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


def test_the_chart_is_a_picture_that_shows_each_part(tmp_path: Path) -> None:
    """What was wrong stands out; long names are cut."""
    file = tmp_path / "chart.png"
    draw(file, "title", list(Answer), [("x" * 200, [3, 5, 0, 1, 1]), ("empty", [0, 0, 0, 0, 0])])

    with Image.open(file) as image:
        colours = {colour for _, colour in image.getcolors(1 << 16)}
        assert image.format == "PNG"
    assert {(0xD5, 0x5E, 0x00), (0x00, 0x72, 0xB2)} <= colours
