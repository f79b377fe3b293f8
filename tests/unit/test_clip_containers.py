"""Clips are recognised by their bytes, and what a half-written one lacks is named."""

from __future__ import annotations

import io

import pytest

from culld.imaging.clip_containers import ClipContainer, clip_container, container_of, missing_clip_part

SYNC = b"\x47" + bytes(187)


def box(kind: bytes, content: bytes = b"") -> bytes:
    """A box of an ISO file."""
    return (8 + len(content)).to_bytes(4) + kind + content


FTYP = box(b"ftyp", b"mp42\0\0\0\0isommp42")
MOVIE = FTYP + box(b"mdat", bytes(50)) + box(b"moov", bytes(30))
WIDE = FTYP + b"\0\0\0\x01mdat" + (66).to_bytes(8) + bytes(50) + box(b"moov")
AVI = b"RIFF" + (104).to_bytes(4, "little") + b"AVI " + bytes(100)
MATROSKA = b"\x1a\x45\xdf\xa3\x81\0" + b"\x18\x53\x80\x67" + b"\x01\0\0\0\0\0\0\x40" + bytes(64)
LIVE = b"\x1a\x45\xdf\xa3\x81\0" + b"\x18\x53\x80\x67" + b"\x01\xff\xff\xff\xff\xff\xff\xff" + bytes(64)


@pytest.mark.parametrize(
    ("data", "container"),
    [
        (MOVIE, ClipContainer.ISO),
        (AVI, ClipContainer.AVI),
        (MATROSKA, ClipContainer.MATROSKA),
        (SYNC * 3, ClipContainer.TRANSPORT),
        ((bytes(4) + SYNC) * 3, ClipContainer.TRANSPORT),
        (b"\x47" + bytes(500), None),
        (box(b"ftyp", b"heic\0\0\0\0mif1heic"), None),
        (box(b"ftyp", b"avif\0\0\0\0avif"), None),
        (b"#EXTM3U\nhttp://example.org/a.ts", None),
        (b"ffconcat version 1.0\nfile a.mp4\n", None),
        (b"", None),
    ],
)
def test_the_bytes_name_the_container(data: bytes, container: ClipContainer | None) -> None:
    """No photo, no playlist, and no list of other files is taken for a clip."""
    assert container_of(io.BytesIO(data)) is container


def test_one_byte_of_an_mpeg_ts_needs_its_extension() -> None:
    """Any file can start with the letter G."""
    assert clip_container(SYNC[:32], "00001.MTS") is ClipContainer.TRANSPORT
    assert clip_container(SYNC[:32], "notes.txt") is None


@pytest.mark.parametrize("data", [MOVIE, WIDE, AVI, MATROSKA, LIVE, MATROSKA + b"padding", AVI + b"padding"])
def test_a_complete_clip_lacks_nothing(data: bytes) -> None:
    """Bytes behind the end do no harm; a stream of unknown length ends where it ends."""
    assert missing(data) == ""


@pytest.mark.parametrize("data", [MOVIE, WIDE, AVI, MATROSKA])
def test_every_cut_of_a_clip_is_noticed(data: bytes) -> None:
    """From the first byte behind the head on."""
    for end in range(len(data) - 1, 24, -1):
        assert missing(data[:end]), end


def test_what_is_missing_is_named() -> None:
    """The index at the end, the bytes, or the size that a camera writes last."""
    assert "moov" in missing(FTYP + box(b"mdat", bytes(50)))
    assert missing(MOVIE[:-10]) == "its last 10 bytes"
    assert missing(MOVIE[:-1]) == "its last byte"
    assert missing(AVI[:4] + bytes(4) + AVI[8:]).startswith("the size in its first bytes")
    assert "moov" in missing(FTYP + bytes(4) + b"mdat" + bytes(99))


def missing(data: bytes) -> str:
    """What these bytes lack."""
    stream = io.BytesIO(data)
    container = container_of(stream)
    assert container is not None
    return missing_clip_part(stream, container)
