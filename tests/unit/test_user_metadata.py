"""User metadata of a photo in XMP."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from culld.records import Rating, RejectFlag, Scores, UserMetadata, Verdict
from culld.tags.edits import apply_edits
from culld.tags.own_properties import DecisionProperties
from culld.tags.sidecar import sidecar_edits
from culld.tags.user_metadata import packets_in, user_metadata_in
from harness import factories, images

RDF = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/"'
    ' xmlns:xmpDM="http://ns.adobe.com/xmp/1.0/DynamicMedia/" xmlns:digiKam="http://www.digikam.org/ns/1.0/"'
    ' xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/" xmlns:darktable="http://darktable.sf.net/"'
    ' xmlns:MicrosoftPhoto="http://ns.microsoft.com/photo/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    ' xmlns:photomech="http://ns.camerabits.com/photomechanic/1.0/" xmlns:fstop="http://www.fstopapp.com/xmp/"'
    ' xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" xmlns:acdsee="http://ns.acdsee.com/iptc/1.0/" {}>'
    "{}</rdf:Description></rdf:RDF></x:xmpmeta>"
)

HISTORY = "<darktable:history><rdf:Seq><rdf:li/><rdf:li/></rdf:Seq></darktable:history>"


def xmp(attributes: str = "", elements: str = "") -> bytes:
    """A document with these properties."""
    return RDF.format(attributes, elements).encode()


@pytest.mark.parametrize(
    ("document", "rated", "filled"),
    [
        (xmp('xmp:Rating="many"'), ("xmp:Rating many",), {RejectFlag.RATING}),
        (xmp('xmp:Rating="0"'), (), {RejectFlag.RATING}),
        (xmp('xmp:Rating="-1"'), (), {RejectFlag.RATING}),
        (
            xmp('xmp:Label="Green" xmpDM:pick="1"'),
            ("xmp:Label Green", "xmpDM:pick 1"),
            {RejectFlag.LABEL, RejectFlag.PICK},
        ),
        (xmp('digiKam:PickLabel="1"'), (), {RejectFlag.DIGIKAM}),
        (xmp('digiKam:PickLabel="3" digiKam:ColorLabel="2"'),
         ("digiKam:PickLabel 3", "digiKam:ColorLabel 2"), {RejectFlag.DIGIKAM}),
        (xmp('photomech:Tagged="True"'), ("photomech:Tagged True",), set()),
        (xmp('photomech:Tagged="False" photomech:ColorClass="0"'), (), set()),
        (xmp('photomech:ColorClass="1"'), ("photomech:ColorClass 1",), set()),
        (xmp(elements="<photomech:ColorClass>8</photomech:ColorClass>"), ("photomech:ColorClass 8",), set()),
        (xmp('photoshop:Urgency="2"'), ("photoshop:Urgency 2",), set()),
        (xmp('photoshop:Urgency="0"'), (), set()),
        (xmp('acdsee:Tagged="True"'), ("acdsee:Tagged True",), set()),
        (xmp('acdsee:Tagged="False"'), (), set()),
        (xmp('fstop:favorite="1"'), ("fstop:favorite 1",), set()),
        (xmp('fstop:favorite="0"'), (), set()),
        (xmp('xmp:Label="' + "x" * 1000 + '"'), ("xmp:Label " + "x" * 40,), {RejectFlag.LABEL}),
        (xmp(elements="<dc:title>the harbour</dc:title><dc:subject>harbour</dc:subject>"), (), set()),
        (xmp(elements="<darktable:colorlabels><rdf:Seq><rdf:li>1</rdf:li></rdf:Seq></darktable:colorlabels>"),
         ("a colour label of darktable",), set()),
        (xmp(elements="<darktable:colorlabels><rdf:Seq/></darktable:colorlabels>"), (), set()),
    ],
)  # fmt: skip
def test_a_rating_a_label_or_a_flag_protects_a_photo(
    document: bytes, rated: tuple[str, ...], filled: set[RejectFlag]
) -> None:
    """An empty value, zero stars and a rejection only fill the field."""
    assert user_metadata_in([document]) == UserMetadata(rated, frozenset(filled))


@pytest.mark.parametrize(
    ("document", "stars"),
    [
        (xmp('xmp:Rating="3"'), [Rating("xmp:Rating 3", 3)]),
        (xmp(elements="<xmp:Rating>5</xmp:Rating>"), [Rating("xmp:Rating 5", 5)]),
        (xmp('xmp:Rating="1.0"'), [Rating("xmp:Rating 1.0", 1)]),
        (xmp('xmp:Rating="7"'), [Rating("xmp:Rating 7", 5)]),
        (xmp('xmp:Rating="0"'), []),
        (xmp('xmp:Rating="-1"'), []),
        (xmp('MicrosoftPhoto:Rating="1"'), [Rating("MicrosoftPhoto:Rating 1", 1)]),
        (xmp('MicrosoftPhoto:Rating="50"'), [Rating("MicrosoftPhoto:Rating 50", 3)]),
        (xmp('MicrosoftPhoto:Rating="99"'), [Rating("MicrosoftPhoto:Rating 99", 5)]),
        (xmp('acdsee:Rating="4"'), [Rating("acdsee:Rating 4", 4)]),
        (xmp('xmp:Rating="1" darktable:import_timestamp="638"'), []),
        (xmp('xmp:Rating="4" darktable:import_timestamp="638"'), [Rating("xmp:Rating 4", 4)]),
        (xmp('xmp:Rating="nan"'), []),
    ],
)
def test_a_rating_is_read_in_stars(document: bytes, stars: list[Rating]) -> None:
    """The one star that darktable gives each photo on import is none."""
    assert list(user_metadata_in([document]).stars) == stars


@pytest.mark.parametrize(
    ("document", "edited"),
    [
        (xmp('crs:Version="15.0" crs:HasSettings="False"'), ()),
        (xmp('crs:Version="15.0" crs:Exposure2012="+0.50"'), ("Lightroom or Camera Raw",)),
        (xmp(elements=HISTORY), ("darktable",)),
        (xmp('darktable:import_timestamp="638" darktable:change_timestamp="-1"', HISTORY), ()),
        (xmp('darktable:import_timestamp="638"', HISTORY), ()),
        (xmp('darktable:import_timestamp="638" darktable:change_timestamp="638123"', HISTORY), ("darktable",)),
        (xmp(elements="<darktable:history><rdf:Seq/></darktable:history>"), ()),
        (xmp(elements="<digiKam:ImageHistory>edited</digiKam:ImageHistory>"), ("digiKam",)),
    ],
)
def test_edits_in_xmp_are_recognised_by_their_program(document: bytes, edited: tuple[str, ...]) -> None:
    """A history that a program writes when it only shows a photo is no edit; without timestamps a history counts."""
    assert user_metadata_in([document]).edited_by == edited


def test_values_that_culld_set_are_no_user_metadata() -> None:
    """Otherwise culld would protect every photo that it once rejected."""
    record = DecisionProperties(
        Scores(0.99, 0, 0), factories.rules(), Verdict.QUARANTINE, "m@1", datetime(2026, 1, 1, tzinfo=UTC), "1"
    )
    ours = apply_edits(b"", sidecar_edits(None, ("defect:blur",), record, tuple(RejectFlag)))

    assert user_metadata_in([ours]) == UserMetadata()


def test_what_cannot_be_understood_may_hide_anything() -> None:
    """The reason is kept; the metadata of the other files still counts."""
    care = user_metadata_in([b"<x:xmpmeta", xmp('xmp:Rating="2"')])

    assert care.stars == (Rating("xmp:Rating 2", 2),)
    assert care.unclear.startswith("XMP: it is not well-formed XML (")


@pytest.mark.parametrize("program", images.SIDECARS)
def test_the_sidecars_of_photo_programs_are_understood(program: str) -> None:
    """As these programs write them."""
    assert user_metadata_in([images.SIDECARS[program]]).unclear == ""


def test_packets_are_found_in_the_bytes_of_any_file() -> None:
    """Whatever stands around them."""
    one, other = xmp('xmp:Rating="1"'), xmp()

    assert packets_in(b"\xff\xd8head" + one + b"\0middle" + other + b"<x:xmpmeta cut") == [one, other]
