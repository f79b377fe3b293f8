"""Sidecars: new ones, merges into those of other programs, and refused ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from culld.errors import TagRefusedError
from culld.files.rewrite import inverse
from culld.records import Edit, Scores, Verdict
from culld.tags.edits import apply_edits
from culld.tags.own_properties import DecisionProperties, own_properties
from culld.tags.sidecar import KEYWORD_LISTS, SUBJECT, KeywordList, listed_keywords, sidecar_edits
from culld.tags.verify import verify_sidecar
from culld.tags.xmp import MAX_BYTES, MAX_ELEMENTS, read_xmp
from harness.factories import NOON, rules

BLUR = ("defect:blur",)
RECORD = DecisionProperties(Scores(0.98, 0.0, 0.25), rules(), Verdict.TAG, "mobilenet@1", NOON, "0.1.0")

NEW = """<?xml version="1.0" encoding="UTF-8"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:culld="https://culld.example/ns/1.0/"
    culld:Blur="0.9800"
    culld:Under="0.0000"
    culld:Over="0.2500"
    culld:BlurTag="0.5"
    culld:UnderTag="0.6"
    culld:OverTag="0.6"
    culld:BlurReject="0.97"
    culld:UnderReject="never"
    culld:OverReject="never"
    culld:Mode="enforce"
    culld:Verdict="tag"
    culld:Model="mobilenet@1"
    culld:Policy="policy-1"
    culld:Time="2026-05-01T12:00:00Z"
    culld:Version="0.1.0"
    culld:Keywords="defect:blur">
   <dc:subject xmlns:dc="http://purl.org/dc/elements/1.1/">
    <rdf:Bag>
     <rdf:li>defect:blur</rdf:li>
    </rdf:Bag>
   </dc:subject>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
"""

DARKTABLE = b"""<?xml version="1.0" encoding="UTF-8"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 4.4.0-Exiv2">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:lr="http://ns.adobe.com/lightroom/1.0/"
    xmlns:digiKam="http://www.digikam.org/ns/1.0/"
    xmlns:darktable="http://darktable.sf.net/"
   xmp:Rating="3" darktable:note='a "quoted" &gt; culld:Blur="1" value'>
   <darktable:masks_history>
    <rdf:Seq/>
   </darktable:masks_history>
   <darktable:history>
    <rdf:Seq>
     <rdf:li
      darktable:num="0" darktable:params="gz02eJxjYA"/>
    </rdf:Seq>
   </darktable:history>
   <dc:subject>
    <rdf:Bag>
     <rdf:li>Hamburg &amp; harbour</rdf:li>
     <rdf:li>night</rdf:li>
    </rdf:Bag>
   </dc:subject>
   <lr:hierarchicalSubject>
    <rdf:Bag>
     <rdf:li>places|Hamburg</rdf:li>
    </rdf:Bag>
   </lr:hierarchicalSubject>
   <digiKam:TagsList><rdf:Seq><rdf:li>places/Hamburg</rdf:li></rdf:Seq></digiKam:TagsList>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
"""


def description(content: str = "", attributes: str = "") -> bytes:
    """A sidecar with one description."""
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:c="https://culld.example/ns/1.0/"'
        f' xmlns:x2="urn:x2"><rdf:Description rdf:about="" {attributes}>{content}</rdf:Description>'
        "</rdf:RDF></x:xmpmeta>"
    ).encode()


def bag(*words: str) -> str:
    """A list of keywords."""
    return f"<dc:subject><rdf:Bag>{''.join(f'<rdf:li>{word}</rdf:li>' for word in words)}</rdf:Bag></dc:subject>"


def merged(old: bytes | None, keywords: tuple[str, ...] = BLUR, record: DecisionProperties = RECORD) -> bytes:
    """Return the sidecar after the edits, verified."""
    new = apply_edits(old or b"", sidecar_edits(old, keywords, record))
    verify_sidecar(old, new, keywords, record)
    return new


def words(data: bytes, which: KeywordList = SUBJECT) -> tuple[str, ...] | None:
    """Return the keywords in a sidecar."""
    return listed_keywords(read_xmp(data), which)


def test_a_new_sidecar_is_one_readable_document() -> None:
    """Byte for byte: the keywords, and culld's properties."""
    assert (Edit(0, b"", NEW.encode()),) == sidecar_edits(None, BLUR, RECORD)


