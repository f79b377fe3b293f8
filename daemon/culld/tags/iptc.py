"""IPTC IIM: the keywords and captions of programs older than XMP, and of many newer ones.

Data sets are those of IIM 4.2 (chapter 3); the image resource blocks around them those of Adobe Photoshop's file
formats (resource 0x0404). Reading ends at damaged data; the data sets before them count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

KEYWORDS: Final = 25

_ENVELOPE, _APPLICATION, _CHARACTER_SET = 1, 2, 90
_IPTC_RESOURCE: Final = 0x0404
_RESOURCES: Final = frozenset({b"8BIM", b"PHUT", b"AgHg", b"DCSR", b"MeSa"})  # ExifTool, Photoshop.pm
_UTF8: Final = b"\x1b%G"


def resource_in(blocks: bytes) -> bytes | None:
    """The IPTC data in Photoshop's image resource blocks, None if there are none."""
    position = 0
    while blocks[position : position + 4] in _RESOURCES and position + 12 <= len(blocks):
        number = int.from_bytes(blocks[position + 4 : position + 6], "big")
        name = 1 + blocks[position + 6]
        start = position + 6 + name + name % 2 + 4
        size = int.from_bytes(blocks[start - 4 : start], "big")
        if number == _IPTC_RESOURCE:
            return blocks[start : start + size]
        position = start + size + size % 2
    return None


def texts_in(data: bytes) -> Mapping[int, tuple[str, ...]]:
    """The texts of the application record, by data set; each may be repeated.

    A text is UTF-8 where the envelope states it or the bytes are valid UTF-8, else Latin-1.
    """
    found: dict[int, list[bytes]] = {}
    is_utf8 = False
    for record, number, value in _data_sets(data):
        if (record, number) == (_ENVELOPE, _CHARACTER_SET):
            is_utf8 = value == _UTF8
        elif record == _APPLICATION:
            found.setdefault(number, []).append(value)
    return {number: tuple(_decoded(value, is_utf8=is_utf8) for value in values) for number, values in found.items()}


def _data_sets(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Record, number and value of each data set; one longer than 32,767 bytes gives its length behind its head."""
    position = 0
    while data[position : position + 1] == b"\x1c" and position + 5 <= len(data):
        record, number = data[position + 1], data[position + 2]
        size = int.from_bytes(data[position + 3 : position + 5], "big")
        start = position + 5
        if size & 0x8000:
            width = size & 0x7FFF
            size = int.from_bytes(data[start : start + min(width, 8)], "big")
            start += width
        if start + size > len(data):
            return
        yield record, number, data[start : start + size]
        position = start + size


def _decoded(value: bytes, *, is_utf8: bool) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("utf-8", "replace") if is_utf8 else value.decode("latin-1")
