"""The marker segments of a JPEG, and the edits of its EXIF block and its XMP packet (ITU-T T.81, annex B).

A file with offsets that a longer segment would shift, or with a signature that it would break, is refused: bytes behind
the picture (movies, gain maps, previews), several pictures, XMP in several segments, content credentials.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, ClassVar, Final

from culld.records import Edit
from culld.tags.containers import Container, refuse
from culld.tags.containers.exif_block import read_block
from culld.tags.containers.ifd_append import append_ifd

if TYPE_CHECKING:
    from collections.abc import Iterator

    from culld.tags.containers import MetadataChange
    from culld.tags.containers.exif_block import Block

SOS, EOI, APP0, APP1, APP2, APP11, APP13 = 0xDA, 0xD9, 0xE0, 0xE1, 0xE2, 0xEB, 0xED
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_STANDALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})
"""TEM, RST0 to RST7 and SOI, which have no length field."""

EXIF_HEAD: Final = b"Exif\0\0"
XMP_HEAD: Final = b"http://ns.adobe.com/xap/1.0/\0"
EXTENDED_XMP_HEAD: Final = b"http://ns.adobe.com/xmp/extension/\0"
MPF_HEAD: Final = b"MPF\0"
_REFUSED: Final = (
    (APP2, MPF_HEAD, "it holds more than one picture (MPF)"),
    (APP1, EXTENDED_XMP_HEAD, "its XMP spans several segments"),
    (APP11, b"JP", "it carries content credentials or another signed box"),
)

_READ_BYTES: Final = 1 << 20
_MAX_SEGMENTS: Final = 100_000
_MAX_LENGTH: Final = 0xFFFF

# Within picture data FF is followed by 00 (a plain FF), by RST0..7, or by more FF as filling (T.81, B.1.1).
_MARKER: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


@dataclass(frozen=True, slots=True)
class Segment:
    """A marker segment: its FF at `start`, its data from `body` to `end` (without data: `end` follows the marker)."""

    marker: int
    start: int
    end: int

    @property
    def body(self) -> int:
        """The first byte behind the length field."""
        return self.start + 4


def segments(stream: BinaryIO, start: int = 0) -> Iterator[Segment]:
    """Yield the segments of the picture that begins at `start`; the last may end outside of the file. Raises OSError.

    EOI is the last one, and is missing from a picture that is cut short. Picture data are searched for their end only
    when the segment behind them is asked for.
    """
    position = start + 2
    for _ in range(_MAX_SEGMENTS):
        stream.seek(position)
        head = stream.read(4)
        if len(head) < 2 or head[0] != 0xFF:
            return
        if head[1] == 0xFF:
            position += 1
            continue
        alone = head[1] == EOI or head[1] in _STANDALONE
        if len(head) < 4 and not alone:
            return
        segment = Segment(head[1], position, position + 2 + (0 if alone else int.from_bytes(head[2:])))
        yield segment
        if segment.marker == EOI:
            return
        position = segment.end if alone else max(segment.end, segment.body)
        if segment.marker == SOS:
            found = _next_marker(stream, position)
            if found is None:
                return
            position = found


def picture_end(stream: BinaryIO, start: int) -> int:
    """Return where the picture that begins at `start` ends; 0 if it does not end. Raises OSError."""
    return next((each.end for each in segments(stream, start) if each.marker == EOI), 0)


def segment_data(stream: BinaryIO, segment: Segment) -> bytes:
    """Return the data of a segment; raises OSError."""
    stream.seek(segment.body)
    return stream.read(max(segment.end - segment.body, 0))


def _next_marker(stream: BinaryIO, position: int) -> int | None:
    """The offset of the marker that ends the picture data from here on; None at the end of the file."""
    stream.seek(position)
    kept = b""
    while chunk := stream.read(_READ_BYTES):
        data = kept + chunk
        if found := _MARKER.search(data):
            return stream.tell() - len(data) + found.start()
        kept = data[-1:]
    return None


@dataclass(frozen=True, slots=True)
class Jpeg(Container):
    """The segments of a JPEG before EOI, and those among them that hold EXIF and XMP."""

    holds_keywords_in_exif: ClassVar[bool] = True

    data: bytes
    segments: tuple[Segment, ...]
    exif: Segment | None
    xmp: Segment | None

    @property
    def block(self) -> bytes | None:
        """The EXIF block without its `Exif` head."""
        return None if self.exif is None else self.data[self.exif.body + len(EXIF_HEAD) : self.exif.end]

    @property
    def packet(self) -> bytes | None:
        """The XMP packet without its head."""
        return None if self.xmp is None else self.data[self.xmp.body + len(XMP_HEAD) : self.xmp.end]

    @property
    def bytes_outside_metadata(self) -> bytes:
        """Every byte but those of the segments with EXIF and XMP, and with them the picture."""
        gone = [each for each in self.segments if each in {self.exif, self.xmp}]
        starts, ends = [0, *(each.end for each in gone)], [*(each.start for each in gone), len(self.data)]
        return b"".join(self.data[start:end] for start, end in zip(starts, ends, strict=True))

    def exif_block(self) -> Block | None:
        """The EXIF block; raises TagRefusedError where it is not as it should be."""
        return None if self.block is None else read_block(self.block)

    def splice(self, change: MetadataChange) -> tuple[Edit, ...]:
        """The edits of both segments; new ones stand behind SOI and the JFIF segments, XMP behind EXIF."""
        return tuple(sorted([*self._exif_edits(change), *self._xmp_edits(change)], key=lambda edit: edit.offset))

    def _exif_edits(self, change: MetadataChange) -> tuple[Edit, ...]:
        if self.exif is None and change.new_block is not None:
            return (Edit(self._insert_offset(), b"", _segment(EXIF_HEAD, change.new_block)),)
        block = self.exif_block() if change.entries else None
        if self.exif is None or block is None:
            return ()
        tail = append_ifd(block, change.entries)
        start = self.exif.body + len(EXIF_HEAD)
        return (
            self._length_edit(self.exif, EXIF_HEAD, tail.kept + len(tail.content)),
            Edit(start + 4, self.data[start + 4 : start + 8], tail.pointer),
            Edit(start + tail.kept, self.data[start + tail.kept : self.exif.end], tail.content),
        )

    def _xmp_edits(self, change: MetadataChange) -> tuple[Edit, ...]:
        if not change.packet:
            return ()
        if self.xmp is None:
            offset = self.exif.end if self.exif else self._insert_offset()
            return (Edit(offset, b"", _segment(XMP_HEAD, change.packet[0].inserted)),)
        start = self.xmp.body + len(XMP_HEAD)
        grown = sum(len(edit.inserted) - len(edit.removed) for edit in change.packet)
        edits = tuple(Edit(edit.offset + start, edit.removed, edit.inserted) for edit in change.packet)
        return (self._length_edit(self.xmp, XMP_HEAD, self.xmp.end - start + grown), *edits) if grown else edits

    def _length_edit(self, segment: Segment, head: bytes, size: int) -> Edit:
        """The edit of a segment's length field, for `size` bytes behind its head."""
        return Edit(segment.start + 2, self.data[segment.start + 2 : segment.body], _length(head, size))

    def _insert_offset(self) -> int:
        """The offset behind SOI and the JFIF segments that follow it."""
        leading = 0
        while self.segments[leading].marker == APP0:
            leading += 1
        return self.segments[leading - 1].end if leading else 2