def test_a_new_sidecar_without_defects_holds_only_the_record() -> None:
    """A photo without defects gets no empty keyword list."""
    new = merged(None, ())

    assert None is words(new)
    assert "0.9800" == own_properties(read_xmp(new))["Blur"]


def test_merging_only_inserts() -> None:
    """All that another program wrote is still there, byte for byte and in its order."""
    edits = sidecar_edits(DARKTABLE, BLUR, RECORD)

    assert [b""] * 4 == [edit.removed for edit in edits]
    assert DARKTABLE == apply_edits(apply_edits(DARKTABLE, edits), inverse(edits))


def test_merging_keeps_the_layout() -> None:
    """A new keyword has its own line, indented as its neighbours."""
    new = merged(DARKTABLE)

    assert b"     <rdf:li>night</rdf:li>\n     <rdf:li>defect:blur</rdf:li>\n    </rdf:Bag>" in new
    assert b"  </rdf:Description>\n  <rdf:Description rdf:about=" in new


def test_keywords_are_added_to_every_existing_list() -> None:
    """Darktable reads Lightroom's list before dc:subject, Immich reads digiKam's; one keyword has one spelling."""
    new = merged(DARKTABLE)

    assert [
        ("Hamburg & harbour", "night", "defect:blur"),
        ("places|Hamburg", "defect:blur"),
        ("places/Hamburg", "defect:blur"),
    ] == [words(new, which) for which in KEYWORD_LISTS]


def with_levels() -> bytes:
    """A sidecar in which culld gave its keyword levels in the hierarchical lists."""
    data = merged(DARKTABLE)
    data = data.replace(b"<rdf:li>places|Hamburg</rdf:li>\n     <rdf:li>defect:blur", b"<rdf:li>defect|blur")
    return data.replace(
        b"</rdf:li><rdf:li>defect:blur</rdf:li></rdf:Seq>", b"</rdf:li><rdf:li>defect/blur</rdf:li></rdf:Seq>"
    )


@pytest.mark.parametrize("keywords", [BLUR, ()])
def test_our_older_spelling_with_levels_is_replaced(keywords: tuple[str, ...]) -> None:
    """Darktable showed `defect|blur` and `defect:blur` as two tags of one photo."""
    new = merged(with_levels(), keywords)

    assert b"defect|blur" not in new
    assert b"defect/blur" not in new
    assert ("places/Hamburg", *keywords) == words(new, KEYWORD_LISTS[2])
    assert () == sidecar_edits(new, keywords, RECORD)


def test_a_keyword_with_levels_of_the_user_stays() -> None:
    """Beside our flat keyword it belongs to the user, whatever its name."""
    both = merged(DARKTABLE.replace(b"places|Hamburg", b"defect|blur"))

    assert ("defect|blur", "defect:blur") == words(both, KEYWORD_LISTS[1])
    assert ("defect|blur",) == words(merged(both, ()), KEYWORD_LISTS[1])


def test_windows_line_ends_are_kept() -> None:
    """A new line ends as its neighbours do."""
    new = merged(DARKTABLE.replace(b"\n", b"\r\n"))

    assert b"night</rdf:li>\r\n     <rdf:li>defect:blur</rdf:li>\r\n    </rdf:Bag>" in new


def test_a_document_without_subject_gets_one() -> None:
    """The new list stands in a description of its own."""
    assert BLUR == words(merged(description("<x2:a>kept</x2:a>")))


def test_merging_twice_changes_nothing() -> None:
    """Existing values are not written again."""
    for old in (None, DARKTABLE, description()):
        assert () == sidecar_edits(merged(old), BLUR, RECORD)


def test_a_later_judgement_of_the_same_kind_changes_nothing() -> None:
    """The time alone is no reason to touch a sidecar."""
    later = replace(RECORD, made_at=NOON + timedelta(days=1))

    assert () == sidecar_edits(merged(DARKTABLE), BLUR, later)


