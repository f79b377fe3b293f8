"""The segments of a JPEG, which of them may be touched, and the edits that put words into its EXIF and its XMP.

Markers are those of ITU-T T.81, annex B. Whatever holds offsets that a longer segment would shift, or a signature that
it would break, is refused: bytes behind the picture (movies, gain maps, previews), multi-picture files, XMP in
several segments, content credentials.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from culld.errors import TagRefusedError
from culld.records import Edit, Format
from culld.tags.containers.exif_block import read_block
from culld.tags.containers.ifd_append import XP_KEYWORDS, append_ifd
from culld.tags.embedded_metadata import embedded_metadata_in
from culld.tags.keywords import check_keywords
from culld.tags.packet import offset_edits, packet_edits, removed_keywords
from culld.tags.xpkeywords import changed_keywords, encode_keywords, new_block

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from culld.records import RejectFlag

_SOI, _EOI, _SOS, _APP0, _APP1, _APP2, _APP11 = 0xD8, 0xD9, 0xDA, 0xE0, 0xE1, 0xE2, 0xEB
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE = frozenset({0x00, 0x01, *range(0xD0, 0xD9)})

_EXIF = b"Exif\0\0"
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_REFUSED = (
    (_APP2, b"MPF\0", "it holds more than one picture (MPF)"),
    (_APP1, b"http://ns.adobe.com/xmp/extension/\0", "its XMP spans several segments"),
    (_APP11, b"JP", "it carries content credentials or another signed box"),
)

_MAX_SEGMENT = 0xFFFF
MAX_BLOCK = _MAX_SEGMENT - 2 - len(_EXIF)
"""The largest EXIF block that a segment can hold, in bytes."""

# Within picture data FF is followed by 00 (a plain FF), by RST0..7, or by more FF as filling.
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


@dataclass(frozen=True, slots=True)
class Segment:
    """A marker segment: FF at `start`, its data from `body` to `end`."""

    marker: int
    start: int
    body: int
    end: int


@dataclass(frozen=True, slots=True)
class Jpeg:
    """The segments of a JPEG that is whole, in order, and those among them that hold EXIF and XMP."""

    data: bytes
    segments: tuple[Segment, ...]
    exif: Segment | None
    xmp: Segment | None

    @property
    def block(self) -> bytes | None:
        """The EXIF block without its `Exif` head."""
        return None if self.exif is None else self.data[self.exif.body + len(_EXIF) : self.exif.end]

    @property
    def packet(self) -> bytes | None:
        """The XMP packet without its head."""
        return None if self.xmp is None else self.data[self.xmp.body + len(_XMP) : self.xmp.end]

    @property
    def bytes_outside_metadata(self) -> bytes:
        """Every byte but those of the segments with EXIF and XMP, and with them the picture."""
        gone = [each for each in self.segments if each in {self.exif, self.xmp}]
        starts, ends = [0, *(each.end for each in gone)], [*(each.start for each in gone), len(self.data)]
        return b"".join(self.data[start:end] for start, end in zip(starts, ends, strict=True))


def read_jpeg(data: bytes) -> Jpeg:
    """Walk a JPEG from SOI to EOI; TagRefusedError says why where it should not be changed."""
    if not data.startswith(b"\xff\xd8"):
        _refuse("it does not begin like a JPEG")
    segments = _walk(data)
    markers = [segment.marker for segment in segments]
    if _SOS not in markers or not _FRAMES.intersection(markers[: markers.index(_SOS)]):
        _refuse("it holds no picture")
    for marker, head, reason in _REFUSED:
        if _with_head(data, segments, marker, head):
            _refuse(reason)
    return Jpeg(data, segments, _exif_of(data, segments), _xmp_of(data, segments))


def jpeg_edits(
    data: bytes,
    keywords: Sequence[str],
    wanted: Sequence[RejectFlag] = (),
    build: Callable[[bytes], bytes] = new_block,
) -> tuple[Edit, ...]:
    """The edits that bring `keywords` into the EXIF and the XMP of a JPEG, and marks into its XMP; none if none needed.

    Raises TagRefusedError where the file cannot be changed without risk.
    """
    jpeg = read_jpeg(data)
    gone = removed_keywords(jpeg.packet, keywords)
    found = [*exif_edits(data, keywords, build, gone), *_xmp_edits(jpeg, keywords, wanted)]
    return tuple(sorted(found, key=lambda edit: edit.offset))


def _xmp_edits(jpeg: Jpeg, keywords: Sequence[str], wanted: Sequence[RejectFlag]) -> tuple[Edit, ...]:
    """The edits that bring the words into the packet; a new one stands behind EXIF."""
    edits = packet_edits(jpeg.packet, keywords, embedded_metadata_in(jpeg.data, Format.JPEG), wanted)
    if not edits:
        return ()
    if jpeg.xmp is None:
        place = jpeg.exif.end if jpeg.exif else _insert_offset(jpeg)
        return (Edit(place, b"", _segment(_XMP, edits[0].inserted)),)
    start = jpeg.xmp.body + len(_XMP)
    grown = sum(len(edit.inserted) - len(edit.removed) for edit in edits)
    found = offset_edits(edits, start)
    if grown:
        length = jpeg.data[jpeg.xmp.start + 2 : jpeg.xmp.body]
        found = (Edit(jpeg.xmp.start + 2, length, _length(_XMP, jpeg.xmp.end - start + grown)), *found)
    return found


def exif_edits(
    data: bytes,
    keywords: Sequence[str],
    build: Callable[[bytes], bytes] = new_block,
    gone: Collection[str] = (),
) -> tuple[Edit, ...]:
    """The edits that add `keywords` to XPKeywords of a JPEG, and take out those that are `gone`.

    Where the file has no EXIF, `build` makes a block (without `Exif` head) from the bytes of XPKeywords. Raises
    TagRefusedError where the file cannot be changed without risk.
    """
    check_keywords(keywords)
    jpeg = read_jpeg(data)
    if jpeg.exif is None or jpeg.block is None:
        return _fresh_edits(jpeg, build(encode_keywords(keywords))) if keywords else ()
    block = read_block(jpeg.block)
    words = changed_keywords(block, keywords, gone)
    if words is None:
        return ()
    tail = append_ifd(block, {XP_KEYWORDS: encode_keywords(words) if words else None})
    size = tail.kept + len(tail.content)
    start = jpeg.exif.body + len(_EXIF)
    return (
        Edit(jpeg.exif.start + 2, data[jpeg.exif.start + 2 : jpeg.exif.body], _length(_EXIF, size)),
        Edit(start + 4, data[start + 4 : start + 8], tail.pointer),
        Edit(start + tail.kept, data[start + tail.kept : jpeg.exif.end], tail.content),
    )


def _fresh_edits(jpeg: Jpeg, block: bytes) -> tuple[Edit, ...]:
    """A new segment behind SOI and the JFIF segments that follow it."""
    return (Edit(_insert_offset(jpeg), b"", _segment(_EXIF, block)),)


def _insert_offset(jpeg: Jpeg) -> int:
    leading = 0
    while jpeg.segments[leading].marker == _APP0:
        leading += 1
    return jpeg.segments[leading - 1].end if leading else 2


def _segment(head: bytes, body: bytes) -> bytes:
    return bytes((0xFF, _APP1)) + _length(head, len(body)) + head + body


def _length(head: bytes, size: int) -> bytes:
    """The length field of a segment with so many bytes behind its head."""
    if size + len(head) + 2 > _MAX_SEGMENT:
        _refuse(f"its {'EXIF block' if head == _EXIF else 'XMP packet'} is full")
    return (size + len(head) + 2).to_bytes(2, "big")


def _xmp_of(data: bytes, segments: tuple[Segment, ...]) -> Segment | None:
    """The segment with XMP, of which there must not be two."""
    found = _with_head(data, segments, _APP1, _XMP)
    if len(found) > 1:
        _refuse("it holds XMP twice")
    return found[0] if found else None


def _exif_of(data: bytes, segments: tuple[Segment, ...]) -> Segment | None:
    """The segment with EXIF, of which there must not be two."""
    found = _with_head(data, segments, _APP1, b"Exif")
    if len(found) > 1:
        _refuse("it holds EXIF twice")
    if not found:
        return None
    first_scan = next(segment.start for segment in segments if segment.marker == _SOS)
    if data[found[0].body : found[0].body + len(_EXIF)] != _EXIF or found[0].start > first_scan:
        _refuse("its EXIF segment is unusual")
    return found[0]


def _with_head(data: bytes, segments: tuple[Segment, ...], marker: int, head: bytes) -> list[Segment]:
    """The segments of one marker whose data begin with `head`."""
    return [s for s in segments if s.marker == marker and data.startswith(head, s.body, s.end)]


def _walk(data: bytes) -> tuple[Segment, ...]:
    """Every segment up to EOI, which must be the last two bytes."""
    segments: list[Segment] = []
    position = 2
    while True:
        start = _next_marker(data, position, in_scan=bool(segments) and segments[-1].marker == _SOS)
        marker = data[start + 1]
        if marker == _EOI:
            if start + 2 != len(data):
                _refuse("more bytes follow its picture, such as a movie, a gain map or a preview")
            return tuple(segments)
        if marker in _ALONE:
            _refuse(f"marker {marker:#04x} stands where none may be")
        length = int.from_bytes(data[start + 2 : start + 4], "big")
        if length < 2 or start + 2 + length > len(data):
            _refuse("it is cut short or damaged")
        position = start + 2 + length
        segments.append(Segment(marker, start, start + 4, position))


def _next_marker(data: bytes, position: int, *, in_scan: bool) -> int:
    """The offset of the next marker's FF: right here between segments, behind the picture data in a scan."""
    if in_scan:
        found = _MARKER.search(data, position)
        if found is None:
            _refuse("it is cut short")
        return found.start()
    while data[position : position + 2] == b"\xff\xff":
        position += 1
    if len(data) < position + 2 or data[position] != 0xFF:
        _refuse("it is cut short or damaged")
    return position


def _refuse(reason: str) -> NoReturn:
    """Leave the file alone, and say why."""
    raise TagRefusedError(reason, "the photo")
