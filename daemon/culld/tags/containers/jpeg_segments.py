"""The marker segments of a JPEG (ITU-T T.81, annex B), read from a stream without its picture data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK = 1 << 20
_MOST_SEGMENTS = 100_000

# In JPEG picture data FF is followed by 00 (a plain FF), by RST0..7, or by more FF as filling (ITU-T T.81, B.1.1).
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
APP1, APP2, EOI, SOS = 0xE1, 0xE2, 0xD9, 0xDA


@dataclass(frozen=True, slots=True)
class Segment:
    """A marker segment: its FF at `start`, the first byte behind its data at `end` (for EOI: behind the marker)."""

    marker: int
    start: int
    end: int


def segments(stream: BinaryIO, size: int, start: int = 0) -> Iterator[Segment]:
    """Yield the segments of the picture that begins at `start` in a file of `size` bytes.

    EOI is the last one, and is missing from a picture that is cut short. Picture data are searched for their end only
    when the segment behind them is asked for. Raises OSError.
    """
    position = start + 2
    for _ in range(_MOST_SEGMENTS):
        stream.seek(position)
        head = stream.read(4)
        if len(head) < 4 or head[0] != 0xFF or position + 2 > size:
            return
        if head[1] == 0xFF:
            position += 1
            continue
        end = position + 2 + int.from_bytes(head[2:4])
        yield Segment(head[1], position, end)
        position = end
        if head[1] == SOS:
            found = _next_marker(stream, end)
            if found is None:
                return
            position, marker = found
            if marker == EOI:
                yield Segment(EOI, position, position + 2)
                return


def body(stream: BinaryIO, segment: Segment) -> bytes:
    """Return the data of a segment; raises OSError."""
    stream.seek(segment.start + 4)
    return stream.read(segment.end - segment.start - 4)


def _next_marker(stream: BinaryIO, position: int) -> tuple[int, int] | None:
    """Where the picture data from here end, and the marker that ends them; None at the end of the file."""
    stream.seek(position)
    kept = b""
    while chunk := stream.read(_CHUNK):
        data = kept + chunk
        if found := _MARKER.search(data):
            return stream.tell() - len(data) + found.start(), data[found.start() + 1]
        kept = data[-1:]
    return None
