"""Keywords in the EXIF block of a JPEG: what changes, what stays, and which files are refused."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from culld.errors import TagRefusedError
from culld.files.rewrite import inverse
from culld.records import Edit, Format
from culld.tags.containers.exif_block import read_block
from culld.tags.containers.ifd_append import MAGIC, XP_KEYWORDS
from culld.tags.containers.jpeg import read_jpeg
from culld.tags.edits import apply_edits
from culld.tags.embedded import embedded_edits, exif_change
from culld.tags.keywords import encode_keywords, keywords_in
from culld.tags.sidecar import SUBJECT, listed_keywords
from culld.tags.verify import verify_embedded
from culld.tags.xmp import read_xmp
from harness import exif
from harness.exif import exif_block, exif_segment, jpeg, put_directory, segment, text

BLUR = ("defect:blur",)
MAX_BLOCK = 0xFFFF - 2 - len(b"Exif\0\0")
"""The largest EXIF block that a segment can hold, in bytes."""
XMP = b"http://ns.adobe.com/xap/1.0/\0" + exif.PACKET


def xp(value: bytes, kind: int = 1) -> exif.Field:
    """An XPKeywords entry."""
    return XP_KEYWORDS, kind, len(value), value


def camera_file(order: str = "<", *extra: exif.Field) -> bytes:
    """A camera's JPEG with EXIF, XMP and a comment."""
    return jpeg(exif_segment(exif_block(order, extra=extra)), segment(0xE1, XMP), segment(0xFE, b"comment"))


def tagged(old: bytes, keywords: tuple[str, ...] = BLUR) -> bytes:
    """Return the file after the edits, verified."""
    new = apply_edits(old, embedded_edits(old, Format.JPEG, keywords))
    verify_embedded(old, new, Format.JPEG, keywords)
    return new


def exif_edits(data: bytes, keywords: tuple[str, ...]) -> tuple[Edit, ...]:
    """The edits of the EXIF block alone."""
    container = read_jpeg(data)
    return container.splice(exif_change(container, keywords))


def xp_keywords(data: bytes) -> tuple[str, ...]:
    """Return the keywords in XPKeywords."""
    return keywords_in(read_block(read_jpeg(data).block or b""))


def pixels(data: bytes) -> bytes:
    """Return the pixels as Pillow decodes them."""
    with Image.open(io.BytesIO(data)) as image:
        return image.tobytes()


def test_a_file_without_exif_gets_the_smallest_block() -> None:
    """Byte for byte: behind the JFIF head, one entry, UTF-16LE text with its NUL."""
    old = jpeg()
    (edit,) = exif_edits(old, ("é",))

    assert (20, b"") == (edit.offset, edit.removed)
    assert (
        b"\xff\xe1\x00\x2aExif\0\0" + b"II*\0\x10\0\0\0" + b"culld-1\0"
        b"\x01\0" + b"\x9e\x9c\x01\0\x04\0\0\0" + b"\xe9\0\0\0" + b"\0\0\0\0"
    ) == edit.inserted
    assert ("é",) == xp_keywords(tagged(old, ("é",)))


def test_a_file_without_any_head_gets_its_block_first() -> None:
    """EXIF follows SOI where there is no JFIF segment."""
    plain = jpeg()
    bare = plain[:2] + plain[20:]

    assert 2 == exif_edits(bare, BLUR)[0].offset
    assert BLUR == xp_keywords(tagged(bare))


def test_another_builder_can_make_the_new_block() -> None:
    """The block for a file without EXIF may come from elsewhere; the proof reads it all the same."""

    def build(value: bytes) -> bytes:
        data = bytearray(26 + len(value))
        data[:8] = b"MM\0*\0\0\0\x08"
        put_directory(data, ">", 8, [xp(value)])
        return bytes(data)

    old = jpeg()
    new = apply_edits(old, embedded_edits(old, Format.JPEG, BLUR, build_exif=build))
    verify_embedded(old, new, Format.JPEG, BLUR)

    assert BLUR == xp_keywords(new)


def test_a_packet_with_padding_keeps_its_length() -> None:
    """No byte behind it moves; the keywords replace blanks."""
    old = camera_file()
    new = tagged(old)

    assert len(read_jpeg(old).packet or b"") == len(read_jpeg(new).packet or b"")
    assert BLUR == listed_keywords(read_xmp(read_jpeg(new).packet or b""), SUBJECT)


def test_a_packet_without_padding_grows() -> None:
    """And the length of its segment grows with it."""
    old = jpeg(segment(0xE1, XMP.replace(b" " * 1000, b"")))

    assert BLUR == listed_keywords(read_xmp(read_jpeg(tagged(old)).packet or b""), SUBJECT)


