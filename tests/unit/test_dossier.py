"""What a decision was made from comes back out of the journal as it went in."""

from __future__ import annotations

import factories
from culld.journal.stack_json import dossier, stack_in
from culld.records import Care, Rating, Stack

BAD = factories.assessment(blur=0.99)


def test_what_people_did_for_a_photo_is_kept_with_the_decision() -> None:
    """Every field that a rule of protection looks at."""
    care = Care(
        rated=("xmp:Label Red",),
        edited=("Nikon",),
        unclear="it is not well-formed XML",
        stars=(Rating("KDE rating 3.5", 3.5),),
        apart=("NKSC_PARAM/a.jpg.nksc",),
        incomplete="its movie",
    )

    assert care == stack_in(dossier(Stack(BAD, care=care)), BAD, {}).care


def test_a_dossier_of_an_older_culld_tells_of_no_marks() -> None:
    """Its fields were fewer."""
    assert Care(rated=("xmp:Rating 3",)) == stack_in('{"care":{"rated":["xmp:Rating 3"]}}', BAD, {}).care
