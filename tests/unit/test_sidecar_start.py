"""A new sidecar begins with what the photo holds, because programs read it instead of the photo."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL.PngImagePlugin import PngInfo

from culld.errors import TagRefusedError
from culld.records import Format, RejectFlag, Scores, Verdict
from culld.tags.draft import TagDraft, TagRequest, draft
from culld.tags.edits import apply_edits
from culld.tags.own_properties import DecisionProperties
from culld.tags.own_properties import own_keywords as given_by_culld
from culld.tags.reject_flags import FLAG_PROPERTIES, flag_value
from culld.tags.sidecar import KEYWORD_LISTS, SUBJECT, listed_keywords
from culld.tags.sidecar_start import initial_sidecar
from culld.tags.sidecar_start_check import verify_initial_sidecar
from culld.tags.xmp import read_xmp
from harness import factories
from harness.exif import exif_block, exif_segment, jpeg, segment
from harness.factories import NOON, place, rules

BLUR = ("defect:blur",)
RECORD = DecisionProperties(Scores(0.98, 0.0, 0.25), rules(), Verdict.TAG, "mobilenet@1", NOON, "0.1.0")
XMP_HEAD = b"http://ns.adobe.com/xap/1.0/\0"

DIGIKAM = (
    b"""<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 4.4.0-Exiv2">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:digiKam="http://www.digikam.org/ns/1.0/"
    xmlns:MicrosoftPhoto="http://ns.microsoft.com/photo/1.0/"
    xmlns:lr="http://ns.adobe.com/lightroom/1.0/"
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:tiff="http://ns.adobe.com/tiff/1.0/"
    xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/"
    xmlns:stEvt="http://ns.adobe.com/xap/1.0/sType/ResourceEvent#"
    xmlns:darktable="http://darktable.sf.net/"
    xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/"
    xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/"
   xmp:Rating="4" tiff:Model='a "camera"' MicrosoftPhoto:Rating="75"
   crs:Exposure2012="+1.00" digiKam:PickLabel="3" xmp:CreatorTool="digiKam-7.9.0">
   <digiKam:TagsList>
    <rdf:Seq>
     <rdf:li>Trips/Holiday</rdf:li>
    </rdf:Seq>
   </digiKam:TagsList>
   <lr:hierarchicalSubject>
    <rdf:Bag>
     <rdf:li>Trips|Holiday</rdf:li>
    </rdf:Bag>
   </lr:hierarchicalSubject>
   <dc:subject>
    <rdf:Bag>
     <rdf:li>Holiday &amp; sun</rdf:li>
    </rdf:Bag>
   </dc:subject>
   <dc:title><rdf:Alt><rdf:li xml:lang="x-default">At sea</rdf:li></rdf:Alt></dc:title>
   <mwg-rs:Regions rdf:parseType="Resource">
    <mwg-rs:RegionList><rdf:Bag><rdf:li><rdf:Description mwg-rs:Name="Ada"/></rdf:li></rdf:Bag></mwg-rs:RegionList>
   </mwg-rs:Regions>
   <xmpMM:History><rdf:Seq><rdf:li stEvt:action="saved"/></rdf:Seq></xmpMM:History>
   <darktable:history><rdf:Seq><rdf:li darktable:num="0"/></rdf:Seq></darktable:history>
  </rdf:Description>
  <rdf:Description rdf:about="" xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="ABC"/>
 </rdf:RDF>
</x:xmpmeta>
"""
    + b" " * 300
    + b'<?xpacket end="w"?>'
)


def bag(words: str) -> bytes:
    """Return a packet with one keyword in `dc:subject`."""
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:subject><rdf:Bag>'
        f"{words}</rdf:Bag></dc:subject></rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


def data_set(number: int, value: bytes, record: int = 2) -> bytes:
    """An IPTC data set."""
    return bytes((0x1C, record, number)) + struct.pack(">H", len(value)) + value


def resources(iptc: bytes) -> bytes:
    """Photoshop's resources: a resolution, then IPTC."""
    blocks = ((0x03ED, bytes(16)), (0x0404, iptc))
    return b"".join(
        b"8BIM" + struct.pack(">HxxI", number, len(body)) + body + bytes(len(body) % 2) for number, body in blocks
    )