def test_a_file_without_packet_gets_one_behind_exif() -> None:
    """Lightroom reads keywords nowhere else."""
    new = tagged(jpeg())
    found = read_jpeg(new)

    assert found.exif is not None
    assert found.xmp is not None
    assert found.exif.end == found.xmp.start
    assert BLUR == listed_keywords(read_xmp(found.packet or b""), SUBJECT)


def test_keywords_that_no_longer_apply_are_removed() -> None:
    """Only our keywords; a keyword that the user added as well stays, in both places."""
    old = camera_file("<", xp("defect:blur;holiday\0".encode("utf-16-le")))
    both = tagged(old, ("defect:blur", "defect:overexposed"))
    none = tagged(both, ())

    assert ("defect:blur", "holiday", "defect:overexposed") == xp_keywords(both)
    assert ("defect:blur", "holiday") == xp_keywords(none)
    assert ("defect:blur", "holiday") == listed_keywords(read_xmp(read_jpeg(none).packet or b""), SUBJECT)
    assert () == xp_keywords(tagged(tagged(camera_file()), ()))


def test_no_keywords_mean_no_edits() -> None:
    """A photo without defects keeps its bytes."""
    assert () == exif_edits(jpeg(), ())
    assert () == exif_edits(camera_file(), ())


@pytest.mark.parametrize("order", ["<", ">"])
def test_an_existing_block_is_extended_and_never_rebuilt(order: str) -> None:
    """Three places change: the segment's length, the pointer to IFD0, and the end of the block."""
    old = camera_file(order)
    edits = exif_edits(old, BLUR)
    block, after = read_jpeg(old).block or b"", read_jpeg(tagged(old)).block or b""

    assert [2, 4, 0] == [len(edit.removed) for edit in edits]
    assert block[8:] == after[8 : len(block)]
    assert (b"Maker's own\0secret", "R98") == _deep_facts(after)
    assert pixels(old) == pixels(tagged(old))


def _deep_facts(block: bytes) -> tuple[bytes, str]:
    """MakerNote and interoperability index, as Pillow reads them."""
    exif = Image.Exif()
    exif.load(b"Exif\0\0" + block)
    return exif.get_ifd(0x8769)[0x927C], exif.get_ifd(0xA005)[1]


@pytest.mark.parametrize("order", ["<", ">"])
def test_keywords_of_the_user_stay_first(order: str) -> None:
    """Ours are appended, in UTF-16LE whatever the byte order."""
    old = camera_file(order, xp("Nordsee;möwe\0".encode("utf-16-le")))

    assert ("Nordsee", "möwe", "defect:blur") == xp_keywords(tagged(old))


def test_a_short_value_in_the_entry_itself_is_read() -> None:
    """Four bytes fit into the entry, where others have an offset."""
    assert ("q", "defect:blur") == xp_keywords(tagged(camera_file("<", xp(b"q\0\0\0"))))


def test_an_empty_value_counts_as_no_keywords() -> None:
    """Some programs leave a lone NUL."""
    assert BLUR == xp_keywords(tagged(camera_file("<", xp(b"\0\0"))))


def test_existing_keywords_are_not_written_again() -> None:
    """Windows writes a blank behind the semicolon."""
    assert () == exif_edits(camera_file("<", xp("a; defect:blur\0".encode("utf-16-le"))), BLUR)
    assert () == exif_edits(tagged(camera_file()), BLUR)


def test_the_entry_stands_in_its_place_among_the_tags() -> None:
    """Entries are in ascending order of their tags, as TIFF demands."""
    old = camera_file("<", (0xC4A5, 7, 4, b"PIM\0"), text(0x0110, b"model\0"))
    entries = read_block(read_jpeg(tagged(old)).block or b"").directories["IFD0"].entries

    assert [0x010F, 0x0110, 0x8769, 0x8825, XP_KEYWORDS, 0xC4A5] == [entry.tag for entry in entries]


def test_a_second_change_reuses_our_own_tail() -> None:
    """The block grows by the new keyword only, and the old bytes do not change; the packet uses its padding."""
    once = tagged(camera_file(">"))
    twice = tagged(once, ("defect:blur", "defect:overexposed"))

    assert len(once) + len(";defect:overexposed".encode("utf-16-le")) == len(twice)
    assert ("defect:blur", "defect:overexposed") == xp_keywords(twice)
    assert 1 == twice.count(MAGIC)


