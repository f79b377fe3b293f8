"""The EXIF field that Windows shows as "Tags".

XPKeywords (0x9C9E in IFD0) holds UTF-16LE text that ends with NUL, words parted by semicolons, whatever the byte order
of the block (ExifTool's table of EXIF tags).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from culld.errors import TagRefusedError
from culld.tags.containers.ifd import BYTE, UNDEFINED
from culld.tags.containers.ifd_append import XP_KEYWORDS, minimal_block
from culld.tags.keywords import missing_keywords

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from culld.tags.containers.exif_block import Block


def encode_keywords(words: Sequence[str]) -> bytes:
    """Words as the field holds them."""
    return f"{';'.join(words)}\0".encode("utf-16-le")


def keywords_in(block: Block) -> tuple[str, ...]:
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


def changed_keywords(block: Block, keywords: Sequence[str], withdrawn: Collection[str]) -> tuple[str, ...] | None:
    """The words that a block is to hold, without those withdrawn and with those missing; None if nothing changes."""
    present = keywords_in(block)
    kept = [word for word in present if word.strip() not in withdrawn]
    words = (*kept, *missing_keywords(keywords, (word.strip() for word in kept)))
    return None if words == present else words


def new_block(value: bytes) -> bytes:
    """A block that holds XPKeywords and nothing else."""
    return minimal_block({XP_KEYWORDS: value})


def _refuse(reason: str) -> NoReturn:
    """Leave the block alone, and say why."""
    raise TagRefusedError(reason, "the EXIF block")
