"""The change of entries of IFD0 that moves nothing else in a block.

A block is never rebuilt: a copy of IFD0 with the new entries goes to the end, their values behind it, and the pointer
in bytes 4..8 turns to the copy. So MakerNote, thumbnail and all other directories keep their offsets. Eight
bytes before the copy (`MAGIC`) let the next change replace it instead of growing the block again.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from culld.tags.containers.ifd import BYTE, ENTRY_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from culld.tags.containers.exif_block import Block, Directory
    from culld.tags.containers.ifd import Entry

XP_KEYWORDS: Final = 0x9C9E
XMP: Final = 0x02BC
_OWN_TAGS: Final = frozenset({XP_KEYWORDS, XMP})

MAGIC: Final = b"culld-1\0"
"""Stands before culld's copy of IFD0; its length is even, because directories begin on even offsets."""

_POINTER = slice(4, 8)


@dataclass(frozen=True, slots=True)
class AppendedIfd:
    """The bytes `kept` of a block, then `content`, with the new offset of IFD0 for bytes 4..8."""

    kept: int
    content: bytes
    pointer: bytes

    def of(self, block: bytes) -> bytes:
        """The new block."""
        return block[: _POINTER.start] + self.pointer + block[_POINTER.stop : self.kept] + self.content


def append_ifd(block: Block, values: Mapping[int, bytes | None]) -> AppendedIfd:
    """The tail that gives entries of IFD0 these values, as bytes; None takes an entry away."""
    ifd0 = block.directories["IFD0"]
    ours = _own_values(block, ifd0)
    kept = len(block.data) if ours is None else ifd0.offset - len(MAGIC)
    carried = {entry.tag: block.value(entry) for entry in ours or ()}
    wanted = {tag: value for tag, value in {**carried, **values}.items() if value is not None}
    raws = [entry.raw for entry in ifd0.entries if entry.tag not in {*carried, *values}]
    return _appended_ifd(kept, block.order, raws, ifd0.next, wanted)


def minimal_block(values: Mapping[int, bytes]) -> bytes:
    """A block that holds these values and nothing else.

    It is culld's tail behind an empty head, written by the same code as the tail of other blocks, so that one
    verification covers both and a later change finds `MAGIC`.
    """
    head = b"II*\0" + bytes(4)
    return _appended_ifd(len(head), "<", (), 0, values).of(head)


def _appended_ifd(
    kept: int, order: str, raws: Sequence[bytes], following: int, values: Mapping[int, bytes]
) -> AppendedIfd:
    """A copy of IFD0 with the values in their places among the tags, then those that do not fit into an entry."""
    start = kept + kept % 2
    offset = start + len(MAGIC)
    end = offset + 2 + ENTRY_BYTES * (len(raws) + len(values)) + 4
    entries, bodies = list(raws), b""
    for tag, value in sorted(values.items()):
        stored = struct.pack(order + "I", end + len(bodies)) if len(value) > 4 else value.ljust(4, b"\0")
        tags = [struct.unpack_from(order + "H", raw)[0] for raw in entries]
        place = next((index for index, other in enumerate(tags) if other > tag), len(entries))
        entries.insert(place, struct.pack(order + "HHI", tag, BYTE, len(value)) + stored)
        bodies += _padded(value) if len(value) > 4 else b""
    directory = struct.pack(order + "H", len(entries)) + b"".join(entries) + struct.pack(order + "I", following)
    return AppendedIfd(kept, bytes(start - kept) + MAGIC + directory + bodies, struct.pack(order + "I", offset))


def _own_values(block: Block, ifd0: Directory) -> list[Entry] | None:
    """The entries whose values are in a tail that culld wrote, at the end of the block; None if there is no such tail.

    A tail into which anything else points is not culld's any more.
    """
    start = ifd0.offset - len(MAGIC)
    if start < 8 or block.data[start : ifd0.offset] != MAGIC:
        return None
    position = ifd0.end + 4
    found: list[Entry] = []
    for entry in sorted(ifd0.entries, key=lambda entry: entry.start):
        if entry.tag in _OWN_TAGS and entry.end - entry.start > 4 and entry.start == position:
            found.append(entry)
            position = entry.end + (entry.end - entry.start) % 2
    if position != len(block.data) or any(end > start for end in _block_end(block, ifd0, found)):
        return None
    return found


def _block_end(block: Block, ifd0: Directory, ours: Sequence[Entry]) -> Iterator[int]:
    """Where everything ends that is not in culld's tail."""
    for directory in block.directories.values():
        if directory is not ifd0:
            yield directory.end
        yield from (e.end for e in directory.entries if e.end - e.start > 4 and e not in ours)


def _padded(value: bytes) -> bytes:
    """Values begin on even offsets (TIFF 6.0, section 2)."""
    return value + b"\0" * (len(value) % 2)
