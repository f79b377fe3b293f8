"""The names of the members of a stack where their own names are taken."""

from __future__ import annotations

import os

import pytest

from culld.quarantine.destination import Names, free_names, name_suffixes

DIGEST = "3fa9c2d4" + "0" * 56


def renamed(photo: str, *companions: str, tails: tuple[str, ...] = ("",)) -> Names | None:
    """The names that the members get when their own are taken."""
    own = Names(photo, companions)
    return free_names(own, name_suffixes(DIGEST, "plan"), lambda names: names == own, tails=tails)


def test_free_names_are_kept() -> None:
    """Nothing is renamed without need."""
    own = Names("IMG_1.jpg", ("IMG_1.jpg.xmp",))

    assert own == free_names(own, name_suffixes(DIGEST, "plan"), lambda _: False)


@pytest.mark.parametrize(
    ("photo", "companion", "expected"),
    [
        ("IMG_1.jpg", "IMG_1.jpg.xmp", Names("IMG_1~3fa9c2d4.jpg", ("IMG_1~3fa9c2d4.jpg.xmp",))),
        ("IMG_1.jpg", "IMG_1.xmp", Names("IMG_1~3fa9c2d4.jpg", ("IMG_1~3fa9c2d4.xmp",))),
        ("IMG_1.JPG", "img_1.jpg.XMP", Names("IMG_1~3fa9c2d4.JPG", ("img_1~3fa9c2d4.jpg.XMP",))),
        ("straße.jpg", "STRASSE.jpg.xmp", Names("straße~3fa9c2d4.jpg", ("straße~3fa9c2d4.jpg.xmp",))),
    ],
)
def test_all_members_get_the_mark_before_the_extension(photo: str, companion: str, expected: Names) -> None:
    """Programs that tie a sidecar to its photo by name still find it."""
    assert expected == renamed(photo, companion)


def test_equal_contents_get_names_with_the_id_of_their_plan() -> None:
    """The third of three equal photos gets a name that needs no counting."""
    own = Names("a.jpg", ())
    taken = {"a.jpg", "a~3fa9c2d4.jpg"}
    one = free_names(own, name_suffixes(DIGEST, "plan 1"), lambda names: names.photo in taken)
    two = free_names(own, name_suffixes(DIGEST, "plan 2"), lambda names: names.photo in taken)

    assert one is not None
    assert two is not None
    assert one.photo not in {*taken, two.photo}


def test_where_every_name_is_taken_there_is_none() -> None:
    """The search ends."""
    assert free_names(Names("a.jpg", ()), name_suffixes(DIGEST, "plan"), lambda _: True) is None


@pytest.mark.parametrize("stem", ["x" * 251, "ü" * 125, "\udcff" * 251])
def test_a_name_of_full_length_is_shortened_to_fit_with_its_tail(stem: str) -> None:
    """No name exceeds 255 bytes, nor does the photo's with what is appended to it, and no character is cut in two."""
    names = renamed(f"{stem}.jpg", f"{stem}.xmp", tails=(".culld.json",))

    assert names is not None
    assert max(len(os.fsencode(name)) for name in (names.photo + ".culld.json", *names.companions)) <= 255
    assert names.photo.startswith(stem[:100])
    assert names.photo.endswith("~3fa9c2d4.jpg")


def test_a_full_length_name_that_leaves_no_room_for_the_tail_is_marked_at_once() -> None:
    """The photo's own name would do, but the record beside it would have none."""
    names = free_names(
        Names("x" * 251 + ".jpg", ()), name_suffixes(DIGEST, "plan"), lambda _: False, tails=(".culld.json",)
    )

    assert names is not None
    assert names.photo.endswith("~3fa9c2d4.jpg")