def with_iptc(iptc: bytes) -> bytes:
    """The APP13 segment that carries IPTC."""
    return segment(0xED, b"Photoshop 3.0\0" + resources(iptc))


def xp(*words: str) -> tuple[int, int, int, bytes]:
    """XPKeywords as Windows writes them."""
    value = (";".join(words) + "\0").encode("utf-16-le")
    return 0x9C9E, 1, len(value), value


def drafted(photo: bytes, format_: Format = Format.JPEG, sidecar: bytes | None = None, **changed: object) -> TagDraft:
    """The draft for a photo that has no sidecar yet, with what is changed in the request."""
    digest = hashlib.sha256(photo).hexdigest()
    request = TagRequest(place(), format_, digest, BLUR, RECORD, place("a.jpg.xmp"), embed=False)
    return draft(replace(request, **changed), {place(): photo, place("a.jpg.xmp"): sidecar}.get)  # type: ignore[arg-type]


def sidecar_of(photo: bytes, format_: Format = Format.JPEG) -> bytes:
    """The new sidecar of a photo."""
    (rewrite,) = drafted(photo, format_).rewrites
    return apply_edits(b"", rewrite.edits)


def words(data: bytes) -> tuple[str, ...] | None:
    """Return the keywords in `dc:subject`."""
    return listed_keywords(read_xmp(data), SUBJECT)


def digikam_jpeg() -> bytes:
    """A JPEG as digiKam leaves it."""
    return jpeg(segment(0xE1, XMP_HEAD + DIGIKAM))


def test_a_new_sidecar_shows_what_the_photo_shows() -> None:
    """Keywords in every list, stars, labels, titles and faces; ours are added."""
    new = sidecar_of(digikam_jpeg())

    assert [listed_keywords(read_xmp(new), which) for which in KEYWORD_LISTS] == [
        ("Holiday & sun", "defect:blur"),
        ("Trips|Holiday", "defect:blur"),
        ("Trips/Holiday", "defect:blur"),
    ]
    for piece in (b'xmp:Rating="4"', b'MicrosoftPhoto:Rating="75"', b'digiKam:PickLabel="3"', b"At sea", b'"Ada"'):
        assert piece in new


def test_edits_histories_and_technical_facts_stay_in_the_photo() -> None:
    """Darktable would develop an exported JPEG a second time; ids and notes belong to the one file."""
    new = sidecar_of(digikam_jpeg())

    for piece in (
        b"darktable:history",
        b"crs:Exposure",
        b"xmpMM:History",
        b"tiff:Model",
        b"CreatorTool",
        b"HasExtended",
    ):
        assert piece not in new
    assert b"<?xpacket" not in new
    assert new.startswith(b"<?xml")


def test_what_is_copied_is_copied_byte_for_byte() -> None:
    """Nothing is re-serialised: the packet less what is cut out, and our values."""
    document = DIGIKAM[DIGIKAM.index(b"<x:xmpmeta") : DIGIKAM.index(b"</x:xmpmeta>") + 12]
    for cut in (
        b""" tiff:Model='a "camera"'""",
        b'\n   crs:Exposure2012="+1.00"',
        b' xmp:CreatorTool="digiKam-7.9.0"',
        b'\n   <xmpMM:History><rdf:Seq><rdf:li stEvt:action="saved"/></rdf:Seq></xmpMM:History>',
        b'\n   <darktable:history><rdf:Seq><rdf:li darktable:num="0"/></rdf:Seq></darktable:history>',
    ):
        assert cut in document
        document = document.replace(cut, b"")
    note = document.index(b"\n  <rdf:Description", document.index(b"</rdf:Description>"))
    document = document[:note] + document[document.index(b"\n </rdf:RDF>") :]

    assert initial_sidecar(digikam_jpeg(), Format.JPEG).splitlines()[1:] == document.splitlines()


