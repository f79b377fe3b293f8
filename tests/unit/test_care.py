"""What people have done for a photo, as XMP tells it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

import factories
import pictures
from culld.records import Care, Mark, Scores, Verdict
from culld.tags.care import care_in, packets_in
from culld.tags.edits import apply_edits
from culld.tags.machine import MachineRecord
from culld.tags.sidecar import sidecar_edits

RDF = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/"'
    ' xmlns:xmpDM="http://ns.adobe.com/xmp/1.0/DynamicMedia/" xmlns:digiKam="http://www.digikam.org/ns/1.0/"'
    ' xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/" xmlns:darktable="http://darktable.sf.net/"'
    ' xmlns:MicrosoftPhoto="http://ns.microsoft.com/photo/1.0/" {}>{}</rdf:Description></rdf:RDF></x:xmpmeta>'
)


def xmp(attributes: str = "", elements: str = "") -> bytes:
    """A document with these properties."""
    return RDF.format(attributes, elements).encode()


@pytest.mark.parametrize(
    ("document", "rated", "filled"),
    [
        (xmp('xmp:Rating="3"'), ("xmp:Rating 3",), {Mark.RATING}),
        (xmp(elements="<xmp:Rating>5</xmp:Rating>"), ("xmp:Rating 5",), {Mark.RATING}),
        (xmp('xmp:Rating="0"'), (), {Mark.RATING}),
        (xmp('xmp:Rating="-1"'), (), {Mark.RATING}),
        (xmp('xmp:Label="Green" xmpDM:pick="1"'), ("xmp:Label Green", "xmpDM:pick 1"), {Mark.LABEL, Mark.PICK}),
        (xmp('digiKam:PickLabel="1"'), (), {Mark.DIGIKAM}),
        (xmp('digiKam:PickLabel="3" digiKam:ColorLabel="2"'),
         ("digiKam:PickLabel 3", "digiKam:ColorLabel 2"), {Mark.DIGIKAM}),
        (xmp('MicrosoftPhoto:Rating="50"'), ("MicrosoftPhoto:Rating 50",), set()),
        (xmp(elements="<darktable:colorlabels><rdf:Seq><rdf:li>1</rdf:li></rdf:Seq></darktable:colorlabels>"),
         ("a colour label of darktable",), set()),
        (xmp(elements="<darktable:colorlabels><rdf:Seq/></darktable:colorlabels>"), (), set()),
    ],
)  # fmt: skip
def test_a_rating_a_label_or_a_flag_speaks_for_a_photo(
    document: bytes, rated: tuple[str, ...], filled: set[Mark]
) -> None:
    """Nothing, nought and a rejection fill the field at most."""
    assert care_in([document]) == Care(rated, frozenset(filled))


@pytest.mark.parametrize(
    ("document", "edited"),
    [
        (xmp('crs:Version="15.0" crs:HasSettings="False"'), ()),
        (xmp('crs:Version="15.0" crs:Exposure2012="+0.50"'), ("Lightroom or Camera Raw",)),
        (xmp(elements="<darktable:history><rdf:Seq><rdf:li/></rdf:Seq></darktable:history>"), ("darktable",)),
        (xmp(elements="<darktable:history><rdf:Seq/></darktable:history>"), ()),
        (xmp(elements="<digiKam:ImageHistory>edited</digiKam:ImageHistory>"), ("digiKam",)),
    ],
)
def test_edits_in_xmp_are_told_by_their_program(document: bytes, edited: tuple[str, ...]) -> None:
    """What a program only notes when it looks at a photo is no edit."""
    assert care_in([document]).edited == edited


def test_what_culld_set_itself_is_nobodys() -> None:
    """Else it would protect every photo that it once rejected."""
    record = MachineRecord(
        Scores(0.99, 0, 0), factories.rules(), Verdict.QUARANTINE, "m@1", datetime(2026, 1, 1, tzinfo=UTC), "1"
    )
    ours = apply_edits(b"", sidecar_edits(None, ("defect:blur",), record, tuple(Mark)))

    assert care_in([ours]) == Care()


def test_what_cannot_be_understood_may_hide_anything() -> None:
    """The reason is kept; what others tell counts all the same."""
    care = care_in([b"<x:xmpmeta", xmp('xmp:Rating="2"')])

    assert care.rated == ("xmp:Rating 2",)
    assert "not well-formed" in care.unclear


@pytest.mark.parametrize("program", pictures.SIDECARS)
def test_the_sidecars_of_photo_programs_are_understood(program: str) -> None:
    """As they were seen to write them."""
    assert care_in([pictures.SIDECARS[program]]).unclear == ""


def test_packets_are_found_in_the_bytes_of_any_file() -> None:
    """Whatever stands around them."""
    one, other = xmp('xmp:Rating="1"'), xmp()

    assert packets_in(b"\xff\xd8head" + one + b"\0middle" + other + b"<x:xmpmeta cut") == [one, other]
