"""Photo files with several parts: a movie or a second image behind the first one."""

from __future__ import annotations

import struct

from harness import factories

_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_PACKET = """\
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:GCamera="http://ns.google.com/photos/1.0/camera/"
 xmlns:Container="http://ns.google.com/photos/1.0/container/"
 xmlns:Item="http://ns.google.com/photos/1.0/container/item/"
 {attributes}>{content}</rdf:Description></rdf:RDF></x:xmpmeta>"""


def movie(size: int = 4000) -> bytes:
    """Bytes like those of an MP4."""
    return struct.pack(">I", 24) + b"ftypmp42" + bytes(12) + struct.pack(">I", size - 24) + b"mdat" + bytes(size - 32)


def jpeg(blur: float = 0) -> bytes:
    """A small JPEG."""
    image = factories.picture(3, size=(96, 64))
    return factories.encoded(factories.blurred(image, blur) if blur else image)


def packet(attributes: str = "", content: str = "") -> bytes:
    """An XMP packet about the photo."""
    return _PACKET.format(attributes=attributes, content=content).encode()


def with_segment(photo: bytes, marker: int, body: bytes) -> bytes:
    """A JPEG with one more segment behind SOI."""
    return photo[:2] + bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body + photo[2:]


def with_xmp(photo: bytes, text: bytes) -> bytes:
    """A JPEG with an XMP packet."""
    return with_segment(photo, 0xE1, _XMP + text)


def listed(length: int, padding: int = 0, *, elements: bool = False) -> bytes:
    """A packet that lists a movie of a given length behind the primary picture, as attributes or as elements."""
    if elements:
        items = f"""<rdf:li rdf:parseType="Resource"><Container:Item rdf:parseType="Resource">
<Item:Mime>image/jpeg</Item:Mime><Item:Semantic>Primary</Item:Semantic><Item:Length>0</Item:Length>
<Item:Padding>{padding}</Item:Padding></Container:Item></rdf:li>
<rdf:li rdf:parseType="Resource"><Container:Item rdf:parseType="Resource"><Item:Mime>video/mp4</Item:Mime>
<Item:Semantic>MotionPhoto</Item:Semantic><Item:Length> {length} </Item:Length></Container:Item></rdf:li>"""
    else:
        items = f"""<rdf:li rdf:parseType="Resource"><Container:Item Item:Mime="image/jpeg" Item:Semantic="Primary"
 Item:Length="0" Item:Padding="{padding}"/></rdf:li><rdf:li rdf:parseType="Resource">
<Container:Item Item:Mime="video/mp4" Item:Semantic="MotionPhoto" Item:Length="{length}" Item:Padding="0"/></rdf:li>"""
    directory = f"<Container:Directory><rdf:Seq>{items}</rdf:Seq></Container:Directory>"
    return packet('GCamera:MotionPhoto="1"', directory)


def motion_photo(padding: int = 0, *, elements: bool = False) -> bytes:
    """A Motion Photo whose XMP lists its movie."""
    tail = movie()
    return with_xmp(jpeg(), listed(len(tail), padding, elements=elements)) + bytes(padding) + tail


def micro_video(*, elements: bool = False) -> bytes:
    """A photo of the older kind: its XMP gives the distance of the movie from the end of the file."""
    tail = movie()
    attribute = "" if elements else f'GCamera:MicroVideo="1" GCamera:MicroVideoOffset="{len(tail)}"'
    content = f"<GCamera:MicroVideoOffset>{len(tail)}</GCamera:MicroVideoOffset>" if elements else ""
    return with_xmp(jpeg(), packet(attribute, content)) + tail


def multi_picture(order: str = "<", wrong_by: int = 0) -> bytes:
    """Two pictures with an MPF index; the second is listed as longer than it is by `wrong_by`."""
    one, other = jpeg(), jpeg(2)
    head = b"II*\0" if order == "<" else b"MM\0*"
    index = 8 + 2 + 3 * 12 + 4
    fields = struct.pack(order + "HHI4s", 0xB000, 7, 4, b"0100") + struct.pack(order + "HHII", 0xB001, 4, 1, 2)
    fields += struct.pack(order + "HHII", 0xB002, 7, 32, index)
    first = len(one) + 4 + 4 + index + 32
    table = struct.pack(order + "IIIHH", 0x030000, first, 0, 0, 0)
    table += struct.pack(order + "IIIHH", 0, len(other) + wrong_by, first - 10, 0, 0)
    body = b"MPF\0" + head + struct.pack(order + "IH", 8, 3) + fields + bytes(4) + table
    return with_segment(one, 0xE2, body) + other


def heic_motion_photo(heic: bytes) -> bytes:
    """A HEIC with the box of a movie behind it."""
    tail = movie()
    return heic + struct.pack(">I", len(tail) + 8) + b"mpvd" + tail
