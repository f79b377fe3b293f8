"""Formats are recognised by the first bytes, never by the name."""

from __future__ import annotations

import io

import pillow_heif
import pytest

from culld.imaging.formats import HEAD_BYTES, recognise
from culld.records import Format
from harness import factories


@pytest.mark.parametrize(
    ("encoder", "expected"),
    [
        ("JPEG", Format.JPEG),
        ("PNG", Format.PNG),
        ("WEBP", Format.WEBP),
        ("TIFF", Format.TIFF),
        ("AVIF", Format.AVIF),
        ("GIF", Format.UNKNOWN),
        ("BMP", Format.UNKNOWN),
    ],
)
def test_a_real_file_is_recognised_by_its_head(encoder: str, expected: Format) -> None:
    """What Pillow writes is recognised; what culld does not judge is unknown."""
    head = factories.encoded(factories.picture(size=(64, 48)), encoder)[:HEAD_BYTES]

    assert recognise(head) is expected


def test_a_heic_file_is_recognised() -> None:
    """The container of iPhones shares its box structure with AVIF and movies."""
    stream = io.BytesIO()
    pillow_heif.from_pillow(factories.picture(size=(64, 64))).save(stream)

    assert recognise(stream.getvalue()[:HEAD_BYTES]) is Format.HEIF


@pytest.mark.parametrize("head", [b"", b"\xff\xd8", b"RIFF\0\0\0\0WAVE", b"\x47\x40\0\x10", b"II+\0"])
def test_other_files_are_unknown(head: bytes) -> None:
    """Nothing is guessed from too little, from sounds, one byte of an MPEG-TS, or BigTIFF."""
    assert recognise(head) is Format.UNKNOWN


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"\0\0\0\x18ftypmp42\0\0\0\0isommp42", "IMG_1.MP4"),
        (b"\0\0\0\x14ftypqt  \0\0\0\0qt  \0\0\0\x08wide", "IMG_1.MOV"),
        (b"\0\0\x20\0mdat\0\0\0\0", "MVI_1.MOV"),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01", "a.webm"),
        (b"RIFF\0\0\0\0AVI LIST", "DSC_1.AVI"),
        (b"\0\0\0\0\x47\x40\0\x10", "00001.MTS"),
    ],
)
def test_clips_are_recognised(head: bytes, name: str) -> None:
    """Of every container that is read; an MPEG-TS needs its extension as well."""
    assert recognise(head, name) is Format.VIDEO
