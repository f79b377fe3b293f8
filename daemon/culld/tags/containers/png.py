"""The chunks of a PNG, and the edits that put words into its XMP (PNG 3, sections 5 and 11.3.3.4; XMP part 3, 1.1.5).

Refused is what has two packets or a compressed one, what is signed, and what holds Apple's offsets into the picture.
"""

from __future__ import annotations

import struct
import zlib
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

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KEYWORD = b"XML:com.adobe.xmp\0"
_HEAD = _KEYWORD + b"\0\0\0\0"  # not compressed, no language, no translated keyword
_REFUSED = {b"caBX": "it carries content credentials", b"iDOT": "it holds offsets into its picture (iDOT)"}


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk: its length field at `start`, its data from `body` to `end`, four bytes of CRC behind."""

    kind: bytes
    start: int
    body: int
    end: int


@dataclass(frozen=True, slots=True)
class Png:
    """The chunks of a PNG that is whole, and the one among them that holds XMP."""

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
        return self.data if self.xmp is None else self.data[: self.xmp.start] + self.data[self.xmp.end + 4 :]


def read_png(data: bytes) -> Png:
    """Walk a PNG from its signature to IEND; TagRefusedError says why where it should not be changed."""
    chunks = _walk(data)
    for chunk in chunks:
        if chunk.kind in _REFUSED:
            _refuse(_REFUSED[chunk.kind])
    packets = [each for each in chunks if each.kind == b"iTXt" and data.startswith(_KEYWORD, each.body, each.end)]
    if len(packets) > 1:
        _refuse("it holds XMP twice")
    if packets and not data.startswith(_HEAD, packets[0].body, packets[0].end):
        _refuse("its XMP is compressed, or written in an unusual way")
    return Png(data, chunks, packets[0] if packets else None)


def png_edits(data: bytes, keywords: Sequence[str], wanted: Sequence[RejectFlag] = ()) -> tuple[Edit, ...]:
    """The edits that bring `keywords` and marks into the XMP of a PNG; none if none needed. Raises TagRefusedError."""
    png = read_png(data)
    edits = packet_edits(png.packet, keywords, embedded_metadata_in(data, Format.PNG), wanted)
    if not edits:
        return ()
    chunk = _chunk(apply_edits(png.packet or b"", edits))
    if png.xmp is None:
        return (Edit(png.chunks[0].end + 4, b"", chunk),)
    return (Edit(png.xmp.start, data[png.xmp.start : png.xmp.end + 4], chunk),)


def _chunk(packet: bytes) -> bytes:
    body = b"iTXt" + _HEAD + packet
    return struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))


def _walk(data: bytes) -> tuple[Chunk, ...]:
    if not data.startswith(_SIGNATURE):
        _refuse("it does not begin like a PNG")
    chunks: list[Chunk] = []
    position = len(_SIGNATURE)
    while not chunks or chunks[-1].kind != b"IEND":
        body = position + 8
        end = body + int.from_bytes(data[position : position + 4], "big")
        if end + 4 > len(data):
            _refuse("it is cut short or damaged")
        if zlib.crc32(memoryview(data)[position + 4 : end]) != int.from_bytes(data[end : end + 4], "big"):
            _refuse("a chunk of it is damaged")
        chunks.append(Chunk(data[position + 4 : body], position, body, end))
        position = end + 4
    if position != len(data):
        _refuse("more bytes follow its picture")
    if chunks[0].kind != b"IHDR":
        _refuse("it does not begin with its header")
    return tuple(chunks)


def _refuse(reason: str) -> NoReturn:
    """Leave the file alone, and say why."""
    raise TagRefusedError(reason, "the photo")
