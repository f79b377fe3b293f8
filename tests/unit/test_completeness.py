"""Completeness: files of every format, cut at every byte."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from culld.imaging import image_file
from culld.imaging.formats import HEAD_BYTES, recognise
from culld.records import Format
from culld.stages.read.completeness import is_complete
from harness import factories

ENCODERS = ["JPEG", "PNG", "WEBP", "HEIF", "AVIF"]


def photo(encoder: str) -> bytes:
    """A small picture with some texture in it."""
    if encoder == "HEIF":
        image_file.load_heif()
    stream = io.BytesIO()
    factories.picture(3, size=(96, 64)).save(stream, encoder)
    return stream.getvalue()


def whole(data: bytes) -> bool:
    """Return whether these bytes are complete."""
    return is_complete(io.BytesIO(data), recognise(data[:HEAD_BYTES]))


@pytest.mark.parametrize("encoder", ENCODERS)
def test_a_whole_file_has_its_end(encoder: str) -> None:
    """As an encoder writes it."""
    assert whole(photo(encoder))


@pytest.mark.parametrize("encoder", ENCODERS)
def test_a_file_that_is_cut_anywhere_has_no_end(encoder: str) -> None:
    """At each of its bytes from which on its format is known."""
    data = photo(encoder)

    assert [cut for cut in range(HEAD_BYTES, len(data)) if whole(data[:cut])] == []


@pytest.mark.parametrize("encoder", ["JPEG", "PNG", "WEBP"])
def test_bytes_after_the_image_data_do_not_matter(encoder: str) -> None:
    """Phones put movies there, and card readers zeros."""
    assert whole(photo(encoder) + bytes(5000))


def test_a_progressive_jpeg_with_a_tail_ends_where_its_last_scan_does() -> None:
    """Several scans, tables between them, restart markers, filling."""
    stream = io.BytesIO()
    factories.picture(3, size=(96, 64)).save(stream, "JPEG", progressive=True, restart_marker_blocks=2)
    data = stream.getvalue()

    assert whole(data + b"tail")
    assert not any(whole(data[:cut] + b"") for cut in range(HEAD_BYTES, len(data), 7))


def test_a_jpeg_whose_thumbnail_ends_has_not_ended() -> None:
    """A cut right behind the EOI of the EXIF thumbnail ends with the bytes FF D9, as a whole file does."""
    thumbnail = photo("JPEG")
    exif = b"Exif\0\0" + thumbnail
    data = photo("JPEG")
    cut = data[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2) + exif

    assert not whole(cut)


def test_a_file_of_zeros_with_a_heads_bytes_is_not_whole() -> None:
    """Space is reserved before a copy begins; a WebP has only its length, so the decoder finds the damage there."""
    for encoder in ("JPEG", "PNG", "HEIF", "AVIF"):
        data = photo(encoder)
        assert not whole(data[:HEAD_BYTES] + bytes(len(data)))


def test_a_format_without_a_length_is_left_to_the_decoder() -> None:
    """TIFF."""
    stream = io.BytesIO()
    Image.new("RGB", (8, 8)).save(stream, "TIFF")

    assert is_complete(stream, Format.TIFF)


def test_markers_without_a_length_are_passed_over() -> None:
    """TEM and RST have no length field (ITU-T T.81, B.1.1.3), so the two bytes behind one are the next marker."""
    data = photo("JPEG")

    assert whole(data[:2] + b"\xff\xd0\xff\x01" + data[2:])
    assert not whole(data[:2] + b"\xff\xd0\xff\x01" + data[2:-2])


def test_a_segment_with_an_impossible_length_does_not_hide_the_end() -> None:
    """The length counts itself, so it is two or more; decoders pass over the two bytes."""
    data = photo("JPEG")

    assert whole(data[:2] + b"\xff\xfe\0\0" + data[2:] + b"tail")