def test_a_later_judgement_removes_only_our_keywords() -> None:
    """The photo's own keywords in the sidecar are the user's."""
    old = sidecar_of(digikam_jpeg())
    fine = replace(RECORD, scores=Scores(0.02, 0.0, 0.25), verdict=Verdict.KEEP)
    (rewrite,) = drafted(digikam_jpeg(), sidecar=old, keywords=(), record=fine).rewrites
    new = apply_edits(old, rewrite.edits)

    assert words(new) == ("Holiday & sun",)
    assert listed_keywords(read_xmp(new), KEYWORD_LISTS[2]) == ("Trips/Holiday",)


def test_keywords_that_culld_wrote_into_the_photo_can_still_be_removed() -> None:
    """The sidecar was lost: our keyword in the photo is not taken for the user's."""
    (rewrite,) = drafted(digikam_jpeg(), embed=True).rewrites[1:]
    tagged = apply_edits(digikam_jpeg(), rewrite.edits)

    new = sidecar_of(tagged)

    assert given_by_culld(read_xmp(new)) == BLUR
    assert words(new) == ("Holiday & sun", "defect:blur")


def test_a_filled_rating_field_gets_no_reject_flag() -> None:
    """A reject flag fills an empty field only, also in a new sidecar."""
    (rewrite,) = drafted(digikam_jpeg(), reject_flags=(RejectFlag.RATING, RejectFlag.LABEL)).rewrites
    new = read_xmp(apply_edits(b"", rewrite.edits))

    assert flag_value(new, FLAG_PROPERTIES[RejectFlag.RATING]) == "4"
    assert flag_value(new, FLAG_PROPERTIES[RejectFlag.LABEL]) == "Red"


def test_iptc_and_exif_count_where_there_is_no_xmp() -> None:
    """Older programs, and Windows, write nothing else."""
    iptc = data_set(25, b"Holiday") + data_set(25, b"Sea") + data_set(120, b"By the <sea>") + data_set(80, b"Ada")
    short = struct.pack("<HH", 4, 0)
    block = exif_block(extra=[xp("sea", "Boat"), (0x4746, 3, 1, short)])
    new = sidecar_of(jpeg(exif_segment(block), with_iptc(iptc)))

    assert words(new) == ("Holiday", "Sea", "Boat", "defect:blur")
    assert b"By the &lt;sea&gt;" in new
    assert b">4</xmp:Rating>" in new
    assert b"<rdf:Seq><rdf:li>Ada</rdf:li></rdf:Seq>" in new


def test_keywords_that_xmp_lacks_are_added_to_its_list() -> None:
    """Darktable shows those of IPTC beside those of XMP; none is doubled, also not one that IPTC cut short."""
    long = "a keyword of more than sixty-four bytes, which no IPTC data set holds"
    packet = bag(f"<rdf:li>Holiday</rdf:li><rdf:li>{long}</rdf:li>")
    iptc = data_set(25, b"holiday") + data_set(25, b"Sea") + data_set(25, long.encode()[:64])
    new = sidecar_of(jpeg(segment(0xE1, XMP_HEAD + packet), with_iptc(iptc)))

    assert words(new) == ("Holiday", long, "Sea", "defect:blur")


@pytest.mark.parametrize(
    ("iptc", "word"),
    [
        (data_set(90, b"\x1b%G", 1) + data_set(25, "Köln".encode()), "Köln"),
        (data_set(25, "Köln".encode()), "Köln"),
        (data_set(25, "Köln".encode("latin-1")), "Köln"),
        (data_set(25, b"a\x01b\0"), "ab"),
        (data_set(25, "👩\u200d👧".encode()), "👩\u200d👧"),
        (data_set(25, b"Koeln") + b"\x1c\2\x19\xff\xff", "Koeln"),
    ],
)
def test_iptc_is_read_in_its_character_set(iptc: bytes, word: str) -> None:
    """UTF-8 where it is declared or valid, else Latin-1; damage ends the reading."""
    assert words(sidecar_of(jpeg(with_iptc(iptc)))) == (word, "defect:blur")


