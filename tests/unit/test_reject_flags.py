"""Signs of rejection in sidecars: set where nothing stands, taken back where they are ours."""

from __future__ import annotations

import pytest

from culld.errors import TagRefusedError
from culld.files.rewrite import inverse
from culld.records import RejectFlag, Scores, Verdict
from culld.tags.decision_properties import DecisionProperties
from culld.tags.edits import apply_edits
from culld.tags.reject_flags import FLAG_PROPERTIES, flag_value, own_flags
from culld.tags.sidecar import sidecar_edits
from culld.tags.verify import verify_sidecar
from culld.tags.xmp import read_xmp
from harness import images
from harness.factories import NOON, rules

BLUR = ("defect:blur",)
ALL = tuple(RejectFlag)
RECORD = DecisionProperties(Scores(0.98, 0.0, 0.25), rules(), Verdict.QUARANTINE, "model@1", NOON, "0.1.0")


def marked(old: bytes | None, marks: tuple[RejectFlag, ...] = ALL, keywords: tuple[str, ...] = BLUR) -> bytes:
    """The sidecar after the edits, proven, with the way back tried, and with nothing left to do."""
    edits = sidecar_edits(old, keywords, RECORD, marks)
    new = apply_edits(old or b"", edits)
    verify_sidecar(old, new, keywords, RECORD, marks)
    assert apply_edits(new, inverse(edits)) == (old or b"")
    assert sidecar_edits(new, keywords, RECORD, marks) == ()
    return new


def values(data: bytes) -> dict[RejectFlag, str | None]:
    """What stands in each field."""
    return {mark: flag_value(read_xmp(data), sign) for mark, sign in FLAG_PROPERTIES.items()}


def test_a_new_sidecar_says_it_to_every_program() -> None:
    """Bridge, Lightroom, digiKam, and whoever shows colours."""
    assert values(marked(None)) == {
        RejectFlag.RATING: "-1",
        RejectFlag.PICK: "-1",
        RejectFlag.DIGIKAM: "1",
        RejectFlag.LABEL: "Red",
    }


def test_only_what_is_asked_for_is_set() -> None:
    """By default nothing."""
    assert set(values(marked(None, ())).values()) == {None}
    assert values(marked(None, (RejectFlag.PICK,)))[RejectFlag.PICK] == "-1"
    assert values(marked(None, (RejectFlag.PICK,)))[RejectFlag.RATING] is None


@pytest.mark.parametrize(
    ("whose", "mark", "value"),
    [
        ("darktable", RejectFlag.RATING, "3"),
        ("digiKam", RejectFlag.DIGIKAM, "3"),
        ("Lightroom", RejectFlag.LABEL, "Red"),
    ],
)
def test_what_a_person_has_said_stays(whose: str, mark: RejectFlag, value: str) -> None:
    """Whether it says the same or not, it is not ours; and so it stays when ours are taken back."""
    once = marked(images.SIDECARS[whose])

    assert values(once)[mark] == value
    assert mark not in own_flags(read_xmp(once))
    assert values(marked(once, (), ()))[mark] == value


@pytest.mark.parametrize("whose", [None, *images.SIDECARS])
def test_marks_are_taken_back_when_they_are_true_no_longer(whose: str | None) -> None:
    """All of ours, and nothing else."""
    old = None if whose is None else images.SIDECARS[whose]
    before = dict.fromkeys(RejectFlag) if old is None else values(old)

    assert values(marked(marked(old), (), ())) == before


def test_a_mark_that_somebody_changed_is_theirs() -> None:
    """A person has looked at the photo, and gave it three stars."""
    theirs = marked(None).replace(b'xmp:Rating="-1"', b'xmp:Rating="3"')

    assert values(marked(theirs, (), ()))[RejectFlag.RATING] == "3"


def test_a_mark_that_another_program_wrote_as_an_element_is_found() -> None:
    """exiv2 and others turn attributes into elements."""
    moved = (
        marked(None)
        .replace(b' xmp:Rating="-1"', b"")
        .replace(b"<dc:subject", b"<xmp:Rating>-1</xmp:Rating>\n   <dc:subject")
    )

    assert values(marked(moved, (), ()))[RejectFlag.RATING] is None


def test_the_proof_notices_a_wrong_mark() -> None:
    """One too many, or one that replaces a person's."""
    old = images.SIDECARS["darktable"]
    new = marked(old)
    for wrong in (new.replace(b'xmp:Rating="3"', b'xmp:Rating="-1"'), new.replace(b'"Red"', b'"Blue"')):
        with pytest.raises(TagRefusedError, match="mark"):
            verify_sidecar(old, wrong, BLUR, RECORD, ALL)
