"""Keywords inside PNG, WebP and TIFF: what changes, what stays, and which files are refused."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from culld.errors import TagRefusedError
from culld.files.rewrite import inverse
from culld.records import Format, RejectFlag
from culld.tags.containers.registry import read_container
from culld.tags.containers.tiff import read_tiff
from culld.tags.edits import apply_edits
from culld.tags.embedded import embedded_edits
from culld.tags.embedded_metadata import embedded_metadata_in, fields_in
from culld.tags.keywords import keywords_in
from culld.tags.reject_flags import FLAG_PROPERTIES, flag_value
from culld.tags.sidecar import SUBJECT, listed_keywords
from culld.tags.verify import verify_embedded
from culld.tags.xmp import read_xmp
from harness import exif, factories

BLUR = ("defect:blur",)
BOTH = ("defect:blur", "defect:overexposed")
SMALL = factories.picture(3, (64, 48))
GHOST = SMALL.convert("RGBA")
GHOST.putalpha(100)


def with_text(image: Image.Image) -> bytes:
    """A PNG with texts of other programs."""
    words = PngInfo()
    words.add_text("Comment", "mine")
    words.add_itxt("Title", "a title", zip=True)
    return factories.encoded(image, "PNG", pnginfo=words)


def with_packet(image: Image.Image) -> bytes:
    """A PNG with the XMP of another program."""
    words = PngInfo()
    words.add_itxt("XML:com.adobe.xmp", exif.PACKET.decode())
    return factories.encoded(image, "PNG", pnginfo=words)


def animated() -> bytes:
    """A WebP with three pictures."""
    frames = [factories.picture(number, (64, 48)) for number in range(3)]
    return factories.encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:])


FILES = {
    "png": (Format.PNG, factories.encoded(SMALL, "PNG")),
    "png with texts": (Format.PNG, with_text(SMALL)),
    "png with XMP": (Format.PNG, with_packet(SMALL)),
    "png with alpha": (Format.PNG, factories.encoded(GHOST, "PNG")),
    "webp": (Format.WEBP, factories.encoded(SMALL, "WEBP")),
    "webp, lossless": (Format.WEBP, factories.encoded(SMALL, "WEBP", lossless=True)),
    "webp, lossless with alpha": (Format.WEBP, factories.encoded(GHOST, "WEBP", lossless=True)),
    "webp with alpha": (Format.WEBP, factories.encoded(GHOST, "WEBP")),
    "webp with EXIF": (Format.WEBP, factories.encoded(SMALL, "WEBP", exif=b"Exif\0\0" + exif.exif_block())),
    "webp with XMP": (Format.WEBP, factories.encoded(SMALL, "WEBP", xmp=exif.PACKET)),
    "webp, animated": (Format.WEBP, animated()),
    "tiff": (Format.TIFF, factories.encoded(SMALL, "TIFF")),
    "tiff, deflated": (Format.TIFF, factories.encoded(SMALL, "TIFF", compression="tiff_deflate")),
    "tiff, big-endian": (Format.TIFF, factories.encoded(SMALL, "TIFF", big_tiff=False, tiffinfo={270: "a title"})),
    "tiff with XMP": (Format.TIFF, factories.encoded(SMALL, "TIFF", tiffinfo={700: exif.PACKET})),
}


@dataclass(frozen=True)
class Seen:
    """What other readers see of a file: its size, its pixels of every page, and its keywords."""

    size: tuple[int, int]
    pixels: tuple[bytes, ...]
    info: tuple[str, ...]


def seen(data: bytes) -> Seen:
    """By Pillow."""
    with Image.open(io.BytesIO(data)) as image:
        pages = []
        for page in range(getattr(image, "n_frames", 1)):
            image.seek(page)
            pages.append(image.convert("RGBA").tobytes())
        info = sorted(f"{key}={value}" for key, value in image.info.items() if key not in {"xmp", "XML:com.adobe.xmp"})
        return Seen(image.size, tuple(pages), tuple(info))


def tagged(format_: Format, old: bytes, keywords: tuple[str, ...] = BLUR) -> bytes:
    """Return the file after the edits; verify them and their inverse."""
    edits = embedded_edits(old, format_, keywords)
    new = apply_edits(old, edits)
    verify_embedded(old, new, format_, keywords)
    assert apply_edits(new, inverse(edits)) == old
    assert embedded_edits(new, format_, keywords) == ()
    return new


def packet(format_: Format, data: bytes) -> bytes:
    """The XMP of a file, empty if it has none."""
    return read_container(data, format_).packet or b""


@pytest.mark.parametrize("kind", FILES)
def test_keywords_are_added_and_everything_else_stays(kind: str) -> None:
    """Pixels, size and texts as Pillow reads them; Pillow finds the packet, too."""
    format_, old = FILES[kind]
    new = tagged(format_, old)

    assert seen(old) == seen(new)
    assert listed_keywords(read_xmp(packet(format_, new)), SUBJECT) == BLUR
    with Image.open(io.BytesIO(new)) as image:
        assert b"defect:blur" in image.info["xmp"]
        assert (b'Rating="3"' in image.info["xmp"]) == ("with XMP" in kind)


@pytest.mark.parametrize("kind", FILES)
def test_keywords_are_replaced_and_removed(kind: str) -> None:
    """A second change replaces the first, and the last removes our keywords."""
    format_, old = FILES[kind]
    twice = tagged(format_, tagged(format_, old), BOTH)
    none = tagged(format_, twice, ())

    assert listed_keywords(read_xmp(packet(format_, twice)), SUBJECT) == BOTH
    assert not listed_keywords(read_xmp(packet(format_, none)), SUBJECT)
    assert seen(old) == seen(none)
    assert len(none) - len(old) < 3000  # a directory and a packet in full


@pytest.mark.parametrize("kind", FILES)
def test_reject_flags_are_set_in_empty_fields_and_are_removed(kind: str) -> None:
    """Lightroom reads them in the photo, not in a sidecar; a rating of the user stays."""
    format_, old = FILES[kind]
    flags = (RejectFlag.RATING, RejectFlag.PICK)
    marked = apply_edits(old, embedded_edits(old, format_, BLUR, flags))
    verify_embedded(old, marked, format_, BLUR, flags)
    back = apply_edits(marked, embedded_edits(marked, format_, ()))
    verify_embedded(marked, back, format_, ())

    document = read_xmp(packet(format_, marked))
    rating = "3" if "with XMP" in kind else "-1"
    assert [flag_value(document, FLAG_PROPERTIES[mark]) for mark in (RejectFlag.RATING, RejectFlag.PICK)] == [
        rating,
        "-1",
    ]
    document = read_xmp(packet(format_, back))
    assert [flag_value(document, FLAG_PROPERTIES[mark]) for mark in (RejectFlag.RATING, RejectFlag.PICK)] == [
        "3" if "with XMP" in kind else None,
        None,
    ]


def test_no_keywords_mean_no_edits() -> None:
    """A photo without defects keeps its bytes."""
    for format_, old in FILES.values():
        assert embedded_edits(old, format_, ()) == ()


def test_windows_finds_its_keywords_in_a_tiff() -> None:
    """In XPKeywords; the second time the file grows by the new keyword only."""
    _, old = FILES["tiff"]
    once = tagged(Format.TIFF, old)
    twice = tagged(Format.TIFF, once, BOTH)

    assert keywords_in(read_tiff(once).block) == BLUR
    assert keywords_in(read_tiff(twice).block) == BOTH
    assert len(twice) - len(once) < 300


def pages() -> bytes:
    """A TIFF with two pages."""
    return factories.encoded(SMALL, "TIFF", save_all=True, append_images=[SMALL])


def chunk(kind: bytes, body: bytes) -> bytes:
    """A PNG chunk."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_with(extra: bytes) -> bytes:
    """A PNG with a chunk behind its header."""
    data = FILES["png"][1]
    return data[:33] + extra + data[33:]