def test_a_new_list_inside_the_photo_begins_with_its_iptc_keywords() -> None:
    """DigiKam and exiftool read IPTC only where there is no dc:subject."""
    photo = jpeg(with_iptc(data_set(25, b"Holiday")))
    (rewrite,) = drafted(photo, sidecar=bag("<rdf:li>x</rdf:li>"), embed=True).rewrites[1:]
    tagged = apply_edits(photo, rewrite.edits)

    start = tagged.index(XMP_HEAD) + len(XMP_HEAD)
    packet = tagged[start : tagged.index(b'end="w"?>') + 9]
    assert words(packet) == ("Holiday", "defect:blur")
    assert given_by_culld(read_xmp(packet)) == BLUR


def test_a_new_packet_inside_the_photo_begins_with_its_stars() -> None:
    """Darktable reads EXIF stars only where there is no XMP."""
    short = struct.pack("<HH", 4, 0)
    photo = jpeg(exif_segment(exif_block(extra=[(0x4746, 3, 1, short)])))
    (rewrite,) = drafted(photo, sidecar=bag(""), embed=True).rewrites[1:]
    tagged = apply_edits(photo, rewrite.edits)
    packet = tagged[tagged.index(XMP_HEAD) + len(XMP_HEAD) : tagged.index(b'end="w"?>') + 9]

    assert flag_value(read_xmp(packet), FLAG_PROPERTIES[RejectFlag.RATING]) == "4"
    assert words(packet) == BLUR


def png(*, packed: bool) -> bytes:
    """A PNG with digiKam's packet."""
    info = PngInfo()
    info.add_itxt("XML:com.adobe.xmp", DIGIKAM.decode(), zip=packed)
    return factories.encoded(factories.picture(3, (64, 48)), "PNG", pnginfo=info)


def tiff(order: str = "<", tag: int = 0x83BB, value: bytes = data_set(25, b"Holiday & sun")) -> bytes:
    """A directory of one entry, of which no picture is read."""
    head = {"<": b"II*\0", ">": b"MM\0*"}[order]
    entry = struct.pack(order + "HHHII", 1, tag, 7, len(value), 26)
    return head + struct.pack(order + "I", 8) + entry + bytes(4) + value


CONTAINERS = {
    "png": (Format.PNG, png(packed=False)),
    "png, packed": (Format.PNG, png(packed=True)),
    "webp": (Format.WEBP, factories.encoded(factories.picture(3, (64, 48)), "WEBP", xmp=DIGIKAM)),
    "tiff": (Format.TIFF, tiff(tag=0x02BC, value=DIGIKAM)),
    "tiff with IPTC": (Format.TIFF, tiff()),
    "tiff with Photoshop's resources": (
        Format.TIFF,
        tiff(">", 0x8649, resources(data_set(25, b"Holiday & sun"))),
    ),
    "a RAW like TIFF": (Format.RAW, tiff(tag=0x02BC, value=DIGIKAM)),
    "a RAW with its packet elsewhere": (Format.RAW, tiff(tag=0x0100) + DIGIKAM),
    "a RAW of another kind": (Format.RAW, b"FUJIFILMCCD-RAW " + DIGIKAM),
    "heif": (Format.HEIF, b"\0\0\0\x18ftypheic" + DIGIKAM),
    "jpeg with a movie behind": (Format.JPEG, digikam_jpeg() + b"movie"),
    "jpeg with its packet twice": (Format.JPEG, jpeg(*[segment(0xE1, XMP_HEAD + DIGIKAM)] * 2)),
    "avif with XPKeywords": (Format.AVIF, b"\0\0\0\x18ftypavif...Exif\0\0" + exif_block(extra=[xp("Holiday & sun")])),
}


@pytest.mark.parametrize("case", CONTAINERS)
def test_every_container_is_read(case: str) -> None:
    """Also those that culld never writes to."""
    format_, photo = CONTAINERS[case]

    assert words(sidecar_of(photo, format_)) == ("Holiday & sun", "defect:blur")


