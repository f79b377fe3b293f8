"""Reject flags in sidecars: set in empty fields, removed where culld set them."""

from __future__ import annotations

import pytest

from culld.errors import TagRefusedError
from culld.files.rewrite import inverse
from culld.records import RejectFlag, Scores, Verdict
from culld.tags.edits import apply_edits
from culld.tags.own_properties import DecisionProperties
from culld.tags.reject_flags import FLAG_PROPERTIES, flag_value, own_flags
from culld.tags.sidecar import sidecar_edits
from culld.tags.verify import verify_sidecar
from culld.tags.xmp import read_xmp
from harness import images
from harness.factories import NOON, rules

BLUR = ("defect:blur",)
ALL = tuple(RejectFlag)
RECORD = DecisionProperties(Scores(0.98, 0.0, 0.25), rules(), Verdict.QUARANTINE, "model@1", NOON, "0.1.0")


def flagged(old: bytes | None, flags: tuple[RejectFlag, ...] = ALL, keywords: tuple[str, ...] = BLUR) -> bytes:
    """Return the sidecar after the edits; verify them, their inverse, and that a second run makes none."""
    edits = sidecar_edits(old, keywords, RECORD, flags)
    new = apply_edits(old or b"", edits)
    verify_sidecar(old, new, keywords, RECORD, flags)
    assert apply_edits(new, inverse(edits)) == (old or b"")
    assert sidecar_edits(new, keywords, RECORD, flags) == ()
    return new


def values(data: bytes) -> dict[RejectFlag, str | None]:
    """Return the value of each field."""
    return {flag: flag_value(read_xmp(data), sign) for flag, sign in FLAG_PROPERTIES.items()}


def test_a_new_sidecar_has_the_reject_flag_of_every_program() -> None:
    """Bridge, Lightroom, digiKam, and programs that show colour labels."""
    assert values(flagged(None)) == {
        RejectFlag.RATING: "-1",
        RejectFlag.PICK: "-1",
        RejectFlag.DIGIKAM: "1",
        RejectFlag.LABEL: "Red",
    }


def test_only_what_is_asked_for_is_set() -> None:
    """By default nothing."""
    assert set(values(flagged(None, ())).values()) == {None}
    assert values(flagged(None, (RejectFlag.PICK,)))[RejectFlag.PICK] == "-1"
    assert values(flagged(None, (RejectFlag.PICK,)))[RejectFlag.RATING] is None


@pytest.mark.parametrize(
    ("whose", "flag", "value"),
    [
        ("darktable", RejectFlag.RATING, "3"),
        ("digiKam", RejectFlag.DIGIKAM, "3"),
        ("Lightroom", RejectFlag.LABEL, "Red"),
    ],
)
def test_a_value_of_the_user_stays(whose: str, flag: RejectFlag, value: str) -> None:
    """Equal or not, it is not ours; it stays when our flags are removed."""
    once = flagged(images.SIDECARS[whose])

    assert values(once)[flag] == value
    assert flag not in own_flags(read_xmp(once))
    assert values(flagged(once, (), ()))[flag] == value


@pytest.mark.parametrize("whose", [None, *images.SIDECARS])
def test_reject_flags_are_removed_when_they_no_longer_apply(whose: str | None) -> None:
    """All of our flags, and nothing else."""
    old = None if whose is None else images.SIDECARS[whose]
    before = dict.fromkeys(RejectFlag) if old is None else values(old)

    assert values(flagged(flagged(old), (), ())) == before


def test_a_reject_flag_that_the_user_changed_stays() -> None:
    """The user gave the photo three stars."""
    theirs = flagged(None).replace(b'xmp:Rating="-1"', b'xmp:Rating="3"')

    assert values(flagged(theirs, (), ()))[RejectFlag.RATING] == "3"


def test_a_reject_flag_that_another_program_wrote_as_an_element_is_found() -> None:
    """exiv2 and others turn attributes into elements."""
    moved = (
        flagged(None)
        .replace(b' xmp:Rating="-1"', b"")
        .replace(b"<dc:subject", b"<xmp:Rating>-1</xmp:Rating>\n   <dc:subject")
    )

    assert values(flagged(moved, (), ()))[RejectFlag.RATING] is None


def test_verification_notices_a_wrong_reject_flag() -> None:
    """One too many, or one that replaces a value of the user."""
    old = images.SIDECARS["darktable"]
    new = flagged(old)
    for wrong in (new.replace(b'xmp:Rating="3"', b'xmp:Rating="-1"'), new.replace(b'"Red"', b'"Blue"')):
        with pytest.raises(TagRefusedError, match=r"reject flag (rating|label)"):
            verify_sidecar(old, wrong, BLUR, RECORD, ALL)
