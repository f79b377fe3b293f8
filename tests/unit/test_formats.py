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


@pytest.mark.parametrize(
    "head", [b"", b"\xff\xd8", b"RIFF\0\0\0\0WAVE", b"\0\0\0\x18ftypmp42\0\0\0\0isommp42", b"II+\0"]
)
def test_other_files_are_unknown(head: bytes) -> None:
    """Nothing is guessed from too little, from sounds, movies or BigTIFF."""
    assert recognise(head) is Format.UNKNOWN
