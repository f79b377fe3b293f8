"""Culld's keywords and values are taken out of XMP that other programs wrote since; nothing else changes."""

from __future__ import annotations

import re

import pytest

from culld.errors import TagRefusedError
from culld.records import Format
from culld.tags.edits import apply_edits
from culld.tags.embedded import embedded_edits
from culld.tags.withdrawal import embedded_withdrawal, may_hold_values, sidecar_withdrawal
from harness import factories, sidecars

VALUES = {"Blur": "1.0000", "Verdict": "tag", "Keywords": "defect:blur", "Model": "defects-2@9c1aaf739b85"}


def without(data: bytes) -> bytes:
    """The sidecar after culld's values were taken out."""
    return apply_edits(data, sidecar_withdrawal(data))


@pytest.mark.parametrize("container", ["Bag", "Seq"])
def test_darktable_keeps_all_that_is_not_culld_s(container: str) -> None:
    """Byte for byte it is what it would have been without culld, but for the prefix's declaration."""
    tagged = sidecars.as_darktable(VALUES, ["Holiday", "defect:blur", "Sea"], container)
    plain = sidecars.as_darktable({}, ["Holiday", "Sea"], container)
    expected = re.sub(rb"\n    xmlns:culld=[^\n]*|(?<=1.0/\")\n(?=\n   exif)", b"", plain)

    assert without(tagged) == expected
    assert not may_hold_values(without(tagged))
    assert sidecar_withdrawal(expected) == ()


def test_a_keyword_of_the_user_stays() -> None:
    """It is spelled like one of culld's, but the list of culld's own does not have it."""
    tagged = sidecars.as_darktable(VALUES | {"Keywords": ""}, ["defect:blur"])

    assert b"<rdf:li>defect:blur</rdf:li>" in without(tagged)
    assert b"culld:" not in without(tagged)


def test_each_spelling_of_a_keyword_goes() -> None:
    """Lists of paths have it with another separator, or, as darktable writes them, as it is."""
    tagged = sidecars.as_darktable(VALUES, ["defect:blur", "Sea"])
    head, _, tail = tagged.rpartition(b"defect:blur")
    left = without(head + b"defect|blur" + tail)

    assert b"defect" not in left
    assert left.count(b"<rdf:li>Sea</rdf:li>") == 2


def test_values_that_became_elements_go_as_well() -> None:
    """Exiftool writes properties so."""
    data = b"""<x:xmpmeta xmlns:x='adobe:ns:meta/'>
<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>
 <rdf:Description rdf:about='' xmlns:culld='https://culld.example/ns/1.0/'>
  <culld:Blur>1.0000</culld:Blur>
  <culld:Keywords>defect:blur</culld:Keywords>
 </rdf:Description>
 <rdf:Description rdf:about='' xmlns:xmp='http://ns.adobe.com/xap/1.0/'>
  <xmp:Rating>4</xmp:Rating>
 </rdf:Description>
</rdf:RDF>
</x:xmpmeta>"""
    left = without(data)

    assert b"culld" not in left
    assert b"<xmp:Rating>4</xmp:Rating>" in left
    assert sidecar_withdrawal(left) == ()


def test_a_reject_flag_of_culld_is_removed_and_a_rating_of_the_user_stays() -> None:
    """The rating -1 that culld set is removed only while it has that value."""
    rated = sidecars.as_darktable(VALUES | {"Marks": "rating"}, []).replace(b'Rating="1"', b'Rating="-1"')
    assert b"xmp:Rating" not in without(rated)

    changed = rated.replace(b'Rating="-1"', b'Rating="3"')
    assert b'xmp:Rating="3"' in without(changed)


def test_keywords_in_a_photo_that_another_program_wrote_to_since_are_taken_out() -> None:
    """Here it has added a comment; picture and comment stay, and a second time nothing is left to do."""
    photo = factories.encoded(factories.picture(1, (64, 48)))
    tagged = apply_edits(photo, embedded_edits(photo, Format.JPEG, ("defect:blur",)))
    comment = b"\xff\xfe\x00\x07hello"
    edited = tagged[:2] + comment + tagged[2:]

    left = apply_edits(edited, embedded_withdrawal(edited, Format.JPEG))

    assert b"defect:blur" in edited
    assert b"defect" not in left
    assert "defect".encode("utf-16-le") not in left
    assert comment in left
    assert left.endswith(photo[-200:])
    assert embedded_withdrawal(left, Format.JPEG) == ()
    assert embedded_withdrawal(photo, Format.JPEG) == ()


@pytest.mark.parametrize("data", [b"", b"<x", b"<!DOCTYPE x><x/>", b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"])
def test_what_is_not_understood_is_refused(data: bytes) -> None:
    """It stays as it is."""
    with pytest.raises(TagRefusedError):
        sidecar_withdrawal(data)
