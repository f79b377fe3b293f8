"""The facts of a decision are read back from the journal unchanged."""

from __future__ import annotations

import os

import pytest

from culld.journal.stack_json import parsed, series_in, stack_in, to_json
from culld.records import Rating, Series, SeriesKind, SeriesMembership, Stack, UserMetadata
from harness import factories

BAD = factories.assessment(blur=0.99)


def test_user_metadata_is_kept_with_the_decision() -> None:
    """Every field that a rule of protection reads."""
    care = UserMetadata(
        ratings=("xmp:Label Red",),
        edited_by=("Nikon",),
        unclear="it is not well-formed XML",
        stars=(Rating("KDE rating 3.5", 3.5),),
        ratings_outside=("NKSC_PARAM/a.jpg.nksc",),
        incomplete="its movie",
    )

    assert care == stack_in(parsed(to_json(Stack(BAD, user_metadata=care))), BAD).user_metadata


def test_a_series_is_kept_by_the_names_of_its_members() -> None:
    """They are in one folder, and may have any name."""
    odd = factories.assessment(os.fsdecode(b"\xff\n.jpg"))
    series = Series(SeriesKind.FOCUS_STACK, (odd, BAD))

    assert series_in(parsed(to_json(Stack(BAD, series=series))), BAD.photo.place) == SeriesMembership(
        SeriesKind.FOCUS_STACK, (odd.photo.place, BAD.photo.place)
    )


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "{}",
        '{"series":["burst"]}',
        '{"series":{"kind":"a kind of later","members":["a.jpg"]}}',
        '{"series":{"kind":["burst"]}}',
    ],
)
def test_a_series_that_cannot_be_read_is_none(text: str) -> None:
    """An older culld kept none, a newer one may know more kinds."""
    assert series_in(parsed(text), BAD.photo.place) is None


def test_names_that_lead_out_of_the_folder_are_no_members() -> None:
    """The row may be damaged."""
    text = '{"series":{"kind":"burst","members":["..",".","","x/b.jpg","/b.jpg","b.jpg"]}}'
    found = series_in(parsed(text), BAD.photo.place)

    assert found == SeriesMembership(SeriesKind.BURST, (factories.place("b.jpg"),))


def test_the_json_of_an_older_culld_has_no_reject_flags() -> None:
    """It has fewer fields."""
    assert (
        UserMetadata(ratings=("xmp:Rating 3",))
        == stack_in(parsed('{"care":{"rated":["xmp:Rating 3"]}}'), BAD).user_metadata
    )
