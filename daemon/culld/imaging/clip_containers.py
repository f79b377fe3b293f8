"""The container of a clip by its first bytes, and whether the file of a clip is complete; only bytes are looked at."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import PurePath
from typing import TYPE_CHECKING, BinaryIO, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

CLIP_EXTENSIONS: Final = frozenset(
    {".mp4", ".m4v", ".mov", ".qt", ".3gp", ".3g2", ".mkv", ".webm", ".mts", ".m2ts", ".m2t", ".avi"}
)
"""The file name extensions of clips, in lower case. `.ts` is missing: most of such files are programs."""


def is_clip_name(name: str) -> bool:
    """Return whether a file of this name is a clip."""
    return PurePath(name.lower()).suffix in CLIP_EXTENSIONS


class ClipContainer(StrEnum):
    """The containers that are read; the values are FFmpeg's names of their readers."""

    ISO = "mov"
    """MP4, MOV, M4V, 3GP: ISO/IEC 14496-12 and QuickTime."""
    MATROSKA = "matroska"
    """And WebM."""
    TRANSPORT = "mpegts"
    """MPEG-TS, and its variant MTS or M2TS with four bytes more in each packet."""
    AVI = "avi"


_MATROSKA: Final = b"\x1a\x45\xdf\xa3"  # the EBML head (RFC 8794)
_SYNC: Final = 0x47  # ISO/IEC 13818-1
_TRANSPORT_EXTENSIONS: Final = frozenset({".mts", ".m2ts", ".m2t"})
_FIRST_BOXES: Final = frozenset({b"moov", b"mdat", b"wide"})
"""The boxes that files of old cameras start with, instead of `ftyp` (QuickTime File Format)."""
_PICTURE_BRANDS: Final = frozenset(
    {
        b"heic",
        b"heix",
        b"heim",
        b"heis",
        b"hevc",
        b"hevx",
        b"mif1",
        b"msf1",
        b"avif",
        b"avis",
        b"crx ",
        b"jxl ",
        b"jp2 ",
    }
)
"""The major brands of photos in the same container."""


def clip_container(head: bytes, name: str = "") -> ClipContainer | None:
    """Return the container of a clip by its first 12 bytes or more; None for other files.

    An MPEG-TS has one known byte in each packet only, so its `name` must have an extension of one.
    """
    if head[4:8] == b"ftyp":
        return None if head[8:12] in _PICTURE_BRANDS else ClipContainer.ISO
    if head[4:8] in _FIRST_BOXES:
        return ClipContainer.ISO
    if head.startswith(_MATROSKA):
        return ClipContainer.MATROSKA
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return ClipContainer.AVI
    is_transport = head[:1] == b"\x47" or head[4:5] == b"\x47"
    return ClipContainer.TRANSPORT if is_transport and PurePath(name).suffix.lower() in _TRANSPORT_EXTENSIONS else None


def container_of(stream: BinaryIO) -> ClipContainer | None:
    """Return the container of a clip by its bytes alone, of which it needs the first two packets of an MPEG-TS."""
    stream.seek(0)
    head = stream.read(400)
    if any(
        len(head) > start + size and head[start] == head[start + size] == _SYNC for start, size in ((0, 188), (4, 192))
    ):
        return ClipContainer.TRANSPORT
    return clip_container(head)


def missing_clip_part(stream: BinaryIO, container: ClipContainer) -> str:
    """Return what a file lacks to be a complete clip, as a clause; empty if nothing is known to be missing.

    A half-written MPEG-TS is a shorter clip, so nothing can be missing from it; nor from a Matroska of unknown size.
    """
    size = stream.seek(0, os.SEEK_END)
    if container is ClipContainer.ISO:
        return _missing_boxes(stream, size)
    if container is ClipContainer.AVI:
        return _missing_of_riff(stream, size)
    if container is ClipContainer.MATROSKA:
        return _missing_of_matroska(stream, size)
    return ""


def _missing_boxes(stream: BinaryIO, size: int) -> str:
    kinds: set[bytes] = set()
    for kind, end in top_boxes(stream, size):
        kinds.add(kind)
        if end > size:
            return _lacks_bytes(end - size)
    if b"moov" not in kinds:
        return "its index (the box moov), which a camera writes at the end"
    return ""


def top_boxes(stream: BinaryIO, size: int) -> Iterator[tuple[bytes, int]]:
    """Yield the kind and the end of each top-level box of an ISO file; the last one may end behind the file."""
    start = 0
    while start + 8 <= size:
        stream.seek(start)
        head = stream.read(16)
        length, kind = int.from_bytes(head[:4]), head[4:8]
        if length == 1:
            length = int.from_bytes(head[8:16])
        elif length == 0:  # up to the end of the file
            length = size - start
        if length < 8:
            return
        yield kind, start + length
        start += length


def _missing_of_riff(stream: BinaryIO, size: int) -> str:
    stream.seek(4)
    end = 8 + int.from_bytes(stream.read(4), "little")
    if end == 8:
        return "the size in its first bytes, which a camera writes at the end"
    return _lacks_bytes(end - size) if end > size else ""


def _missing_of_matroska(stream: BinaryIO, size: int) -> str:
    stream.seek(4)
    after_head = _element_size(stream)
    if after_head is None:
        return ""
    stream.seek(after_head, os.SEEK_CUR)
    if stream.read(4) != b"\x18\x53\x80\x67":  # Segment (RFC 9559)
        return ""
    length = _element_size(stream)
    end = None if length is None else stream.tell() + length
    return _lacks_bytes(end - size) if end is not None and end > size else ""


def _element_size(stream: BinaryIO) -> int | None:
    """Read an EBML size (RFC 8794, section 6); None if it is unknown."""
    first = stream.read(1)
    if not first or not first[0]:
        return None
    width = 9 - first[0].bit_length()
    value = int.from_bytes(first + stream.read(width - 1)) - (1 << (7 * width))
    return None if value == (1 << (7 * width)) - 1 else value


def _lacks_bytes(count: int) -> str:
    return "its last byte" if count == 1 else f"its last {count:,} bytes"
