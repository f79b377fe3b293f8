"""The file of a copy keeps what the file of its photo says, names its parent, and loses what no longer holds."""

from __future__ import annotations

import io
import struct
import warnings

import numpy as np
import pytest
from PIL import Image, ImageCms

from culld.enhance.encode import Origin, encode_copy, metadata_of
from culld.enhance.exif_copy import without_thumbnail
from culld.enhance.source import CopySource, RefusedError, read_source
from culld.imaging.image_file import DecodeLimits
from culld.records import Format
from culld.tags.containers.exif_block import read_block
from culld.tags.containers.jpeg import read_jpeg
from culld.tags.edits import apply_edits
from culld.tags.embedded import embedded_edits
from culld.tags.embedded_metadata import NOTHING
from culld.tags.own_properties import own_properties
from culld.tags.xmp import read_xmp
from harness import containers, exif, factories

SIZE = (96, 64)
PICTURE = factories.picture(3, size=SIZE)
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
ORIGIN = Origin("a.jpg", "0" * 64, "exposure", "tone-1@0", frozenset({"defect:underexposed"}))
LIMITS = DecodeLimits()


def copied(data: bytes, format_: Format = Format.JPEG, origin: Origin = ORIGIN) -> bytes:
    """The copy of a photo with these bytes, and with pixels of its own."""
    source = read_source(data, format_, LIMITS)
    return encode_copy(source.pixels // 2, source, metadata_of(data, format_), origin)


def opened(data: bytes) -> Image.Image:
    """The picture in the bytes of a file."""
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def with_exif(block: bytes) -> bytes:
    """A JPEG with this EXIF block."""
    return factories.encoded(PICTURE, exif=b"Exif\0\0" + block)


def test_profile_resolution_and_orientation_stay() -> None:
    """The pixels are not turned, so the orientation holds for them; colour is in full resolution."""
    facts = Image.Exif()
    facts[0x0112] = 6
    facts[0x010F] = "Maker"
    photo = factories.encoded(PICTURE, exif=facts, icc_profile=PROFILE, dpi=(300, 300))

    image = opened(copied(photo))

    assert (image.size, image.mode, image.format) == (SIZE, "RGB", "JPEG")
    assert image.info["icc_profile"] == PROFILE
    assert image.info["dpi"] == (300, 300)
    assert (image.getexif()[0x0112], image.getexif()[0x010F]) == (6, "Maker")
    assert [layer[1:3] for layer in image.layer] == [(1, 1)] * 3


@pytest.mark.parametrize("order", ["<", ">"])
def test_the_thumbnail_is_dropped_and_no_other_byte_of_the_exif_moves(order: str) -> None:
    """A thumbnail would show the photo before the repair; makers' notes hold offsets."""
    block = exif.exif_block(order, thumbnail=b"\xff\xd8SECRET\xff\xd9")

    found = read_block(without_thumbnail(block))

    assert "IFD1" not in found.directories
    assert b"SECRET" not in found.data
    assert len(found.data) == exif.THUMBNAIL
    before = read_block(block)
    for name in ("IFD0", "Exif", "GPS", "Interop"):
        assert found.directories[name].entries == before.directories[name].entries
        assert [found.value(each) for each in found.directories[name].entries] == [
            before.value(each) for each in before.directories[name].entries
        ]
    assert b"SECRET" not in copied(with_exif(block))
    assert without_thumbnail(found.data) == found.data


def test_a_thumbnail_that_overlaps_a_value_stays_in_the_bytes_but_is_not_named() -> None:
    """Nothing else in the block is changed."""
    block = bytearray(exif.exif_block("<"))
    entry = next(each for each in read_block(bytes(block)).directories["IFD1"].entries if each.tag == 0x0201)
    struct.pack_into("<I", block, entry.start, exif.GPS)

    found = read_block(without_thumbnail(bytes(block)))

    assert "IFD1" not in found.directories
    gps = read_block(bytes(block)).directories["GPS"]
    assert found.data[gps.offset : gps.end] == bytes(block)[gps.offset : gps.end]


def test_exif_out_of_the_standard_is_written_anew() -> None:
    """Here with a value that lies outside of the block."""
    block = exif.exif_block("<", extra=[(0x0112, 3, 1, b"\3\0")])
    maker = next(each for each in read_block(block).directories["IFD0"].entries if each.tag == 0x010F)
    broken = block.replace(maker.raw, struct.pack("<HHII", 0x010F, 2, 9, 60_000))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of such EXIF
        source = CopySource(np.asarray(PICTURE), exif=broken)
        copy = encode_copy(source.pixels, source, NOTHING, ORIGIN)

    assert opened(copy).getexif()[0x0112] == 3


def test_the_xmp_stays_and_names_parent_and_model() -> None:
    """In culld's own namespace."""
    photo = containers.with_xmp(factories.encoded(PICTURE), exif.PACKET)

    packet = read_jpeg(copied(photo)).packet

    assert packet is not None
    assert b'xmp:Rating="3"' in packet
    found = own_properties(read_xmp(packet))
    assert found["Parent"] == "a.jpg"
    assert found["ParentSha256"] == "0" * 64
    assert (found["Repair"], found["RepairModel"]) == ("exposure", "tone-1@0")


def test_the_keyword_of_the_repaired_defect_goes_and_others_stay() -> None:
    """From XMP and from XPKeywords; a word of the user is not culld's."""
    words = ("defect:blur", "defect:underexposed")
    plain = with_exif(exif.exif_block("<"))
    photo = apply_edits(plain, embedded_edits(plain, Format.JPEG, words))
    assert b"defect:underexposed" in photo

    copy = copied(photo)

    packet = read_jpeg(copy).packet or b""
    assert b"underexposed" not in copy
    assert "underexposed".encode("utf-16-le") not in copy
    assert packet.count(b"defect:blur") == 2
    assert "defect:blur".encode("utf-16-le") in copy
    assert own_properties(read_xmp(packet))["Keywords"] == "defect:blur"


def test_iptc_stays_and_begins_the_xmp_of_a_photo_without() -> None:
    """Programs that find XMP look no further."""
    data = b"\x1c\x02\x19\0\x04boat" + b"\x1c\x02\x78\0\x07evening"
    body = b"Photoshop 3.0\x008BIM\x04\x04\0\0" + struct.pack(">I", len(data)) + data + bytes(len(data) % 2)
    photo = containers.with_segment(factories.encoded(PICTURE), 0xED, body)

    copy = copied(photo)

    held = metadata_of(copy, Format.JPEG)
    assert held.iptc == data
    assert b"<rdf:li>boat</rdf:li>" in held.packets[0]
    assert b"evening" in held.packets[0]


def test_what_the_xmp_says_about_parts_of_the_file_goes() -> None:
    """The copy has no gain map and no movie behind it."""
    content = '<Container:Directory><rdf:Seq><rdf:li rdf:parseType="Resource"/></rdf:Seq></Container:Directory>'
    photo = containers.with_xmp(
        factories.encoded(PICTURE), containers.packet('GCamera:MicroVideo="1" GCamera:MicroVideoOffset="4000"', content)
    )

    packet = read_jpeg(copied(photo)).packet or b""

    assert b"MicroVideo=" not in packet
    assert b"Container:Directory" not in packet


def test_a_grey_photo_stays_grey() -> None:
    """One channel in the file."""
    assert opened(copied(factories.encoded(PICTURE.convert("L")))).mode == "L"
    assert opened(copied(factories.encoded(PICTURE.convert("L"), "PNG"), Format.PNG)).mode == "L"


@pytest.mark.parametrize(
    ("data", "format_", "words"),
    [
        (factories.encoded(PICTURE.convert("CMYK")), Format.JPEG, "CMYK colours: convert it to RGB"),
        (factories.encoded(Image.new("I;16", SIZE), "PNG"), Format.PNG, "16 bits a channel"),
        (factories.encoded(Image.new("I;16", SIZE), "TIFF"), Format.TIFF, "16 bits a channel"),
        (factories.encoded(Image.new("F", SIZE), "TIFF"), Format.TIFF, "32 bits a channel"),
        (factories.encoded(Image.new("RGBA", SIZE, (9, 9, 9, 99)), "PNG"), Format.PNG, "transparent parts"),
        (
            factories.encoded(PICTURE, "PNG", save_all=True, append_images=[factories.blurred(PICTURE)]),
            Format.PNG,
            "an animation",
        ),
    ],
)
def test_what_a_jpeg_cannot_hold_is_refused_in_words(data: bytes, format_: Format, words: str) -> None:
    """More bits, other colours, transparency, several pictures."""
    with pytest.raises(RefusedError, match=words):
        read_source(data, format_, LIMITS)


@pytest.mark.parametrize(
    ("picture", "name", "format_"),
    [
        (PICTURE.convert("RGBA"), "PNG", Format.PNG),
        (PICTURE.convert("P"), "PNG", Format.PNG),
        (PICTURE, "WEBP", Format.WEBP),
        (PICTURE, "TIFF", Format.TIFF),
    ],
)
def test_other_formats_of_eight_bits_are_copied(picture: Image.Image, name: str, format_: Format) -> None:
    """An opaque alpha channel and a palette lose nothing."""
    assert opened(copied(factories.encoded(picture, name), format_)).size == SIZE


def test_an_upright_development_loses_the_orientation_of_its_raw() -> None:
    """And has the size of its own pixels in the EXIF."""
    made = Image.Exif()
    made[0x0112] = 6
    made.get_ifd(0x8769).update({0xA002: 10, 0xA003: 20})
    block = made.tobytes().removeprefix(b"Exif\0\0")
    source = CopySource(np.asarray(PICTURE), exif=block, is_upright=True)

    facts = opened(encode_copy(source.pixels, source, NOTHING, ORIGIN)).getexif()

    assert facts[0x0112] == 1
    assert (facts.get_ifd(0x8769)[0xA002], facts.get_ifd(0x8769)[0xA003]) == SIZE


def test_metadata_that_do_not_fit_or_cannot_be_read_are_a_refusal() -> None:
    """No copy loses them in silence."""
    large = CopySource(np.asarray(PICTURE), exif=exif.exif_block("<", note=bytes(70_000)))
    with pytest.raises(RefusedError, match="EXIF is larger"):
        encode_copy(large.pixels, large, NOTHING, ORIGIN)
    with pytest.raises(RefusedError, match="metadata cannot be kept"):
        copied(containers.with_xmp(factories.encoded(PICTURE), b"<x:xmpmeta>broken"))
