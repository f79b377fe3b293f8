"""Words in a TIFF of one page, for Windows (XPKeywords) and for everybody else (the XMP packet in tag 700).

A TIFF is built like the EXIF block of a JPEG (TIFF 6.0), and changed in the same way: a copy of its directory goes to
the end, the pointer in bytes 4..8 turns to the copy, and no other byte moves. RAW files are built like this as well;
they are never opened for writing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn

from culld.errors import TagRefusedError
from culld.records import Edit, Format
from culld.tags.containers.exif_block import BYTE, UNDEFINED, Block, read_block
from culld.tags.containers.ifd_append import XMP, XP_KEYWORDS, append_ifd
from culld.tags.edits import apply_edits
from culld.tags.embedded_metadata import embedded_metadata_in
from culld.tags.packet import packet_edits, removed_keywords
from culld.tags.xpkeywords import changed_keywords, encode_keywords

if TYPE_CHECKING:
    from collections.abc import Sequence

    from culld.records import RejectFlag

_RAW: Final = {0xC612: "it is a DNG", 0x828E: "it is a RAW file (a mosaic of colours)"}
_MAKER: Final = 0x927C


def read_tiff(data: bytes) -> Block:
    """The directories of a TIFF; TagRefusedError says why where it should not be changed."""
    block = read_block(data)
    if "IFD1" in block.directories:
        _refuse("it has more than one page")
    for directory in block.directories.values():
        for tag, reason in _RAW.items():
            if directory.get(tag):
                _refuse(reason)
        if directory.get(_MAKER):
            _refuse("it holds a camera maker's own notes, as RAW files do")
    return block


def packet_in(block: Block) -> bytes | None:
    """The XMP packet."""
    entry = block.directories["IFD0"].get(XMP)
    if entry is None:
        return None
    if entry.type not in {BYTE, UNDEFINED}:
        _refuse("its XMP is no bytes")
    return block.value(entry)


def tiff_edits(data: bytes, keywords: Sequence[str], wanted: Sequence[RejectFlag] = ()) -> tuple[Edit, ...]:
    """The edits that bring `keywords` and marks into a TIFF; none where nothing changes. Raises TagRefusedError."""
    block = read_tiff(data)
    old = packet_in(block)
    edits = packet_edits(old, keywords, embedded_metadata_in(data, Format.TIFF), wanted)
    words = changed_keywords(block, keywords, removed_keywords(old, keywords))
    if not edits and words is None:
        return ()
    values: dict[int, bytes | None] = {}
    if edits:
        values[XMP] = apply_edits(old or b"", edits)
    if words is not None:
        values[XP_KEYWORDS] = encode_keywords(words) if words else None
    tail = append_ifd(block, values)
    return (Edit(4, data[4:8], tail.pointer), Edit(tail.kept, data[tail.kept :], tail.content))


def _refuse(reason: str) -> NoReturn:
    """Leave the file alone, and say why."""
    raise TagRefusedError(reason, "the photo")
