"""A TIFF of one page, and the edits of its XPKeywords (for Windows) and of its XMP packet in tag 700 (TIFF 6.0).

A TIFF is built like the EXIF block of a JPEG, and changed in the same way: a copy of its directory goes to the end, the
pointer in bytes 4..8 turns to the copy, and no other byte moves. RAW files are built like this as well; they are never
opened for writing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from culld.records import Edit
from culld.tags.containers import Container, refuse
from culld.tags.containers.exif_block import Block, read_block
from culld.tags.containers.ifd import BYTE, UNDEFINED
from culld.tags.containers.ifd_append import XMP, append_ifd
from culld.tags.edits import apply_edits

if TYPE_CHECKING:
    from culld.tags.containers import MetadataChange

_RAW: Final = {0xC612: "it is a DNG", 0x828E: "it is a RAW file (a mosaic of colours)"}
_MAKER: Final = 0x927C


@dataclass(frozen=True, slots=True)
class Tiff(Container):
    """The directories of a TIFF, as a block that is the whole file."""

    holds_keywords_in_exif: ClassVar[bool] = True

    block: Block

    @property
    def packet(self) -> bytes | None:
        """The XMP packet; raises TagRefusedError where it is not written as bytes."""
        entry = self.block.directories["IFD0"].get(XMP)
        if entry is None:
            return None
        if entry.type not in {BYTE, UNDEFINED}:
            refuse("its XMP is no bytes")
        return self.block.value(entry)

    @property
    def bytes_outside_metadata(self) -> bytes:
        """None: the whole file is the block, which is compared by its entries and their offsets."""
        return b""

    def exif_block(self) -> Block:
        """The whole file."""
        return self.block

    def splice(self, change: MetadataChange) -> tuple[Edit, ...]:
        """The edits of the pointer to IFD0 and of the end of the file."""
        values = dict(change.entries)
        if change.packet:
            values[XMP] = apply_edits(self.packet or b"", change.packet)
        if not values:
            return ()
        data, tail = self.block.data, append_ifd(self.block, values)
        return (Edit(4, data[4:8], tail.pointer), Edit(tail.kept, data[tail.kept :], tail.content))


def read_tiff(data: bytes) -> Tiff:
    """Parse a TIFF; raises TagRefusedError where it should not be changed."""
    block = read_block(data)
    if "IFD1" in block.directories:
        refuse("it has more than one page")
    for directory in block.directories.values():
        for tag, reason in _RAW.items():
            if directory.get(tag):
                refuse(reason)
        if directory.get(_MAKER):
            refuse("it holds a camera maker's own notes, as RAW files do")
    return Tiff(block)
