"""The sidecar names of a photo."""

from __future__ import annotations

import pytest

from culld.records import SidecarStyle
from culld.tags.names import SidecarNames, sidecar_name, sidecars_of

FULL, ADOBE = SidecarStyle.FULL, SidecarStyle.ADOBE


@pytest.mark.parametrize(
    ("neighbours", "style", "expected"),
    [
        ([], FULL, "a.jpg.xmp"),
        ([], ADOBE, "a.xmp"),
        (["a.jpg.xmp"], FULL, "a.jpg.xmp"),
        (["a.jpg.xmp"], ADOBE, "a.jpg.xmp"),
        (["a.xmp"], FULL, "a.xmp"),
        (["A.XMP"], FULL, "A.XMP"),
        (["A.JPG.Xmp"], FULL, "A.JPG.Xmp"),
        (["a.jpg.xmp", "A.JPG.XMP"], FULL, "a.jpg.xmp"),
        (["a.xmp", "a.jpg.xmp"], FULL, "a.jpg.xmp"),
        (["a.xmp", "a.jpg.xmp"], ADOBE, "a.xmp"),
        (["a.xmp", "a.pp3", "a.aae"], FULL, "a.xmp"),
        (["b.xmp", "ab.jpg"], FULL, "a.jpg.xmp"),
    ],
)
def test_the_sidecar_that_is_there_is_taken(neighbours: list[str], style: SidecarStyle, expected: str) -> None:
    """An existing sidecar wins over the style, whatever its case; of two the style decides."""
    assert expected == sidecar_name("a.jpg", ["a.jpg", *neighbours], style)


@pytest.mark.parametrize("rival", ["a.CR2", "A.nef", "a.png", "a.JPG", "a.mov"])
def test_a_name_shared_with_another_picture_is_not_ours(rival: str) -> None:
    """`a.xmp` beside two photos called `a` belongs to the RAW file; without one, its owner is unknown."""
    assert "a.jpg.xmp" == sidecar_name("a.jpg", ["a.jpg", "a.xmp", rival], FULL)
    assert None is sidecar_name("a.jpg", ["a.jpg", "a.xmp", rival], ADOBE)


@pytest.mark.parametrize("backup", ["a.jpg_original", "a.xmp_original", "a.jpg~", "a.json", "a.txt"])
def test_backups_and_descriptions_are_no_rivals(backup: str) -> None:
    """They have no sidecar, so `a.xmp` belongs to the photo, and no second sidecar is made beside it."""
    assert "a.xmp" == sidecar_name("a.jpg", ["a.jpg", "a.xmp", backup], FULL)


def test_the_sidecars_of_a_photo_are_recognised_by_its_name_or_stem() -> None:
    """The whole name, the name of a duplicate, or the stem, which other files may have as well."""
    folder = ["a.jpg", "a.CR2", "a.mov", "a.jpg.xmp", "A.JPG.pp3", "a_01.jpg.xmp", "a.xmp", "a.WAV", "a.jpg~", "b.xmp"]

    found = sidecars_of("a.jpg", folder)

    assert found == SidecarNames(("A.JPG.pp3", "a.jpg.xmp", "a_01.jpg.xmp"), ("a.WAV", "a.xmp"), ("a.CR2", "a.mov"))
    assert sidecars_of("b.jpg", folder) == SidecarNames((), ("b.xmp",), ())


def test_a_sidecar_belongs_to_the_file_of_exactly_its_name() -> None:
    """Letter case counts only where both photos are there."""
    both = ["a.jpg", "A.jpg", "A.jpg.xmp"]

    assert sidecars_of("a.jpg", both).full == ()
    assert sidecars_of("A.jpg", both).full == ("A.jpg.xmp",)
    assert sidecars_of("a.jpg", ["a.jpg", "A.jpg.xmp"]).full == ("A.jpg.xmp",)


def test_the_sidecar_of_a_photo_that_differs_in_case_is_not_ours() -> None:
    """On a case-sensitive file system, `A.jpg.xmp` belongs to `A.jpg` where that exists."""
    assert "a.jpg.xmp" == sidecar_name("a.jpg", ["a.jpg", "A.jpg", "A.jpg.xmp"])


def test_two_sidecars_that_differ_in_case_are_left_alone() -> None:
    """Without an exact match it is unknown which one a program reads."""
    assert None is sidecar_name("a.jpg", ["a.jpg", "A.jpg.xmp", "a.JPG.xmp"])


def test_a_sidecar_whose_full_name_is_too_long_gets_the_short_one() -> None:
    """A name has 255 bytes at most; `a.xmp` is as long as `a.jpg`."""
    photo = "ü" * 125 + ".jpg"

    assert sidecar_name(photo, [photo]) == "ü" * 125 + ".xmp"
    assert sidecar_name(photo, [photo, "ü" * 125 + ".CR2"]) is None
    assert sidecar_name("x" * 248 + ".jpg", []) == "x" * 248 + ".xmp"
    assert sidecar_name("x" * 247 + ".jpg", []) == "x" * 247 + ".jpg.xmp"
    assert sidecar_name("x" * 253 + ".j", []) is None