def test_a_tail_that_another_program_extended_is_not_reused() -> None:
    """The bytes behind our tail belong to another program."""
    once = tagged(camera_file())
    block = (read_jpeg(once).block or b"") + b"somebody else's"
    longer = jpeg(exif_segment(block))

    assert b"somebody else's" in tagged(longer, ("defect:overexposed",))


def test_a_tail_into_which_another_entry_points_is_not_reused() -> None:
    """A value that moved into our tail would be lost with it."""
    once = tagged(camera_file())
    block = bytearray(read_jpeg(once).block or b"")
    make = read_block(bytes(block)).directories["IFD0"].entries[0]
    at = block.index(make.raw, block.index(MAGIC))
    block[at + 8 : at + 12] = struct.pack("<I", len(block) - make.end + make.start)
    other = tagged(jpeg(exif_segment(bytes(block))), ("defect:overexposed",))

    assert 2 == other.count(MAGIC)


def patched(old: bytes, at: int, new: bytes) -> bytes:
    """The block with other bytes at an offset."""
    return old[:at] + new + old[at + len(new) :]


def ifd(offset: int, index: int, field: int) -> int:
    """Return the offset of a field of an entry: 0 tag, 2 type, 4 count, 8 value."""
    return offset + 2 + 12 * index + field


BLOCK = exif_block()
LATE = struct.pack("<I", len(BLOCK) - 2)
EXIF_AT_8 = struct.pack("<I", exif.IFD0)


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        (b"", "like TIFF"),
        (b"II+\0\x08\0\0\0" + BLOCK[8:], "like TIFF"),
        (b"II*\0\x04\0\0\0" + BLOCK[8:], "impossible"),
        (b"II*\0" + struct.pack("<I", len(BLOCK)) + BLOCK[8:], "cut short"),
        (BLOCK[:20], "cut short"),
        (BLOCK[:-1], "thumbnail lies outside"),
        (patched(BLOCK, ifd(exif.IFD0, 0, 2), b"\x0e\0"), "unknown type 14"),
        (patched(BLOCK, ifd(exif.IFD0, 0, 2), b"\0\0"), "unknown type 0"),
        (patched(BLOCK, ifd(exif.IFD0, 0, 4), b"\xff\xff\xff\xff"), "lies outside"),
        (patched(BLOCK, ifd(exif.IFD0, 0, 8), LATE), "lies outside"),
        (patched(BLOCK, ifd(exif.IFD0, 0, 8), b"\x02\0\0\0"), "lies outside"),
        (patched(BLOCK, ifd(exif.IFD0, 1, 8), EXIF_AT_8), "circle"),
        (patched(BLOCK, ifd(exif.IFD0, 1, 2), b"\x02\0"), "no pointer"),
        (patched(BLOCK, ifd(exif.IFD0, 1, 8), LATE), "cut short|outside|unknown"),
        (patched(BLOCK, exif.IFD0 + 2 + 3 * 12, EXIF_AT_8), "circle"),
        (patched(BLOCK, exif.IFD1 + 2 + 3 * 12, struct.pack("<I", exif.GPS)), "third directory"),
        (patched(BLOCK, ifd(exif.EXIF, 1, 8), struct.pack("<I", exif.EXIF)), "circle"),
        (patched(BLOCK, ifd(exif.GPS, 1, 8), LATE), "lies outside"),
        (patched(BLOCK, ifd(exif.INTEROP, 0, 4), b"\xff\xff\0\0"), "lies outside"),
        (patched(BLOCK, ifd(exif.IFD1, 1, 8), LATE), "thumbnail lies outside"),
        (patched(BLOCK, ifd(exif.IFD1, 1, 2), b"\x07\0"), "no number"),
        (patched(BLOCK, ifd(exif.IFD1, 2, 0), b"\x03\x02"), "no offset or no length"),
        (exif_block(extra=[(0x014A, 4, 1, b"\x08\0\0\0")]), "SubIFDs"),
        (exif_block(extra=[xp(b"a\0\0\0"), xp(b"b\0\0\0")]), "occurs twice"),
        (exif_block(extra=[xp(b"abcdef", kind=2)]), "no bytes"),
        (exif_block(extra=[xp(b"abcde")]), "no text"),
        (exif_block(extra=[xp(b"\x00\xd8b\0")]), "no text"),
        (exif_block(extra=[xp(b"a\0\0\0b\0\0\0")]), "two texts"),
        (exif_block(thumbnail=bytes(MAX_BLOCK - exif.THUMBNAIL)), "full"),
        (exif_block(thumbnail=bytes(MAX_BLOCK - exif.THUMBNAIL - 60)), "full"),
    ],
)
def test_blocks_that_are_not_wholly_understood_are_left_alone(block: bytes, reason: str) -> None:
    """Loops, unknown types and anything that points outside are refused, never repaired."""
    with pytest.raises(TagRefusedError, match=reason):
        exif_edits(jpeg(exif_segment(block)), BLUR)


