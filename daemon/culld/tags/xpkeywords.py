"""The EXIF field that Windows shows as "Tags": reading it, and adding words without moving anything else.

XPKeywords (0x9C9E in IFD0) holds UTF-16LE text that ends with NUL, words parted by semicolons, whatever the byte order
of the block (ExifTool's table of EXIF tags). A block is never rebuilt: a copy of IFD0 with the entry in it goes to the
end, and the pointer in bytes 4..8 turns to the copy. So MakerNote, thumbnail and all other directories keep their
offsets. A mark before the copy lets the next change replace it instead of growing the block again.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from culld.errors import TagRefusedError
from culld.tags.exif import BYTE, ENTRY_BYTES, UNDEFINED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from culld.tags.exif import Block, Directory

XP_KEYWORDS = 0x9C9E

MARK = b"culld-1\0"
"""Stands before our copy of IFD0; its length is even, because directories begin on even offsets."""

_POINTER = slice(4, 8)


@dataclass(frozen=True, slots=True)
class Tail:
    """The bytes `kept` of a block, then `content`, with the new offset of IFD0 for bytes 4..8."""

    kept: int
    content: bytes
    pointer: bytes

    def of(self, block: bytes) -> bytes:
        """The new block."""
        return block[: _POINTER.start] + self.pointer + block[_POINTER.stop : self.kept] + self.content


def encode_words(words: Sequence[str]) -> bytes:
    """Words as the field holds them."""
    return f"{';'.join(words)}\0".encode("utf-16-le")


def words_in(block: Block) -> tuple[str, ...]:
    """The words of a block, as they stand there; text that is not as Windows writes it is refused."""
    entry = block.directories["IFD0"].get(XP_KEYWORDS)
    if entry is None:
        return ()
    if entry.type not in {BYTE, UNDEFINED}:
        _refuse("its XPKeywords are no bytes")
    try:
        text = block.value(entry).decode("utf-16-le").rstrip("\0")
    except UnicodeDecodeError:
        _refuse("its XPKeywords are no text")
    if "\0" in text:
        _refuse("its XPKeywords hold two texts")
    return tuple(text.split(";")) if text else ()


def new_block(value: bytes) -> bytes:
    """A block that holds XPKeywords and nothing else.

    It is our tail behind an empty head, written by the same code as the tail of other blocks, so that one proof covers
    both and a later change finds its mark.
    """
    head = b"II*\0" + bytes(4)
    return _tail(len(head), "<", (), 0, value).of(head)


def with_words(block: Block, words: Sequence[str]) -> Tail:
    """The tail that gives a block these words in place of those it has."""
    ifd0 = block.directories["IFD0"]
    kept = ifd0.offset - len(MARK) if _is_ours(block, ifd0) else len(block.data)
    raws = [entry.raw for entry in ifd0.entries if entry.tag != XP_KEYWORDS]
    return _tail(kept, block.order, raws, ifd0.next, encode_words(words))


def _tail(kept: int, order: str, raws: Sequence[bytes], following: int, value: bytes) -> Tail:
    """A copy of IFD0 with XPKeywords in its place among the tags, then the value."""
    start = kept + kept % 2
    offset = start + len(MARK)
    end = offset + 2 + ENTRY_BYTES * (len(raws) + 1) + 4
    stored = struct.pack(order + "I", end) if len(value) > 4 else value.ljust(4, b"\0")
    entry = struct.pack(order + "HHI", XP_KEYWORDS, BYTE, len(value)) + stored
    tags = [struct.unpack_from(order + "H", raw)[0] for raw in raws]
    place = next((index for index, tag in enumerate(tags) if tag > XP_KEYWORDS), len(raws))
    body = b"".join([*raws[:place], entry, *raws[place:]])
    directory = struct.pack(order + "H", len(raws) + 1) + body + struct.pack(order + "I", following)
    content = bytes(start - kept) + MARK + directory + (value if len(value) > 4 else b"")
    return Tail(kept, content, struct.pack(order + "I", offset))


def _is_ours(block: Block, ifd0: Directory) -> bool:
    """Whether the block ends with a tail that culld wrote and that nothing else points into."""
    start = ifd0.offset - len(MARK)
    entry = ifd0.get(XP_KEYWORDS)
    if entry is None or start < 8 or block.data[start : ifd0.offset] != MARK:
        return False
    inline = entry.end - entry.start <= 4
    if len(block.data) != (ifd0.end + 4 if inline else entry.end) or not (inline or entry.start == ifd0.end + 4):
        return False
    return all(_last_byte(directory, ifd0) <= start for directory in block.directories.values())


def _last_byte(directory: Directory, ifd0: Directory) -> int:
    """Where a directory and its values end, leaving out what our own tail is made of."""
    values = [e.end for e in directory.entries if e.tag != XP_KEYWORDS and e.end - e.start > 4]
    return max([*values, 0 if directory is ifd0 else directory.end])


def _refuse(reason: str) -> NoReturn:
    """Leave the block alone, and say why."""
    raise TagRefusedError(f"the EXIF block was left alone: {reason}")
