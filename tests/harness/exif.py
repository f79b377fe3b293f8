"""Camera files made byte by byte, so that a test knows the offset of every field."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from PIL import Image

from harness.factories import encoded

if TYPE_CHECKING:
    from collections.abc import Sequence

IFD0, EXIF, GPS, INTEROP, IFD1, THUMBNAIL = 8, 600, 2000, 2200, 2300, 2500
"""Where the parts of `exif_block` begin; IFD0 has ten entries at most."""

Field = tuple[int, int, int, bytes]
"""Tag, type, count and value of an entry."""

PACKET = (
    b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>\n<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
    b' <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
    b'  <rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="3"/>\n'
    b" </rdf:RDF>\n</x:xmpmeta>\n" + b" " * 2000 + b'\n<?xpacket end="w"?>'
)
"""An XMP packet as a camera or Adobe writes it, with padding."""


def text(tag: int, value: bytes) -> Field:
    """An ASCII entry."""
    return tag, 2, len(value), value


def exif_block(
    order: str = "<",
    *,
    extra: Sequence[Field] = (),
    note: bytes = b"Maker's own\0secret",
    thumbnail: bytes = b"\xff\xd8\xff\xd9",
) -> bytes:
    """An EXIF block with all five directories, a MakerNote and a thumbnail; `extra` goes into IFD0."""
    long, short = struct.Struct(order + "I").pack, struct.Struct(order + "H").pack
    data = bytearray(THUMBNAIL)
    data[:8] = {"<": b"II*\0", ">": b"MM\0*"}[order] + long(IFD0)
    own = [text(0x010F, b"Camera maker\0"), (0x8769, 4, 1, long(EXIF)), (0x8825, 4, 1, long(GPS))]
    put_directory(data, order, IFD0, sorted([*own, *extra]), IFD1)
    put_directory(data, order, EXIF, [(0x927C, 7, len(note), note), (0xA005, 4, 1, long(INTEROP))])
    put_directory(data, order, GPS, [(0, 1, 4, b"\2\2\0\0"), (2, 5, 3, bytes(range(24)))])
    put_directory(data, order, INTEROP, [text(1, b"R98\0")])
    spot = [(0x0103, 3, 1, short(6)), (0x0201, 4, 1, long(THUMBNAIL)), (0x0202, 4, 1, long(len(thumbnail)))]
    put_directory(data, order, IFD1, spot)
    return bytes(data) + thumbnail


def put_directory(data: bytearray, order: str, offset: int, fields: Sequence[Field], following: int = 0) -> None:
    """Write a directory into `data`, with the long values right behind it."""
    free = offset + 2 + 12 * len(fields) + 4
    raw = struct.pack(order + "H", len(fields))
    for tag, kind, count, value in fields:
        stored = value.ljust(4, b"\0")
        if len(value) > 4:
            stored = struct.pack(order + "I", free)
            data[free : free + len(value)] = value
            free += len(value)
        raw += struct.pack(order + "HHI", tag, kind, count) + stored
    raw += struct.pack(order + "I", following)
    data[offset : offset + len(raw)] = raw


def segment(marker: int, body: bytes) -> bytes:
    """A marker segment."""
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def exif_segment(block: bytes) -> bytes:
    """The segment that carries an EXIF block."""
    return segment(0xE1, b"Exif\0\0" + block)


def jpeg(*segments: bytes, trailer: bytes = b"", progressive: bool = False) -> bytes:
    """A small JPEG with these segments behind its JFIF head."""
    image = Image.radial_gradient("L").resize((24, 16)).convert("RGB")
    plain = encoded(image, quality=80, progressive=progressive)
    head = 2 + 18  # SOI and the JFIF segment
    return plain[:head] + b"".join(segments) + plain[head:] + trailer
