"""A WebP that is whole, and the edits of its XMP (RFC 9649, section 2).

A file with one simple picture has no place for XMP; it gets the extended header (VP8X), which states that XMP follows.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from culld.records import Edit
from culld.tags.containers import Container, refuse
from culld.tags.containers.chunks import RIFF_HEAD_BYTES, riff_chunks
from culld.tags.edits import apply_edits

if TYPE_CHECKING:
    from culld.tags.containers import MetadataChange
    from culld.tags.containers.chunks import Chunk

_XMP = b"XMP "
_HAS_XMP, _HAS_ALPHA = 0x04, 0x10


@dataclass(frozen=True, slots=True)
class WebP(Container):
    """The chunks of a WebP, and the one among them that holds XMP."""

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
    def headers_agree(self) -> bool:
        """Whether the extended header states truly whether there is XMP."""
        first = self.chunks[0]
        return first.kind == b"VP8X" and bool(self.data[first.body] & _HAS_XMP) == (self.xmp is not None)

    @property
    def header(self) -> bytes:
        """The extended header, without its flag for XMP; the one that a simple file would get."""
        if self.chunks[0].kind == b"VP8X":
            body = self.data[self.chunks[0].body : self.chunks[0].end]
            return bytes((body[0] & ~_HAS_XMP,)) + body[1:]
        return _simple_header(self.data, self.chunks[0])

    def splice(self, change: MetadataChange) -> tuple[Edit, ...]:
        """The edits of the file's length, of its header and of the chunk with XMP, which stands last if it is new."""
        if not change.packet:
            return ()
        chunk = _chunk(_XMP, apply_edits(self.packet or b"", change.packet))
        edits = [self._header_edit()]
        if self.xmp is None:
            edits.append(Edit(len(self.data), b"", chunk))
        else:
            edits.append(Edit(self.xmp.start, self.data[self.xmp.start : self.xmp.next], chunk))
        grown = sum(len(edit.inserted) - len(edit.removed) for edit in edits)
        return (Edit(4, self.data[4:8], struct.pack("<I", len(self.data) - 8 + grown)), *edits)

    def _header_edit(self) -> Edit:
        """The edit that states in the extended header that there is XMP; a simple file gets this header."""
        first = self.chunks[0]
        if first.kind == b"VP8X":
            flags = self.data[first.body]
            return Edit(first.body, bytes((flags,)), bytes((flags | _HAS_XMP,)))
        header = self.header
        return Edit(RIFF_HEAD_BYTES, b"", _chunk(b"VP8X", bytes((header[0] | _HAS_XMP,)) + header[1:]))


def read_webp(data: bytes) -> WebP:
    """Parse a WebP; raises TagRefusedError where it should not be changed."""
    chunks = _whole(data)
    kinds = [chunk.kind for chunk in chunks]
    if b"C2PA" in kinds:
        refuse("it carries content credentials")
    if kinds.count(_XMP) > 1 or kinds.count(b"VP8X") > 1:
        refuse("it holds XMP or its header twice")
    if kinds[0] == b"VP8X" and chunks[0].end - chunks[0].body < 10:
        refuse("its header is too short")
    if kinds[0] != b"VP8X" and (kinds[0] not in {b"VP8 ", b"VP8L"} or len(kinds) > 1):
        refuse("it has chunks that need a header, and none")
    return WebP(data, chunks, next((chunk for chunk in chunks if chunk.kind == _XMP), None))


def _whole(data: bytes) -> tuple[Chunk, ...]:
    """The chunks, of which the last must end the file."""
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        refuse("it does not begin like a WebP")
    if int.from_bytes(data[4:8], "little") != len(data) - 8:
        refuse("it is cut short, or more bytes follow its picture")
    chunks = tuple(riff_chunks(io.BytesIO(data)))
    if (chunks[-1].next if chunks else RIFF_HEAD_BYTES) != len(data):
        refuse("it is cut short or damaged")
    if not chunks:
        refuse("it holds no picture")
    return chunks


def _simple_header(data: bytes, picture: Chunk) -> bytes:
    """The extended header of one simple picture, from the size in its first bytes (RFC 6386, 9.1; RFC 9649, 3.4)."""
    body = data[picture.body : picture.end]
    if picture.kind == b"VP8L" and body[:1] == b"\x2f" and len(body) >= 5:
        bits = int.from_bytes(body[1:5], "little")
        return _extended(bits & 0x3FFF, bits >> 14 & 0x3FFF, alpha=bool(bits >> 28 & 1))
    if picture.kind != b"VP8 " or body[3:6] != b"\x9d\x01\x2a" or len(body) < 10:
        refuse("its picture does not say how large it is")
    width, height = struct.unpack_from("<HH", body, 6)
    return _extended((width & 0x3FFF) - 1, (height & 0x3FFF) - 1, alpha=False)


def _extended(last_column: int, last_row: int, *, alpha: bool) -> bytes:
    if last_column < 0 or last_row < 0:
        refuse("its picture is empty")
    return (
        struct.pack("<I", _HAS_ALPHA if alpha else 0)
        + last_column.to_bytes(3, "little")
        + last_row.to_bytes(3, "little")
    )


def _chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