def test_a_block_may_fill_its_segment_to_the_end() -> None:
    """A segment's length has 16 bits; our blocks have even lengths, so the last byte but one is the end."""
    small = exif_block(thumbnail=b"\xff\xff")
    growth = len(read_jpeg(tagged(jpeg(exif_segment(small)))).block or b"") - len(small)
    room = MAX_BLOCK - 1 - exif.THUMBNAIL - growth
    full = exif_block(thumbnail=bytes(room))

    assert MAX_BLOCK - 1 == len(read_jpeg(tagged(jpeg(exif_segment(full)))).block or b"")
    with pytest.raises(TagRefusedError, match="full"):
        exif_edits(jpeg(exif_segment(exif_block(thumbnail=bytes(room + 2)))), BLUR)


def test_a_directory_begins_on_an_even_offset() -> None:
    """TIFF demands it, whatever the length of the old block."""
    for thumbnail in (b"odd", b"even"):
        block = read_jpeg(tagged(jpeg(exif_segment(exif_block(thumbnail=thumbnail))))).block or b""
        assert 0 == read_block(block).directories["IFD0"].offset % 2


PLAIN = jpeg()
TWO_SCANS = jpeg(progressive=True)
EXIF = exif_segment(BLOCK)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "begin like a JPEG"),
        (b"\x89PNG" + PLAIN, "begin like a JPEG"),
        (PLAIN[:-1], "cut short"),
        (PLAIN[:-2], "cut short"),
        (PLAIN[:100], "cut short"),
        (PLAIN[:21], "cut short"),
        (TWO_SCANS[: len(TWO_SCANS) // 2], "cut short"),
        (b"\xff\xd8\xff\xd9", "no picture"),
        (b"\xff\xd8" + segment(0xDA, bytes(10)) + b"\xff\xd9", "no picture"),
        (jpeg(trailer=b"\0"), "more bytes follow"),
        (jpeg(trailer=PLAIN), "more bytes follow"),
        (jpeg(b"\xff\xd0"), "where none may be"),
        (jpeg(b"\xff\xd8"), "where none may be"),
        (jpeg(b"\xff\xe0\0\1"), "cut short or damaged"),
        (jpeg(b"\0\0"), "cut short or damaged"),
        (jpeg(EXIF, segment(0xE2, b"MPF\0more")), "more than one picture"),
        (jpeg(EXIF, segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + bytes(40))), "several segments"),
        (jpeg(EXIF, segment(0xE1, XMP), segment(0xE1, XMP)), "XMP twice"),
        (jpeg(EXIF, EXIF), "EXIF twice"),
        (jpeg(EXIF, segment(0xEB, b"JP\0\1" + bytes(20))), "content credentials"),
        (jpeg(segment(0xE1, b"Exif\0\xff" + BLOCK)), "unusual"),
        (TWO_SCANS.replace(b"\xff\xda", EXIF + b"\xff\xda").replace(EXIF, b"", 1), "twice|unusual"),
    ],
)
def test_files_that_could_come_to_harm_are_left_alone(data: bytes, reason: str) -> None:
    """Each reason from the protocol: tails, several pictures, split XMP, damage."""
    with pytest.raises(TagRefusedError, match=reason):
        exif_edits(data, BLUR)


def test_exif_behind_the_first_scan_is_unusual() -> None:
    """No camera puts it there, so we would not know what else is odd."""
    second = TWO_SCANS.index(b"\xff\xda", TWO_SCANS.index(b"\xff\xda") + 2)

    with pytest.raises(TagRefusedError, match="unusual"):
        exif_edits(TWO_SCANS[:second] + EXIF + TWO_SCANS[second:], BLUR)


def test_progressive_pictures_and_filling_bytes_are_understood() -> None:
    """Several scans, and FF before a marker, are part of the standard."""
    padded = TWO_SCANS.replace(b"\xff\xdb", b"\xff\xff\xff\xdb")[:-2] + b"\xff\xff\xff\xd9"

    assert BLUR == xp_keywords(tagged(padded))
    assert pixels(TWO_SCANS) == pixels(tagged(padded))