def test_a_new_judgement_replaces_our_values_in_place() -> None:
    """Only the values that differ, and only ours."""
    old = merged(DARKTABLE)
    other = replace(RECORD, scores=Scores(0.5, 0.0, 0.25), made_at=NOON + timedelta(days=1))
    edits = sidecar_edits(old, BLUR, other)

    assert [b'"0.9800"', b'"2026-05-01T12:00:00Z"'] == [edit.removed for edit in edits]
    assert [b'"0.5000"', b'"2026-05-02T12:00:00Z"'] == [edit.inserted for edit in edits]
    assert "0.5000" == own_properties(read_xmp(merged(old, BLUR, other)))["Blur"]


def test_our_values_are_found_where_other_programs_moved_them() -> None:
    """Exiftool turns attributes into elements, exiv2 merges descriptions; prefixes may change too."""
    moved = description(bag() + "<c:Under>0.7</c:Under><c:Over/><c:Mode></c:Mode>", """c:Blur = '0.1' x2:Blur="0.2" """)
    new = merged(moved)

    assert own_properties(read_xmp(NEW.encode())) == own_properties(read_xmp(new))
    assert b"""c:Blur = "0.9800" x2:Blur="0.2" """ in new
    assert b"<c:Under>0.0000</c:Under><c:Over>0.2500</c:Over><c:Mode>enforce</c:Mode>" in new


def test_keywords_with_markup_are_escaped() -> None:
    """A keyword prefix may hold any printable character."""
    assert ("<&'\">blur",) == words(merged(None, ("<&'\">blur",)))


def test_the_resource_and_foreign_prefixes_are_kept() -> None:
    """A document may name its photo, and may use any prefix for RDF."""
    old = description().replace(b"rdf:", b"r:").replace(b"xmlns:rdf", b"xmlns:r")
    old = old.replace(b'about=""', b'about="uuid:&lt;1>"')
    new = merged(old)

    assert b'<rdf:Description rdf:about="uuid:&lt;1&gt;" xmlns:rdf=' in new
    assert BLUR == words(new)


def test_a_byte_order_mark_shifts_nothing() -> None:
    """Offsets count from the first byte of the file, not from the first character."""
    assert merged(DARKTABLE) == merged(b"\xef\xbb\xbf" + DARKTABLE)[3:]


LAUGHS = b'<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
EXTERNAL = b'<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/hostname">]>'
BARE = description()
SEVERAL = b'</rdf:Description><rdf:Description rdf:about="other"/>'
UTF16 = BARE.decode().encode("utf-16")


@pytest.mark.parametrize(
    ("old", "reason"),
    [
        (LAUGHS + BARE, "DOCTYPE"),
        (EXTERNAL + BARE, "DOCTYPE"),
        (b"<!DOCTYPE x>" + BARE, "DOCTYPE"),
        (BARE + b" " * MAX_BYTES, "larger than"),
        (description("<x2:a>" * 200 + "</x2:a>" * 200), "nested deeper"),
        (description("<x2:a/>" * MAX_ELEMENTS), "elements"),
        (UTF16, "not UTF-8"),
        (UTF16[2:], "not UTF-8"),
        (BARE.decode().encode("utf-32"), "not UTF-8"),
        (b'<?xml version="1.0" encoding="ISO-8859-1"?>' + BARE, "not UTF-8"),
        (BARE[:-20], "not well-formed"),
        (b"", "not well-formed"),
        (BARE + b"<more/>", "not well-formed"),
        (description("\xff").replace("\xff".encode(), b"\xff"), "not well-formed"),
        (description("&undeclared;"), "not well-formed"),
        (b"<x/>", "exactly one open rdf:RDF"),
        (description('<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"></rdf:RDF>'), "exactly one"),
        (b'<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>', "exactly one open rdf:RDF"),
        (BARE.replace(b"rdf:Description", b"rdf:Thing"), "other than rdf:Description"),
        (BARE.replace(b"</rdf:Description>", SEVERAL), "more than one resource"),
        (BARE.replace(b'rdf:about=""', b'rdf:nodeID="n"'), "named by node"),
        (description(bag("a") + bag("b")), "written twice"),
        (description(bag("a"), 'dc:subject="b"'), "written twice"),
        (description("", 'dc:subject="b"'), "unusual way"),
        (description("<dc:subject>plain</dc:subject>"), "unusual way"),
        (description("<dc:subject><rdf:Bag/></dc:subject>"), "open list"),
        (description("<dc:subject><rdf:Seq></rdf:Seq></dc:subject>"), "open list"),
        (description("<dc:subject><rdf:Bag><rdf:li><x2:a/></rdf:li></rdf:Bag></dc:subject>"), "open list"),
        (description("<c:Blur>1</c:Blur>", 'c:Blur="1"'), "culld's Blur twice"),
        (description("<c:Blur><rdf:Bag/></c:Blur>"), "no simple value"),
        (BARE.replace(b'rdf:about=""', b'rdf:about="&#10;"'), "cannot be written"),
    ],
)
def test_what_could_hide_something_is_left_alone(old: bytes, reason: str) -> None:
    """Hostile and unusual documents are refused with the reason, never repaired."""
    with pytest.raises(TagRefusedError, match=reason):
        sidecar_edits(old, BLUR, RECORD)