def read_jpeg(data: bytes) -> Jpeg:
    """Parse a JPEG from SOI to EOI; raises TagRefusedError where it should not be changed."""
    if not data.startswith(b"\xff\xd8"):
        refuse("it does not begin like a JPEG")
    found = _whole(data)
    markers = [segment.marker for segment in found]
    if SOS not in markers or not _FRAMES.intersection(markers[: markers.index(SOS)]):
        refuse("it holds no picture")
    for marker, head, reason in _REFUSED:
        if _with_head(data, found, marker, head):
            refuse(reason)
    exif = _only(_with_head(data, found, APP1, b"Exif"), "it holds EXIF twice")
    if exif and (not data.startswith(EXIF_HEAD, exif.body, exif.end) or exif.start > found[markers.index(SOS)].start):
        refuse("its EXIF segment is unusual")
    return Jpeg(data, found, exif, _only(_with_head(data, found, APP1, XMP_HEAD), "it holds XMP twice"))


def _whole(data: bytes) -> tuple[Segment, ...]:
    """The segments before EOI, which must end the file."""
    found = tuple(segments(io.BytesIO(data)))
    for segment in found:
        if segment.marker == 0 or segment.marker in _STANDALONE:
            refuse(f"marker {segment.marker:#04x} stands where none may be")
        if segment.marker != EOI and not segment.body <= segment.end <= len(data):
            refuse("it is cut short or damaged")
    if not found or found[-1].marker != EOI:
        refuse("it is cut short" if found and found[-1].marker == SOS else "it is cut short or damaged")
    if found[-1].end != len(data):
        refuse("more bytes follow its picture, such as a movie, a gain map or a preview")
    return found[:-1]


def _with_head(data: bytes, found: tuple[Segment, ...], marker: int, head: bytes) -> list[Segment]:
    """The segments of one marker whose data begin with `head`."""
    return [each for each in found if each.marker == marker and data.startswith(head, each.body, each.end)]


def _only(found: list[Segment], reason: str) -> Segment | None:
    """The one segment of a list, None if it is empty; several are refused."""
    if len(found) > 1:
        refuse(reason)
    return found[0] if found else None


def _segment(head: bytes, body: bytes) -> bytes:
    return bytes((0xFF, APP1)) + _length(head, len(body)) + head + body


def _length(head: bytes, size: int) -> bytes:
    """The length field of a segment with `size` bytes behind its head."""
    if size + len(head) + 2 > _MAX_LENGTH:
        refuse(f"its {'EXIF block' if head == EXIF_HEAD else 'XMP packet'} is full")
    return (size + len(head) + 2).to_bytes(2, "big")
