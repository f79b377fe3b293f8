"""Whether a file has its end: decoders forgive much, and a photo that is still being copied must not be judged.

Only the frame of the container is looked at, so a whole file costs a read of its last bytes. What a file says of the
parts behind its picture is looked at in `extent`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, BinaryIO

from culld.records import Format
from culld.tags.containers.jpeg_segments import EOI, SOS, segments

if TYPE_CHECKING:
    from collections.abc import Callable

_CHUNK = 1 << 20
_BOX_HEAD, _LARGE_BOX_HEAD = 8, 16
_MAX_PARTS = 100_000


def is_complete(stream: BinaryIO, format_: Format) -> bool:
    """Whether the container is whole; True for formats that say nothing of their length (TIFF, unknown ones)."""
    check = _CHECKS.get(format_)
    if check is None:
        return True
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    return check(stream, size)


def _jpeg(stream: BinaryIO, size: int) -> bool:
    """An EOI at the end or, with more behind it (a movie, a gain map, zeros), where the first picture ends.

    Before the picture data an end mark may be that of a thumbnail; within them there is none but the last.
    """
    stream.seek(max(0, size - 2))
    ends = stream.read(2) == b"\xff\xd9"
    return any(
        segment.marker == EOI or (segment.marker == SOS and ends and segment.end < size)
        for segment in segments(stream, size)
    )


def _png(stream: BinaryIO, size: int) -> bool:
    """Every chunk fits, and the last one is IEND."""
    position, kind = 8, b""
    for _ in range(_MAX_PARTS):
        stream.seek(position)
        head = stream.read(8)
        if len(head) < 8:
            return False
        kind = head[4:]
        position += 12 + int.from_bytes(head[:4])
        if kind == b"IEND" or position > size:
            return position <= size
    return False


def _riff(stream: BinaryIO, size: int) -> bool:
    return size >= 8 + int.from_bytes(stream.read(8)[4:], "little")


def _boxes(stream: BinaryIO, size: int) -> bool:
    """Every box of an ISO base media file fits (ISO/IEC 14496-12, 4.2); the last may say that it runs to the end."""
    position = 0
    kinds: set[bytes] = set()

    def complete() -> bool:
        return b"meta" in kinds and not kinds.isdisjoint({b"mdat", b"idat"})

    for _ in range(_MAX_PARTS):
        if position == size:
            return complete()
        stream.seek(position)
        head = stream.read(_LARGE_BOX_HEAD)
        if len(head) < _BOX_HEAD:
            return False
        kinds.add(head[4:8])
        length = int.from_bytes(head[:4])
        if length == 0:
            return complete()
        if length == 1:
            length = int.from_bytes(head[8:])
        if length < _BOX_HEAD or position + length > size:
            return False
        if head[4:8] == b"meta" and length < _CHUNK:  # small pictures may lie in there
            stream.seek(position)
            kinds.update({b"idat"} if b"idat" in stream.read(length) else ())
        position += length
    return False


_CHECKS: dict[Format, Callable[[BinaryIO, int], bool]] = {
    Format.JPEG: _jpeg,
    Format.PNG: _png,
    Format.WEBP: _riff,
    Format.HEIF: _boxes,
    Format.AVIF: _boxes,
}