def test_a_record_that_xml_cannot_carry_is_refused() -> None:
    """A model's name comes from a file."""
    with pytest.raises(TagRefusedError, match="Model"):
        sidecar_edits(None, BLUR, replace(RECORD, model="a\x01"))


def test_predefined_entities_and_comments_are_harmless() -> None:
    """They are part of XML itself and are kept as they stand."""
    old = description("<!-- <dc:subject/> --><x2:a>&lt;&#x41;<![CDATA[<dc:subject>]]></x2:a><?pi ?>")

    assert BLUR == words(merged(old))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ((b"night", b"fight"), "keywords do not read back"),
        ((b"<rdf:li>defect:blur</rdf:li>", b""), "keywords do not read back"),
        ((b'xmp:Rating="3"', b'xmp:Rating="4"'), "other programs"),
        ((b"gz02eJxjYA", b"gz02eJxjYB"), "other programs"),
        ((b"<rdf:Seq/>", b"<rdf:Seq></rdf:Seq><rdf:Seq/>"), "other programs"),
        ((b"0.9800", b"0.9801"), "record does not read back"),
    ],
)
def test_verification_notices_any_other_change(change: tuple[bytes, bytes], reason: str) -> None:
    """A splice that lost or changed a value would never be published."""
    wrong = merged(DARKTABLE).replace(*change)

    with pytest.raises(TagRefusedError, match=reason):
        verify_sidecar(DARKTABLE, wrong, BLUR, RECORD)


SAFE = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters=";<&"), min_size=1)


@settings(deadline=None)
@given(st.lists(SAFE, max_size=4), st.lists(SAFE, max_size=3), st.sampled_from(["\n  ", "", "\r\n\t"]))
def test_any_keywords_merge_into_any_list(there: list[str], wanted: list[str], gap: str) -> None:
    """Old keywords keep their order, missing ones follow, the inverse is exact, and a second run makes no edits."""
    old = description(bag(*there)).replace(b"<rdf:li>", gap.encode() + b"<rdf:li>")
    edits = sidecar_edits(old, wanted, RECORD)
    new = merged(old, tuple(wanted))

    assert (*there, *(word for word in dict.fromkeys(wanted) if word not in there)) == words(new)
    assert old == apply_edits(new, inverse(edits))
    assert () == sidecar_edits(new, wanted, RECORD)


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_damaged_sidecars_are_refused_or_kept(data: st.DataObject) -> None:
    """Whatever bytes are changed, the result is a refusal or a verified insertion, never another error."""
    damaged = bytearray(DARKTABLE)
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(damaged)))
        damaged[start : start + data.draw(st.integers(0, 12))] = data.draw(
            st.one_of(st.binary(max_size=3), st.sampled_from([b"<", b"/>", b'"', b"&", b"]]>", b"<rdf:Bag>", b"\0"]))
        )
    old = bytes(damaged)
    try:
        edits = sidecar_edits(old, BLUR, RECORD)
    except TagRefusedError:
        return
    assert "defect:blur" in (words(merged(old)) or ())
    assert {b""} == {edit.removed for edit in edits}
