"""The segments of a JPEG file, down to its last byte (ITU-T T.81, annex B)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

from culld.errors import TagRefusedError

SOI, EOI, SOS, APP0, APP1, APP2 = 0xD8, 0xD9, 0xDA, 0xE0, 0xE1, 0xE2
EXIF = b"Exif\0\0"
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_EXTENDED_XMP = b"http://ns.adobe.com/xmp/extension/\0"
_MPF = b"MPF\0"

# In entropy-coded data a marker is an FF that no 00 (stuffing), no restart number and no further FF (fill) follows.
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_BARE_MARKERS = frozenset({0x01, *range(0xD0, 0xD9)})


@dataclass(frozen=True, slots=True)
class Segment:
    """A marker segment from its FF at `start` to `end`, or the entropy-coded data behind an SOS (marker 0)."""

    marker: int
    start: int
    end: int

    @property
    def payload(self) -> slice:
        """Where its content lies, without marker and length."""
        return slice(self.start + 4, self.end)


def read_segments(data: bytes) -> tuple[Segment, ...]:
    """Every segment from SOI to EOI; TagRefusedError where the file is not one plain, whole JPEG."""
    if data[:2] != b"\xff\xd8":
        _refuse("it does not begin like a JPEG")
    segments, position = [Segment(SOI, 0, 2)], 2
    while segments[-1].marker != EOI:
        segment = _segment(data, position)
        segments.append(segment)
        position = segment.end
        if segment.marker == SOS:
            found = _NEXT_MARKER.search(data, position)
            if found is None:
                _refuse("its end is missing")
            segments.append(Segment(0, position, found.start()))
            position = found.start()
    if position != len(data):
        _refuse("something follows the picture (a motion photo, a gain map, a camera's preview)")
    return tuple(segments)


def find_exif(data: bytes, segments: tuple[Segment, ...]) -> Segment | None:
    """The EXIF segment; TagRefusedError where metadata lie in it or beside it that a longer EXIF could harm."""
    exif = _named(data, segments, APP1, EXIF)
    if len(exif) > 1:
        _refuse("it has two EXIF segments")
    if _named(data, segments, APP2, _MPF):
        _refuse("it holds several pictures (MPF)")
    if _named(data, segments, APP1, _EXTENDED_XMP) or len(_named(data, segments, APP1, _XMP)) > 1:
        _refuse("its XMP is spread over several segments")
    return exif[0] if exif else None


def _named(data: bytes, segments: tuple[Segment, ...], marker: int, name: bytes) -> list[Segment]:
    return [s for s in segments if s.marker == marker and data[s.payload][: len(name)] == name]


def _segment(data: bytes, position: int) -> Segment:
    head = data[position : position + 4]
    if len(head) < 2 or head[0] != 0xFF:
        _refuse("its segments do not follow one another")
    if head[1] == EOI:
        return Segment(EOI, position, position + 2)
    if head[1] in _BARE_MARKERS or head[1] in {0x00, 0xFF} or len(head) < 4:
        _refuse(f"marker {head[1]:#04x} is not expected there")
    end = position + 2 + int.from_bytes(head[2:], "big")
    if end > len(data) or end < position + 4:
        _refuse("it is cut short")
    return Segment(head[1], position, end)


def _refuse(reason: str) -> NoReturn:
    """Leave the file alone, and say why."""
    raise TagRefusedError(f"the file itself was left alone: {reason}")
