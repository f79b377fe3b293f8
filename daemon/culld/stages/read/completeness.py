"""Whether a file has its end: decoders forgive much, and a photo that is still being copied must not be judged.

Only the frame of the container is looked at, so a whole file costs a read of its last bytes. What a file says of the
parts behind its picture is looked at in `extent`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, BinaryIO

from culld.records import Format
from culld.tags.containers.chunks import png_chunks
from culld.tags.containers.isobmff import boxes
from culld.tags.containers.jpeg import EOI, SOS, segments

if TYPE_CHECKING:
    from collections.abc import Callable

_MAX_META_BYTES = 1 << 20


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
        segment.marker == EOI or (segment.marker == SOS and ends and segment.end < size) for segment in segments(stream)
    )


def _png(stream: BinaryIO, size: int) -> bool:
    """Every chunk up to IEND fits."""
    return any(chunk.kind == b"IEND" and chunk.next <= size for chunk in png_chunks(stream))


def _riff(stream: BinaryIO, size: int) -> bool:
    return size >= 8 + int.from_bytes(stream.read(8)[4:], "little")


def _boxes(stream: BinaryIO, size: int) -> bool:
    """Every box of an ISO base media file fits (ISO/IEC 14496-12, 4.2), and there are `meta` and picture data."""
    end, kinds = 0, set()
    for box in boxes(stream, size):
        kinds.add(box.kind)
        end = box.end
        if box.kind == b"meta" and end - box.start < _MAX_META_BYTES:  # small pictures may lie in there
            stream.seek(box.start)
            kinds.update({b"idat"} if b"idat" in stream.read(end - box.start) else ())
    return end == size and b"meta" in kinds and not kinds.isdisjoint({b"mdat", b"idat"})


_CHECKS: dict[Format, Callable[[BinaryIO, int], bool]] = {
    Format.JPEG: _jpeg,
    Format.PNG: _png,
    Format.WEBP: _riff,
    Format.HEIF: _boxes,
    Format.AVIF: _boxes,
}
