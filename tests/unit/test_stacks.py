"""Stacks: which files belong together."""

from __future__ import annotations

import pytest

import factories
from culld.photos import stacks


@pytest.mark.parametrize(
    ("names", "sidecars", "kin"),
    [
        (["a.jpg"], [], []),
        (["a.jpg", "b.jpg.xmp", "ab.xmp"], [], []),
        (["a.jpg", "a.jpg.xmp"], ["a.jpg.xmp"], []),
        (["a.jpg", "a.xmp"], ["a.xmp"], []),
        (["a.jpg", "A.JPG.XMP", "A.xmp"], ["A.JPG.XMP", "A.xmp"], []),
        (["a.jpg", "a.xmp", "a.CR2"], [], ["a.CR2", "a.xmp"]),
        (["a.jpg", "a.jpg.xmp", "a.CR2"], ["a.jpg.xmp"], ["a.CR2"]),
        (["a.jpg", "a.xmp", "a.heic"], [], ["a.xmp"]),
        (["a.jpg", "a.MOV"], [], ["a.MOV"]),
        (["a.jpg", "a.jpg.pp3"], [], ["a.jpg.pp3"]),
    ],
)
def test_companions_are_told_by_their_names(names: list[str], sidecars: list[str], kin: list[str]) -> None:
    """Own sidecars move with a photo; a RAW, a movie or an ambiguous sidecar keeps it where it is."""
    assert stacks.companions("a.jpg", names) == (sidecars, kin)


def test_a_raw_stays_with_its_picture() -> None:
    """A RAW is never taken because of its JPEG, nor without it."""
    assert stacks.companions("a.CR2", ["a.CR2", "a.jpg", "a.CR2.xmp"]) == (["a.CR2.xmp"], ["a.jpg"])
    assert stacks.companions("a.CR2", ["a.CR2", "a.xmp", "b.jpg"]) == (["a.xmp"], [])


def test_each_photo_gets_the_companions_of_its_own_folder() -> None:
    """Sidecars are places beside the photo."""
    assessed = [factories.assessment("x/a.jpg"), factories.assessment("y/a.jpg")]
    beside = {"x": ["a.jpg", "a.jpg.xmp"], "y": ["a.jpg"]}

    grouped = stacks.group(assessed, lambda place: beside[place.relative.parent.name])

    assert [stack.lead for stack in grouped] == assessed
    assert [stack.sidecars for stack in grouped] == [(factories.place("x/a.jpg.xmp"),), ()]
