"""Keywords as text, and as the EXIF field that Windows shows as "Tags".

XPKeywords (0x9C9E in IFD0) holds UTF-16LE text that ends with NUL, keywords parted by semicolons, whatever the byte
order of the block (ExifTool's table of EXIF tags).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from culld.errors import TagRefusedError
from culld.tags.containers.ifd import BYTE, UNDEFINED
from culld.tags.containers.ifd_append import XP_KEYWORDS, minimal_block

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from culld.tags.containers.exif_block import Block


def in_hierarchy(keyword: str, separator: str) -> str:
    """The keyword as a path of levels: `defect|blur` for Lightroom's list, `defect/blur` for digiKam's."""
    return keyword.replace(":", separator)


def missing_keywords(wanted: Iterable[str], present: Iterable[str]) -> tuple[str, ...]:
    """The wanted keywords that are not present yet, each once, in order."""
    known = set(present)
    return tuple(keyword for keyword in dict.fromkeys(wanted) if keyword not in known)


def check_keywords(words: Iterable[str]) -> None:
    """Raise TagRefusedError for a keyword that some program would read as two, as none, or not as text."""
    for word in words:
        if not word.isprintable() or ";" in word or not word.strip() or word != word.strip():
            raise TagRefusedError(
                f"{word!r} cannot be a keyword: use printable characters without a semicolon and without blanks "
                "at either end; change the keyword prefix in the configuration"
            )


def encode_keywords(words: Sequence[str]) -> bytes:
    """The bytes of XPKeywords for these keywords."""
    return f"{';'.join(words)}\0".encode("utf-16-le")


def keywords_in(block: Block) -> tuple[str, ...]:
    """The keywords in XPKeywords of a block; raises TagRefusedError for text that Windows would not write."""
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
    """XPKeywords without those withdrawn and with those missing; None if nothing changes."""
    present = keywords_in(block)
    kept = [word for word in present if word.strip() not in withdrawn]
    words = (*kept, *missing_keywords(keywords, (word.strip() for word in kept)))
    return None if words == present else words


def new_block(value: bytes) -> bytes:
    """An EXIF block that holds XPKeywords with this value and nothing else."""
    return minimal_block({XP_KEYWORDS: value})


def _refuse(reason: str) -> NoReturn:
    raise TagRefusedError(reason, "the EXIF block")