@pytest.mark.parametrize(
    ("photo", "reason"),
    [
        (jpeg(segment(0xE1, XMP_HEAD + b"<broken")), "not well-formed"),
        (jpeg(segment(0xE1, XMP_HEAD + b"<!DOCTYPE x>" + bag(""))), "DOCTYPE"),
        (jpeg(segment(0xE1, XMP_HEAD + bag("").decode().encode("utf-16"))), "UTF-8"),
        (jpeg(segment(0xE1, XMP_HEAD + bag("<rdf:li>a</rdf:li>").replace(b"Bag", b"Seq"))), "open list"),
        (jpeg(*(segment(0xE1, XMP_HEAD + bag(f"<rdf:li>{n}</rdf:li>")) for n in "ab")), "they differ"),
        (
            jpeg(segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + bytes(40) + bag("<rdf:li>a</rdf:li>"))),
            "several segments",
        ),
    ],
)
def test_without_understanding_the_photo_no_sidecar_is_made(photo: bytes, reason: str) -> None:
    """It would hide what the photo holds; the note gives the reason."""
    tags = drafted(photo)

    assert tags.rewrites == ()
    assert tags.notes[0].startswith("no sidecar was written: it would hide what the photo holds")
    assert reason in tags.notes[0]


def test_an_empty_list_of_keywords_does_not_prevent_a_sidecar() -> None:
    """Some programs leave one; it holds nothing that a sidecar could hide."""
    packet = bag("").replace(b"<rdf:Bag></rdf:Bag>", b"<rdf:Bag/>")

    assert words(sidecar_of(jpeg(segment(0xE1, XMP_HEAD + packet)))) == BLUR


def test_a_sidecar_is_made_only_if_needed_where_that_is_asked_for() -> None:
    """A photo that takes keywords needs none; one that refuses them does; an existing sidecar is extended."""
    plain, movie = jpeg(), jpeg(trailer=b"movie")

    assert [each.place for each in drafted(plain, embed=True, if_needed=True).rewrites] == [place()]
    assert [each.place for each in drafted(movie, embed=True, if_needed=True).rewrites] == [place("a.jpg.xmp")]
    assert [each.place for each in drafted(plain, if_needed=True).rewrites] == [place("a.jpg.xmp")]
    both = drafted(plain, sidecar=bag(""), embed=True, if_needed=True)
    assert [each.place for each in both.rewrites] == [place("a.jpg.xmp"), place()]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'xmp:Rating="4"', b'xmp:Rating="3"'),
        (b"At sea", b"At home"),
        (b"<rdf:li>Trips/Holiday</rdf:li>", b""),
        (b"<rdf:li>Holiday &amp; sun</rdf:li>", b""),
        (b'mwg-rs:Name="Ada"', b'mwg-rs:Name="Eve"'),
        (b' xmp:Rating="4"', b' xmp:Rating="4" crs:Exposure2012="+1.00"'),
    ],
)
def test_verification_notices_what_is_missing_or_too_much(old: bytes, new: bytes) -> None:
    """Such a sidecar would never be published."""
    seed = initial_sidecar(digikam_jpeg(), Format.JPEG)
    assert old in seed

    verify_initial_sidecar(digikam_jpeg(), Format.JPEG, seed)
    with pytest.raises(TagRefusedError, match="verification failed"):
        verify_initial_sidecar(digikam_jpeg(), Format.JPEG, seed.replace(old, new))


@pytest.mark.parametrize("packet", [b"?>", b"x?>", b"<?xpacket ?>", b"<?xpacket?><x/>?>"])
def test_a_packet_with_half_a_wrapper_is_refused(packet: bytes) -> None:
    """The end of a processing instruction without its beginning is no wrapper."""
    photo = jpeg(segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet))

    with pytest.raises(TagRefusedError, match="well-formed"):
        initial_sidecar(photo, Format.JPEG)


@settings(deadline=None, max_examples=400)
@given(st.data())
def test_damaged_photos_get_a_proven_sidecar_or_none(data: st.DataObject) -> None:
    """Whatever bytes are changed, the answer is never another error."""
    format_, photo = CONTAINERS[data.draw(st.sampled_from(sorted(CONTAINERS)))]
    damaged = bytearray(photo)
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.one_of(st.integers(0, 90), st.integers(0, len(damaged))))
        damaged[start : start + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    tags = drafted(bytes(damaged), format_)

    assert bool(tags.rewrites) != bool(tags.notes)
