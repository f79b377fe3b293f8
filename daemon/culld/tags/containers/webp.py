"""The chunks of a WebP, and the edits that put words into its XMP (RFC 9649, section 2).

A file with one simple picture has no place for XMP; it gets the extended header (VP8X) that says so.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from culld.errors import TagRefusedError
from culld.records import Edit, Format
from culld.tags.edits import apply_edits
from culld.tags.embedded_metadata import embedded_metadata_in
from culld.tags.packet import packet_edits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from culld.records import RejectFlag

_XMP = b"XMP "
_HAS_XMP, _HAS_ALPHA = 0x04, 0x10
_FIRST = 12
"""Where the first chunk begins."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk: its name at `start`, its data from `body` to `end`, and where the next one begins."""

    kind: bytes
    start: int
    body: int
    end: int
    next: int


@dataclass(frozen=True, slots=True)
class WebP:
    """The chunks of a WebP that is whole, and the one among them that holds XMP."""

    data: bytes
    chunks: tuple[Chunk, ...]
    xmp: Chunk | None

    @property
    def packet(self) -> bytes | None:
        """The XMP packet."""
        return None if self.xmp is None else self.data[self.xmp.body : self.xmp.end]

    @property
    def bytes_outside_metadata(self) -> bytes:
        """Every chunk but that with XMP and the extended header, then that header without its flag for XMP."""
        kept = [each for each in self.chunks if each.kind not in {_XMP, b"VP8X"}]
        return b"".join([*(self.data[each.start : each.next] for each in kept), self.header])

    @property
    def xmp_flag_consistent(self) -> bool:
        """Whether the extended header tells truly whether there is XMP."""
        first = self.chunks[0]
        return first.kind == b"VP8X" and bool(self.data[first.body] & _HAS_XMP) == (self.xmp is not None)

    @property
    def header(self) -> bytes:
        """The extended header, without its flag for XMP; the one that a simple file would get."""
        if self.chunks[0].kind == b"VP8X":
            body = self.data[self.chunks[0].body : self.chunks[0].end]
            return bytes((body[0] & ~_HAS_XMP,)) + body[1:]
        return _header(self.data, self.chunks[0])


def read_webp(data: bytes) -> WebP:
    """Walk a WebP; TagRefusedError says why where it should not be changed."""
    chunks = _walk(data)
    kinds = [chunk.kind for chunk in chunks]
    if b"C2PA" in kinds:
        _refuse("it carries content credentials")
    if kinds.count(_XMP) > 1 or kinds.count(b"VP8X") > 1:
        _refuse("it holds XMP or its header twice")
    if kinds[0] == b"VP8X" and chunks[0].end - chunks[0].body < 10:
        _refuse("its header is too short")
    if kinds[0] != b"VP8X" and (kinds[0] not in {b"VP8 ", b"VP8L"} or len(kinds) > 1):
        _refuse("it has chunks that need a header, and none")
    return WebP(data, chunks, next((chunk for chunk in chunks if chunk.kind == _XMP), None))


def webp_edits(data: bytes, keywords: Sequence[str], wanted: Sequence[RejectFlag] = ()) -> tuple[Edit, ...]:
    """The edits that bring `keywords` and marks into the XMP of a WebP; none if none needed. Raises TagRefusedError."""
    webp = read_webp(data)
    changes = packet_edits(webp.packet, keywords, embedded_metadata_in(data, Format.WEBP), wanted)
    if not changes:
        return ()
    chunk = _chunk(_XMP, apply_edits(webp.packet or b"", changes))
    edits = [_header_edit(webp)]
    if webp.xmp is None:
        edits.append(Edit(len(data), b"", chunk))
    else:
        edits.append(Edit(webp.xmp.start, data[webp.xmp.start : webp.xmp.next], chunk))
    grown = sum(len(edit.inserted) - len(edit.removed) for edit in edits)
    return (Edit(4, data[4:8], struct.pack("<I", len(data) - 8 + grown)), *edits)


def _header_edit(webp: WebP) -> Edit:
    """Say in the extended header that there is XMP; a simple file gets one."""
    first = webp.chunks[0]
    if first.kind == b"VP8X":
        flags = webp.data[first.body]
        return Edit(first.body, bytes((flags,)), bytes((flags | _HAS_XMP,)))
    header = webp.header
    return Edit(_FIRST, b"", _chunk(b"VP8X", bytes((header[0] | _HAS_XMP,)) + header[1:]))


def _header(data: bytes, picture: Chunk) -> bytes:
    """The extended header of one simple picture, from what its own first bytes say (RFC 6386, 9.1; RFC 9649, 3.4)."""
    body = data[picture.body : picture.end]
    if picture.kind == b"VP8L" and body[:1] == b"\x2f" and len(body) >= 5:
        bits = int.from_bytes(body[1:5], "little")
        return _extended(bits & 0x3FFF, bits >> 14 & 0x3FFF, alpha=bool(bits >> 28 & 1))
    if picture.kind != b"VP8 " or body[3:6] != b"\x9d\x01\x2a" or len(body) < 10:
        _refuse("its picture does not say how large it is")
    width, height = struct.unpack_from("<HH", body, 6)
    return _extended((width & 0x3FFF) - 1, (height & 0x3FFF) - 1, alpha=False)


def _extended(last_column: int, last_row: int, *, alpha: bool) -> bytes:
    if last_column < 0 or last_row < 0:
        _refuse("its picture is empty")
    return (
        struct.pack("<I", _HAS_ALPHA if alpha else 0)
        + last_column.to_bytes(3, "little")
        + last_row.to_bytes(3, "little")
    )


def _chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def _walk(data: bytes) -> tuple[Chunk, ...]:
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        _refuse("it does not begin like a WebP")
    if int.from_bytes(data[4:8], "little") != len(data) - 8:
        _refuse("it is cut short, or more bytes follow its picture")
    chunks: list[Chunk] = []
    position = _FIRST
    while position < len(data):
        body = position + 8
        end = body + int.from_bytes(data[position + 4 : body], "little")
        following = end + end % 2
        if body > len(data) or following > len(data):
            _refuse("it is cut short or damaged")
        chunks.append(Chunk(data[position : position + 4], position, body, end, following))
        position = following
    if not chunks:
        _refuse("it holds no picture")
    return tuple(chunks)


def _refuse(reason: str) -> NoReturn:
    """Leave the file alone, and say why."""
    raise TagRefusedError(reason, "the photo")