OLD = camera_file()
NEW = tagged(OLD)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (OLD, "keywords do not read back"),
        (jpeg(segment(0xE1, XMP), segment(0xFE, b"comment")), "keywords do not read back"),
        (NEW.replace(b"Rating", b"Ratimg"), "values of other programs"),
        (NEW.replace(b"comment", b"Comment"), "outside the EXIF block"),
        (NEW[:-4] + b"\0" + NEW[-3:], "outside the EXIF block"),
        (NEW.replace(b"secret", b"Secret"), "old bytes of the EXIF block"),
        (NEW.replace(b"Camera maker", b"camera maker"), "old bytes of the EXIF block"),
        (NEW.replace("blur".encode("utf-16-le"), "blue".encode("utf-16-le")), "keywords do not read back"),
        (NEW[::-1], "begin like a JPEG"),
    ],
)
def test_verification_notices_any_other_change(wrong: bytes, reason: str) -> None:
    """A splice that touched one byte too many would never be published."""
    assert wrong != NEW
    with pytest.raises(TagRefusedError, match=reason):
        verify_embedded(OLD, wrong, Format.JPEG, BLUR)


def test_verification_notices_a_changed_entry_in_the_copy() -> None:
    """The copied directory must hold the old entries, bit for bit."""
    block = bytearray(read_jpeg(NEW).block or b"")
    make = block.index(struct.pack("<H", 0x010F), block.index(MAGIC))
    block[make + 4] -= 1
    wrong = NEW.replace(read_jpeg(NEW).block or b"", bytes(block))

    with pytest.raises(TagRefusedError, match="other EXIF entries"):
        verify_embedded(OLD, wrong, Format.JPEG, BLUR)


def test_verification_of_a_reused_tail_covers_all_before_it() -> None:
    """Only the tail itself may be replaced."""
    wrong = tagged(NEW, ("defect:overexposed",)).replace(b"secret", b"Secret")

    with pytest.raises(TagRefusedError, match="old bytes of the EXIF block"):
        verify_embedded(NEW, wrong, Format.JPEG, ("defect:overexposed",))


WORD = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters=";"), min_size=1)


@settings(deadline=None)
@given(
    order=st.sampled_from("<>"),
    note=st.binary(min_size=5, max_size=300),
    thumbnail=st.binary(min_size=1, max_size=301),
    there=st.lists(WORD, max_size=3),
    wanted=st.lists(st.lists(WORD, min_size=1, max_size=3), min_size=1, max_size=3),
)
def test_any_block_keeps_all_it_had(
    order: str, note: bytes, thumbnail: bytes, there: list[str], wanted: list[list[str]]
) -> None:
    """Each change is verified and exactly reversible, is not repeated, and removes only the last keywords."""
    extra = [xp(encode_keywords(there))] if there else []
    data = jpeg(exif_segment(exif_block(order, extra=extra, note=note, thumbnail=thumbnail)))
    first = data
    for keywords in wanted:
        edits = embedded_edits(data, Format.JPEG, keywords)
        new = tagged(data, tuple(keywords))
        assert data == apply_edits(new, inverse(edits))
        assert () == embedded_edits(new, Format.JPEG, keywords)
        data = new

    assert {*there, *wanted[-1]} == set(xp_keywords(data))
    assert (read_jpeg(first).block or b"")[8:] in (read_jpeg(data).block or b"")
    assert pixels(first) == pixels(data)


@settings(deadline=None, max_examples=400)
@given(st.data())
def test_damaged_files_are_refused_or_kept(data: st.DataObject) -> None:
    """Whatever bytes are changed, the result is a refusal or a verified splice, never another error."""
    damaged = bytearray(data.draw(st.sampled_from([OLD, NEW, PLAIN])))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(damaged)))
        damaged[start : start + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    old = bytes(damaged)
    try:
        edits = embedded_edits(old, Format.JPEG, ("defect:overexposed",))
    except TagRefusedError:
        return
    assert old == apply_edits(tagged(old, ("defect:overexposed",)), inverse(edits))


@settings(deadline=None, max_examples=400)
@given(st.data())
def test_damaged_blocks_are_refused_or_kept(data: st.DataObject) -> None:
    """The same for damage in the directories alone, where most of it is found."""
    damaged = bytearray(exif_block(data.draw(st.sampled_from("<>"))))
    for _ in range(data.draw(st.integers(1, 4))):
        base = data.draw(st.sampled_from([0, exif.IFD0, exif.EXIF, exif.GPS, exif.INTEROP, exif.IFD1]))
        damaged[base + data.draw(st.integers(0, 50))] = data.draw(st.integers(0, 255))
    old = jpeg(exif_segment(bytes(damaged)))
    try:
        edits = embedded_edits(old, Format.JPEG, BLUR)
    except TagRefusedError:
        return
    assert old == apply_edits(tagged(old), inverse(edits))