def webp_with(extra: bytes) -> bytes:
    """A WebP with a chunk at its end."""
    data = FILES["webp with XMP"][1] + extra
    return data[:4] + struct.pack("<I", len(data) - 8) + data[8:]


ITXT = b"XML:com.adobe.xmp\0"
REFUSED = {
    "bytes behind a PNG": (Format.PNG, FILES["png"][1] + b"x", "more bytes follow"),
    "a PNG cut short": (Format.PNG, FILES["png"][1][:-20], "cut short"),
    "a PNG with a wrong sum": (Format.PNG, FILES["png"][1].replace(b"IEND\xaeB`\x82", b"IEND\xaeB`\x83"), "damaged"),
    "compressed XMP": (Format.PNG, png_with(chunk(b"iTXt", ITXT + b"\1\0\0\0x")), "compressed"),
    "two packets": (Format.PNG, png_with(chunk(b"iTXt", ITXT + bytes(4)) * 2), "twice"),
    "a signed PNG": (Format.PNG, png_with(chunk(b"caBX", b"x")), "credentials"),
    "a PNG with offsets": (Format.PNG, png_with(chunk(b"iDOT", b"x")), "offsets"),
    "no PNG": (Format.PNG, b"GIF89a", "begin like"),
    "bytes behind a WebP": (Format.WEBP, FILES["webp"][1] + b"xx", "more bytes follow"),
    "a WebP cut short": (Format.WEBP, FILES["webp"][1][:-2], "cut short"),
    "two packets in a WebP": (Format.WEBP, webp_with(b"XMP \0\0\0\0"), "twice"),
    "a signed WebP": (Format.WEBP, webp_with(b"C2PA\0\0\0\0"), "credentials"),
    "a WebP of nothing": (Format.WEBP, b"RIFF\x04\0\0\0WEBP", "no picture"),
    "a WebP of an unknown kind": (Format.WEBP, b"RIFF\x0c\0\0\0WEBPVP9 \0\0\0\0", "need a header"),
    "two pages": (Format.TIFF, pages(), "more than one page"),
    "a DNG": (Format.TIFF, factories.encoded(SMALL, "TIFF", tiffinfo={0xC612: b"\1\4\0\0"}), "DNG"),
    "a TIFF cut short": (Format.TIFF, FILES["tiff"][1][:-20], "outside|cut short"),
    "a large TIFF": (Format.TIFF, factories.encoded(SMALL, "TIFF", big_tiff=True), "begin like TIFF"),
    "hostile XMP": (Format.PNG, png_with(chunk(b"iTXt", ITXT + bytes(4) + b"<!DOCTYPE x><x/>")), "DOCTYPE"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_files_that_could_come_to_harm_are_left_alone(case: str) -> None:
    """With the reason."""
    format_, data, reason = REFUSED[case]

    with pytest.raises(TagRefusedError, match=reason):
        embedded_edits(data, format_, BLUR)


@pytest.mark.parametrize("kind", ["png with XMP", "webp", "webp with XMP", "tiff", "tiff with XMP"])
def test_verification_notices_any_other_change(kind: str) -> None:
    """Any byte of the picture, wherever it stands."""
    format_, old = FILES[kind]
    new = tagged(format_, old)

    for wrong in (old, new[:-1], _with_another_pixel(format_, new), new.replace(b"defect:blur", b"defect:blue")):
        with pytest.raises(TagRefusedError):
            verify_embedded(old, wrong, format_, BLUR)


def _with_another_pixel(format_: Format, data: bytes) -> bytes:
    where = {Format.PNG: data.find(b"IDAT") + 30, Format.WEBP: data.find(b"VP8 ") + 60, Format.TIFF: 500}[format_]
    changed = bytearray(data)
    changed[where] ^= 1
    if format_ is Format.PNG:  # with a sum that is right again
        start = data.find(b"IDAT")
        end = start + 4 + int.from_bytes(data[start - 4 : start])
        changed[end : end + 4] = struct.pack(">I", zlib.crc32(changed[start:end]))
    return bytes(changed)


@settings(deadline=None, max_examples=600)
@given(st.data())
def test_damaged_files_are_refused_or_kept(data: st.DataObject) -> None:
    """Whatever bytes are changed, the result is a refusal or a verified splice, never another error."""
    format_, old = FILES[data.draw(st.sampled_from(sorted(FILES)))]
    damaged = bytearray(old)
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.one_of(st.integers(0, 60), st.integers(0, len(damaged))))
        damaged[start : start + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    try:
        tagged(format_, bytes(damaged), BOTH)
    except TagRefusedError:
        return


@pytest.mark.parametrize("damage", [b"\xff\xfe\0\0", b"\xff\xfe\0\1", b"\xff\xd0", b"\xff\xff"])
def test_metadata_behind_a_damaged_segment_are_still_found(damage: bytes) -> None:
    """A new sidecar begins with them; decoders pass over such bytes, too, while culld never writes into the file."""
    data = exif.jpeg(damage, exif.segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + exif.PACKET))

    assert embedded_metadata_in(data, Format.JPEG).packets == (exif.PACKET,)


def test_entries_that_point_outside_hide_no_others() -> None:
    """Also in a directory that claims more entries than the block holds; of a tag, the first readable one counts."""
    outside = struct.pack("<HHII", 0x010E, 2, 100, 5000)
    inside = struct.pack("<HHI", 0x010E, 2, 4) + b"abc\0"
    block = b"II*\0" + struct.pack("<IH", 8, 60_000) + outside + inside

    assert fields_in(block).values == {0x010E: (2, b"abc\0")}


def test_a_chunk_behind_the_end_is_read_for_its_metadata_only() -> None:
    """The reader of metadata passes over the end of a PNG, which culld does not write into."""
    data = FILES["png"][1] + chunk(b"iTXt", ITXT + bytes(4) + exif.PACKET)

    assert embedded_metadata_in(data, Format.PNG).packets == (exif.PACKET,)
    with pytest.raises(TagRefusedError, match="more bytes follow"):
        embedded_edits(data, Format.PNG, BLUR)
