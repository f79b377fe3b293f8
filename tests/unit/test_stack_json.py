"""What a decision was made from comes back out of the journal as it went in."""

from __future__ import annotations

from culld.journal.stack_json import parsed, stack_in, to_json
from culld.records import Rating, Stack, UserMetadata
from harness import factories

BAD = factories.assessment(blur=0.99)


def test_what_people_did_for_a_photo_is_kept_with_the_decision() -> None:
    """Every field that a rule of protection looks at."""
    care = UserMetadata(
        ratings=("xmp:Label Red",),
        edited_by=("Nikon",),
        unclear="it is not well-formed XML",
        stars=(Rating("KDE rating 3.5", 3.5),),
        ratings_outside=("NKSC_PARAM/a.jpg.nksc",),
        incomplete="its movie",
    )

    assert care == stack_in(parsed(to_json(Stack(BAD, user_metadata=care))), BAD).user_metadata


def test_a_dossier_of_an_older_culld_tells_of_no_marks() -> None:
    """Its fields were fewer."""
    assert (
        UserMetadata(ratings=("xmp:Rating 3",))
        == stack_in(parsed('{"care":{"rated":["xmp:Rating 3"]}}'), BAD).user_metadata
    )
