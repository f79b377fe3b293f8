"""The EXIF block of a repaired copy: that of the photo without its thumbnail, every other byte at its place.

A block is not rebuilt, because makers' notes hold offsets that only fit where they stand.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from culld.tags.containers.exif_block import read_block

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from culld.tags.containers.exif_block import Block, Directory

ORIENTATION: Final = 0x0112
WIDTH: Final = 0xA002
HEIGHT: Final = 0xA003
_CODES: Final = {3: "H", 4: "I"}
_THUMBNAIL: Final = (0x0201, 0x0202)

Span = tuple[int, int]


def without_thumbnail(data: bytes) -> bytes:
    """Return an EXIF block without its second directory and the thumbnail in it; raises TagRefusedError.

    Their bytes become zeros unless something else uses them, and are cut off where they end the block.
    """
    block = read_block(data)
    ifd1 = block.directories.get("IFD1")
    if ifd1 is None:
        return data
    kept = [span for name, each in block.directories.items() if name != "IFD1" for span in _spans(each)]
    gone = [
        span for span in (*_spans(ifd1), *_thumbnail(block, ifd1)) if not any(_overlap(span, each) for each in kept)
    ]
    found, end = bytearray(data), len(data)
    struct.pack_into(block.order + "I", found, block.directories["IFD0"].end, 0)
    for start, stop in sorted(gone, reverse=True):
        found[start:stop] = bytes(stop - start)
        end = start if stop >= end - 1 and start >= 8 else end
    return bytes(found[: max(end, *(stop for _, stop in kept))])


def with_numbers(data: bytes, numbers: Mapping[int, int]) -> bytes:
    """Return an EXIF block with these values of tags that hold one SHORT or LONG; tags that it lacks stay away."""
    block, found = read_block(data), bytearray(data)
    for directory in block.directories.values():
        for entry in directory.entries:
            if entry.tag in numbers and entry.type in _CODES and entry.count == 1:
                struct.pack_into(block.order + _CODES[entry.type], found, entry.start, numbers[entry.tag])
    return bytes(found)


def _spans(directory: Directory) -> Iterator[Span]:
    """Yield where a directory stands, and the values that do not stand in it."""
    yield directory.offset, directory.end + 4
    yield from ((each.start, each.end) for each in directory.entries if each.end - each.start > 4)


def _thumbnail(block: Block, ifd1: Directory) -> Iterator[Span]:
    offset, length = (ifd1.get(tag) for tag in _THUMBNAIL)
    if offset is not None and length is not None:
        start, size = (
            int.from_bytes(block.value(each), "little" if block.order == "<" else "big") for each in (offset, length)
        )
        yield start, start + size


def _overlap(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]
