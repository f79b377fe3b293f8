"""Finding what a photo holds about itself: its XMP, its EXIF fields and its IPTC, in a file of any format.

Nothing is changed on what is read here, so this reader takes what it finds, also in files that culld never writes to
(RAW, HEIC, AVIF, multi-picture JPEG). Containers: ITU-T T.81, annex B; TIFF 6.0; PNG 3; RFC 9649 (WebP).
"""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NoReturn

from culld.errors import TagRefusedError
from culld.records import Format
from culld.tags.iptc import resource_in
from culld.tags.user_metadata import packets_in
from culld.tags.xmp import MAX_BYTES, PACKET

if TYPE_CHECKING:
    from collections.abc import Iterator

_XMP, _EXIF = b"http://ns.adobe.com/xap/1.0/\0", b"Exif\0\0"
_EXTENDED, _PHOTOSHOP = b"http://ns.adobe.com/xmp/extension/\0", b"Photoshop 3.0\0"
_APP1, _APP13, _SOS, _EOI = 0xE1, 0xED, 0xDA, 0xD9
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})

_BIG_TIFF: Final = frozenset({b"+\0", b"\0+"})
_TAG_XMP, _TAG_IPTC, _TAG_RESOURCES = 0x02BC, 0x83BB, 0x8649
_SIZES: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_BLOCK: Final = re.compile(rb"Exif\0\0(?=II\*\0|MM\0\*)")
# What Adobe's extended XMP would hold if the description of a photo did not fit into its first packet.
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
"""What a photo without metadata holds."""


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
    order = {b"II": "<", b"MM": ">"}.get(block[:2], "")
    values: dict[int, tuple[int, bytes]] = {}
    if not order or len(block) < 8:
        return Fields("<", values)
    start = struct.unpack_from(order + "I", block, 4)[0]
    count = int.from_bytes(block[start : start + 2], "little" if order == "<" else "big")
    for offset in range(start + 2, min(start + 2 + 12 * count, len(block) - 11), 12):
        tag, kind, number = struct.unpack_from(order + "HHI", block, offset)
        size = _SIZES.get(kind, 0) * number
        at = offset + 8 if size <= 4 else struct.unpack_from(order + "I", block, offset + 8)[0]
        if size and at + size <= len(block):
            values.setdefault(tag, (kind, block[at : at + size]))
    return Fields(order, values)


def _in_jpeg(data: bytes) -> EmbeddedMetadata:
    packets, resources, fields, extended = [], b"", None, b""
    for marker, body in _segments(data):
        if marker == _APP1 and body.startswith(_XMP):
            packets.append(body[len(_XMP) :])
        elif marker == _APP1 and body.startswith(_EXTENDED):
            extended += body[len(_EXTENDED) + 40 :]  # behind its id, length and offset (XMP part 3, 1.1.3.1)
        elif marker == _APP1 and body.startswith(_EXIF):
            fields = fields or fields_in(body[len(_EXIF) :])
        elif marker == _APP13 and body.startswith(_PHOTOSHOP):
            resources += body[len(_PHOTOSHOP) :]
    if _DESCRIPTION.search(extended):
        _refuse("it describes the photo in several segments")
    return EmbeddedMetadata(tuple(packets), fields, resource_in(resources))


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker and body of each segment before the picture."""
    position = 2
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker in {_SOS, _EOI}:
            return
        if marker == 0xFF or marker in _ALONE:
            position += 1 if marker == 0xFF else 2
            continue
        size = int.from_bytes(data[position + 2 : position + 4], "big")
        yield marker, data[position + 4 : position + 2 + size]
        position += 2 + max(size, 2)


def _in_tiff(data: bytes, format_: Format) -> EmbeddedMetadata:
    """Of a TIFF, or of a RAW that is built like one; a RAW or BigTIFF may have its packet in another place."""
    fields = fields_in(data)
    packet = fields.raw(_TAG_XMP)
    iptc = fields.raw(_TAG_IPTC) or resource_in(fields.raw(_TAG_RESOURCES) or b"")
    if packet is not None:
        return EmbeddedMetadata((packet,), fields, iptc)
    elsewhere = format_ is Format.RAW or data[2:4] in _BIG_TIFF
    return EmbeddedMetadata(tuple(packets_in(data)) if elsewhere else (), fields, iptc)


def _in_png(data: bytes) -> EmbeddedMetadata:
    packets, fields = [], None
    position = 8
    while position + 12 <= len(data):
        size = int.from_bytes(data[position : position + 4], "big")
        kind, body = data[position + 4 : position + 8], data[position + 8 : position + 8 + size]
        if kind == b"iTXt" and body.startswith(b"XML:com.adobe.xmp\0"):
            packets.append(_international_text(body))
        elif kind == b"eXIf":
            fields = fields_in(body)
        position += size + 12
    return EmbeddedMetadata(tuple(packets), fields)


def _international_text(body: bytes) -> bytes:
    """The text of an iTXt chunk, unpacked; its language and translated keyword stand before it."""
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
    position = 12
    while position + 8 <= len(data):
        size = int.from_bytes(data[position + 4 : position + 8], "little")
        kind, body = data[position : position + 4], data[position + 8 : position + 8 + size]
        if kind == b"XMP ":
            packets.append(body)
        elif kind == b"EXIF":
            fields = fields_in(body.removeprefix(_EXIF))
        position += 8 + size + size % 2
    return EmbeddedMetadata(tuple(packets), fields)


def _anywhere(data: bytes) -> EmbeddedMetadata:
    """Of a container that culld does not take apart: packets and EXIF are found by the way they begin."""
    if b"brobxml " in data:  # JPEG XL, ISO 18181-2: a box packed by Brotli
        _refuse("it is packed by Brotli")
    block = _BLOCK.search(data)
    return EmbeddedMetadata(tuple(packets_in(data)), None if block is None else fields_in(data[block.end() :]))


def _refuse(reason: str) -> NoReturn:
    raise TagRefusedError(reason, PACKET)
