"""The boxes of an ISO base media file, and the items of a HEIF picture (ISO/IEC 14496-12, 4.2 and 8.11)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final

from culld.tags.containers.gcontainer import bytes_behind

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAX_BOXES: Final = 100_000
_MAX_META: Final = 4 << 20
_MAX_PACKET: Final = 256 << 10
_MAX_ITEMS: Final = 20_000
_MAX_PIECES: Final = 100_000
_IN_FILE: Final = 0


@dataclass(frozen=True, slots=True)
class Box:
    """A box: its type, where it starts, where its content starts, and where it ends."""

    kind: bytes
    start: int
    content: int
    end: int


def boxes(stream: BinaryIO, size: int) -> Iterator[Box]:
    """Yield the outermost boxes of a file of `size` bytes; the last may end outside of it. Raises OSError."""
    position = 0
    for _ in range(_MAX_BOXES):
        stream.seek(position)
        head = stream.read(16)
        if position >= size or len(head) < 8:
            return
        box = _box(head, position, size)
        if box is None:
            return
        yield box
        position = box.end


def boxes_end(stream: BinaryIO, size: int) -> int:
    """Return where the outermost boxes end; raises OSError."""
    return max((box.end for box in boxes(stream, size)), default=0)


def items_end(stream: BinaryIO, size: int) -> int:
    """Return where the items of a HEIF picture end, or the movie that its XMP lists behind it; raises OSError."""
    found = list(boxes(stream, size))
    end = max((box.end for box in found), default=0)
    meta = next((box for box in found if box.kind == b"meta"), None)
    if meta is None or not meta.end - meta.start <= _MAX_META:
        return end
    stream.seek(meta.start)
    data = stream.read(meta.end - meta.start)
    parts = {box.kind: data[box.content : box.end] for box in _inner(data, meta.content - meta.start + 4)}
    extents = _extents(parts.get(b"iloc", b""))
    end = max([end, *(start + length for pieces in extents.values() for start, length in pieces)])
    movie = next((box.start for box in found if box.kind == b"mpvd"), size)
    behind = [bytes_behind(_read(stream, extents.get(item, []))) for item in _mime_items(parts.get(b"iinf", b""))]
    return max([end, *(movie + length for length in behind if length)])


def _box(head: bytes, position: int, size: int) -> Box | None:
    """The box that begins with these bytes; None if they are no head of a box."""
    length, content = int.from_bytes(head[:4]), position + 8
    if length == 1:
        length, content = int.from_bytes(head[8:16]), position + 16
    end = size if length == 0 else position + length
    return None if end < content else Box(head[4:8], position, content, end)


def _inner(data: bytes, position: int) -> Iterator[Box]:
    """Yield the boxes within a box that is held in memory."""
    for _ in range(_MAX_BOXES):
        box = _box(data[position : position + 16], position, len(data)) if position + 8 <= len(data) else None
        if box is None:
            return
        yield box
        position = box.end


class _Cursor:
    """Reads big-endian numbers one after the other; past the end they are zero."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0

    def number(self, width: int) -> int:
        self.position += width
        return int.from_bytes(self.data[self.position - width : self.position])

    @property
    def over(self) -> bool:
        return self.position >= len(self.data)


def _extents(iloc: bytes) -> dict[int, list[tuple[int, int]]]:
    """The pieces (offset, length) of each item that lies in the file itself (ISO/IEC 14496-12, 8.11.3)."""
    cursor = _Cursor(iloc)
    version = cursor.number(1)
    cursor.number(3)
    widths = cursor.number(2)
    offset_width, length_width, base_width = (widths >> 12 & 15, widths >> 8 & 15, widths >> 4 & 15)
    index_width = widths & 15 if version in {1, 2} else 0
    wide = 4 if version == 2 else 2
    found: dict[int, list[tuple[int, int]]] = {}
    left = _MAX_PIECES  # a piece may take no bytes at all
    for _ in range(min(cursor.number(wide), _MAX_ITEMS)):
        item = cursor.number(wide)
        method = cursor.number(2) & 15 if version in {1, 2} else _IN_FILE
        reference = cursor.number(2)
        base = cursor.number(base_width)
        pieces = []
        for _ in range(min(cursor.number(2), left)):
            cursor.number(index_width)
            pieces.append((base + cursor.number(offset_width), cursor.number(length_width)))
        left -= len(pieces)
        if method == _IN_FILE and reference == 0:
            found[item] = pieces
        if cursor.over:
            break
    return found


def _mime_items(iinf: bytes) -> list[int]:
    """The numbers of the items that hold text of a MIME type, such as XMP (ISO/IEC 14496-12, 8.11.6)."""
    start = 6 if iinf[:1] == b"\0" else 8
    found = []
    for box in _inner(iinf, start):
        cursor = _Cursor(iinf[box.content : box.end])
        version = cursor.number(1)
        cursor.number(3)
        item = cursor.number(4 if version == 3 else 2)
        cursor.number(2)
        if box.kind == b"infe" and version in {2, 3} and cursor.number(4) == int.from_bytes(b"mime"):
            found.append(item)
    return found[:4]


def _read(stream: BinaryIO, pieces: list[tuple[int, int]]) -> bytes:
    """The bytes of an item in one piece of 256 KiB at most, as XMP is; empty for any other item."""
    if len(pieces) != 1 or not 0 < pieces[0][1] <= _MAX_PACKET:
        return b""
    stream.seek(pieces[0][0])
    return stream.read(pieces[0][1])
