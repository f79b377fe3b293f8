"""A PNG that is whole, and the edits of its XMP (PNG 3, sections 5 and 11.3.3.4; XMP part 3, 1.1.5).

A file with two packets or a compressed one, with content credentials, or with Apple's offsets into the picture is
refused.
"""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from culld.records import Edit
from culld.tags.containers import Container, refuse
from culld.tags.containers.chunks import PNG_SIGNATURE, png_chunks
from culld.tags.edits import apply_edits

if TYPE_CHECKING:
    from culld.tags.containers import MetadataChange
    from culld.tags.containers.chunks import Chunk

XMP_KEYWORD: Final = b"XML:com.adobe.xmp\0"
"""What the data of the iTXt chunk with the XMP packet begin with."""

_HEAD = XMP_KEYWORD + b"\0\0\0\0"  # not compressed, no language, no translated keyword
_REFUSED = {b"caBX": "it carries content credentials", b"iDOT": "it holds offsets into its picture (iDOT)"}


@dataclass(frozen=True, slots=True)
class Png(Container):
    """The chunks of a PNG, and the one among them that holds XMP."""

    data: bytes
    chunks: tuple[Chunk, ...]
    xmp: Chunk | None

    @property
    def packet(self) -> bytes | None:
        """The XMP packet."""
        return None if self.xmp is None else self.data[self.xmp.body + len(_HEAD) : self.xmp.end]

    @property
    def bytes_outside_metadata(self) -> bytes:
        """Every byte but those of the chunk with XMP."""
        return self.data if self.xmp is None else self.data[: self.xmp.start] + self.data[self.xmp.next :]

    def splice(self, change: MetadataChange) -> tuple[Edit, ...]:
        """The edit that replaces the chunk with XMP; a new one stands behind the header."""
        if not change.packet:
            return ()
        chunk = _chunk(apply_edits(self.packet or b"", change.packet))
        if self.xmp is None:
            return (Edit(self.chunks[0].next, b"", chunk),)
        return (Edit(self.xmp.start, self.data[self.xmp.start : self.xmp.next], chunk),)


def read_png(data: bytes) -> Png:
    """Parse a PNG from its signature to IEND; raises TagRefusedError where it should not be changed."""
    chunks = _whole(data)
    for chunk in chunks:
        if chunk.kind in _REFUSED:
            refuse(_REFUSED[chunk.kind])
    packets = [each for each in chunks if each.kind == b"iTXt" and data.startswith(XMP_KEYWORD, each.body, each.end)]
    if len(packets) > 1:
        refuse("it holds XMP twice")
    if packets and not data.startswith(_HEAD, packets[0].body, packets[0].end):
        refuse("its XMP is compressed, or written in an unusual way")
    return Png(data, chunks, packets[0] if packets else None)


def _whole(data: bytes) -> tuple[Chunk, ...]:
    """The chunks up to IEND, which must end the file; each must have its CRC."""
    if not data.startswith(PNG_SIGNATURE):
        refuse("it does not begin like a PNG")
    chunks: list[Chunk] = []
    for chunk in png_chunks(io.BytesIO(data)):
        if chunk.next > len(data):
            break
        if zlib.crc32(memoryview(data)[chunk.start + 4 : chunk.end]) != int.from_bytes(data[chunk.end : chunk.next]):
            refuse("a chunk of it is damaged")
        chunks.append(chunk)
        if chunk.kind == b"IEND":
            break
    if not chunks or chunks[-1].kind != b"IEND":
        refuse("it is cut short or damaged")
    if chunks[-1].next != len(data):
        refuse("more bytes follow its picture")
    if chunks[0].kind != b"IHDR":
        refuse("it does not begin with its header")
    return tuple(chunks)


def _chunk(packet: bytes) -> bytes:
    """The chunk that holds a packet."""
    body = b"iTXt" + _HEAD + packet
    return struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
