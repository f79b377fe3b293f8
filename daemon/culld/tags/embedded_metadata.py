"""The metadata in a photo of any format: its XMP, its EXIF fields and its IPTC.

Edits find their places by the strict parsers, never by this one, so damaged parts are passed over here. It also reads
files that culld never writes to (RAW, HEIC, AVIF, multi-picture JPEG).
"""

from __future__ import annotations

import io
import re
import struct
import zlib
from dataclasses import dataclass
from itertools import takewhile
from typing import Final, NoReturn

from culld.errors import TagRefusedError
from culld.records import Format
from culld.tags.containers.chunks import png_chunks, riff_chunks
from culld.tags.containers.ifd import Ifds
from culld.tags.containers.jpeg import APP1, APP13, EXIF_HEAD, EXTENDED_XMP_HEAD, SOS, XMP_HEAD, segments
from culld.tags.containers.png import XMP_KEYWORD
from culld.tags.descriptive import resource_in
from culld.tags.user_metadata import packets_in
from culld.tags.xmp import MAX_BYTES, PACKET

_PHOTOSHOP_HEAD: Final = b"Photoshop 3.0\0"

_BIG_TIFF: Final = frozenset({b"+\0", b"\0+"})
_TAG_XMP, _TAG_IPTC, _TAG_RESOURCES = 0x02BC, 0x83BB, 0x8649
_BLOCK: Final = re.compile(rb"Exif\0\0(?=II\*\0|MM\0\*)")
# Properties that stand in Adobe's extended XMP where the description of a photo does not fit into its first packet.
_DESCRIPTION: Final = re.compile(
    rb"<(?:dc:subject|lr:hierarchicalSubject|digiKam:TagsList|mwg-rs:Regions|MP:RegionInfo)\b"
)


@dataclass(frozen=True, slots=True)
class Fields:
    """The entries of IFD0 of an EXIF block or TIFF file; those that point outside of it are left out."""

    order: str
    values: dict[int, tuple[int, bytes]]

    def raw(self, tag: int) -> bytes | None:
        """The bytes of a value."""
        found = self.values.get(tag)
        return None if found is None else found[1]

    def number(self, tag: int) -> int:
        """The first number of a SHORT or LONG, else 0."""
        kind, value = self.values.get(tag, (0, b""))
        code = {3: "H", 4: "I"}.get(kind)
        return struct.unpack_from(self.order + code, value)[0] if code and len(value) >= struct.calcsize(code) else 0


@dataclass(frozen=True, slots=True)
class EmbeddedMetadata:
    """The metadata in a photo: XMP packets, fields of IFD0, IPTC data sets; the last two may be missing."""

    packets: tuple[bytes, ...] = ()
    fields: Fields | None = None
    iptc: bytes | None = None


NOTHING: Final = EmbeddedMetadata()
"""The metadata of a photo without any."""


def embedded_metadata_in(data: bytes, format_: Format) -> EmbeddedMetadata:
    """The metadata in a photo; raises TagRefusedError if it holds XMP that cannot be read."""
    if format_ is Format.JPEG:
        return _in_jpeg(data)
    if format_ is Format.PNG:
        return _in_png(data)
    if format_ is Format.WEBP:
        return _in_webp(data)
    if format_ in {Format.TIFF, Format.RAW} and data[:2] in {b"II", b"MM"}:
        return _in_tiff(data, format_)
    return _anywhere(data)


def fields_in(block: bytes) -> Fields:
    """The entries of IFD0; none where the block cannot be read."""
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    if order is None:
        return Fields("<", {})
    ifds = Ifds(io.BytesIO(block), len(block), order)
    values: dict[int, tuple[int, bytes]] = {}
    for entry in (entry for offset in ifds.first_offset() for entry in ifds.entries_at(offset)):
        value = ifds.value(entry)
        if value is not None:
            values.setdefault(entry.tag, (entry.type, value))
    return Fields(order, values)


def _in_jpeg(data: bytes) -> EmbeddedMetadata:
    packets, resources, fields, extended = [], b"", None, b""
    for segment in takewhile(lambda each: each.marker != SOS, segments(io.BytesIO(data))):
        body = data[segment.body : segment.end]
        if segment.marker == APP1 and body.startswith(XMP_HEAD):
            packets.append(body[len(XMP_HEAD) :])
        elif segment.marker == APP1 and body.startswith(EXTENDED_XMP_HEAD):
            extended += body[len(EXTENDED_XMP_HEAD) + 40 :]  # behind its id, length and offset (XMP part 3, 1.1.3.1)
        elif segment.marker == APP1 and body.startswith(EXIF_HEAD):
            fields = fields or fields_in(body[len(EXIF_HEAD) :])
        elif segment.marker == APP13 and body.startswith(_PHOTOSHOP_HEAD):
            resources += body[len(_PHOTOSHOP_HEAD) :]
    if _DESCRIPTION.search(extended):
        _refuse("it describes the photo in several segments")
    return EmbeddedMetadata(tuple(packets), fields, resource_in(resources))


def _in_tiff(data: bytes, format_: Format) -> EmbeddedMetadata:
    """The metadata of a TIFF or of a RAW built like one; a RAW or BigTIFF may have its packet in another place."""
    fields = fields_in(data)
    packet = fields.raw(_TAG_XMP)
    iptc = fields.raw(_TAG_IPTC) or resource_in(fields.raw(_TAG_RESOURCES) or b"")
    if packet is not None:
        return EmbeddedMetadata((packet,), fields, iptc)
    elsewhere = format_ is Format.RAW or data[2:4] in _BIG_TIFF
    return EmbeddedMetadata(tuple(packets_in(data)) if elsewhere else (), fields, iptc)


def _in_png(data: bytes) -> EmbeddedMetadata:
    packets, fields = [], None
    for chunk in png_chunks(io.BytesIO(data)):
        body = data[chunk.body : chunk.end]
        if chunk.kind == b"iTXt" and body.startswith(XMP_KEYWORD):
            packets.append(_international_text(body))
        elif chunk.kind == b"eXIf":
            fields = fields_in(body)
    return EmbeddedMetadata(tuple(packets), fields)


def _international_text(body: bytes) -> bytes:
    """The text of an iTXt chunk, decompressed; language and translated keyword stand before it."""
    is_packed, rest = body.partition(b"\0")[2][:1] == b"\1", body.partition(b"\0")[2][2:]
    text = b"\0".join(rest.split(b"\0", 2)[2:])
    if not is_packed:
        return text
    try:
        return zlib.decompressobj().decompress(text, MAX_BYTES + 1)
    except zlib.error:
        _refuse("it cannot be unpacked")


def _in_webp(data: bytes) -> EmbeddedMetadata:
    packets, fields = [], None
    for chunk in riff_chunks(io.BytesIO(data)):
        body = data[chunk.body : chunk.end]
        if chunk.kind == b"XMP ":
            packets.append(body)
        elif chunk.kind == b"EXIF":
            fields = fields_in(body.removeprefix(EXIF_HEAD))
    return EmbeddedMetadata(tuple(packets), fields)


def _anywhere(data: bytes) -> EmbeddedMetadata:
    """The metadata in a container that culld does not parse: packets and EXIF are found by their first bytes."""
    if b"brobxml " in data:  # JPEG XL, ISO 18181-2: a box packed by Brotli
        _refuse("it is packed by Brotli")
    block = _BLOCK.search(data)
    return EmbeddedMetadata(tuple(packets_in(data)), None if block is None else fields_in(data[block.end() :]))


def _refuse(reason: str) -> NoReturn:
    raise TagRefusedError(reason, PACKET)
