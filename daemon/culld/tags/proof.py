"""Proof, before anything is published, that an edit added what it should and changed nothing else.

It reads both files anew and shares no step with the code that made the edits but the two readers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from culld.errors import TagRefusedError
from culld.tags.exif import read_block
from culld.tags.jpeg import read_jpeg
from culld.tags.keywords import missing_words
from culld.tags.machine import NAMESPACE, TIME
from culld.tags.ours import own_properties, own_values
from culld.tags.sidecar import SUBJECT, WORD_LISTS, words_of
from culld.tags.xmp import read_xmp
from culld.tags.xpkeywords import MARK, XP_KEYWORDS, words_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from culld.tags.exif import Block
    from culld.tags.jpeg import Jpeg
    from culld.tags.machine import MachineRecord
    from culld.tags.sidecar import WordList
    from culld.tags.xmp import Document, Element


def prove_jpeg(old: bytes, new: bytes, keywords: Sequence[str]) -> None:
    """Show that `new` is `old` with `keywords` in its EXIF block; TagRefusedError where it is not.

    All bytes outside the EXIF segment are equal, and with them the picture. Inside, every byte but the pointer to IFD0
    and culld's own tail is equal, and every entry of every directory has its old bytes and value.
    """
    before, after = read_jpeg(old), read_jpeg(new)
    if after.exif is None or after.block is None:
        _fail("the EXIF block is missing")
    first, last = (before.exif.start, before.exif.end) if before.exif else (after.exif.start, after.exif.start)
    if _sides(before, first, last) != _sides(after, after.exif.start, after.exif.end):
        _fail("bytes outside the EXIF block changed")
    block = read_block(after.block)
    present = words_in(read_block(before.block)) if before.block else ()
    missing = missing_words(keywords, (word.strip() for word in present))
    if words_in(block) != (*present, *missing):
        _fail("the keywords do not read back")
    if before.block is not None:
        _compare_blocks(read_block(before.block), block)


def _sides(jpeg: Jpeg, start: int, end: int) -> tuple[bytes, bytes]:
    """What stands before and behind the EXIF segment."""
    return jpeg.data[:start], jpeg.data[end:]


def _compare_blocks(old: Block, new: Block) -> None:
    """Nothing of the old block moved or changed."""
    kept = len(old.data)
    mark = old.directories["IFD0"].offset - len(MARK)
    if old.data[max(mark, 0) : mark + len(MARK)] == MARK and new.data[8:kept] != old.data[8:kept]:
        kept = mark
    if new.data[:4] != old.data[:4] or new.data[8:kept] != old.data[8:kept]:
        _fail("old bytes of the EXIF block changed")
    if _entries(old) != _entries(new):
        _fail("other EXIF entries changed")


def _entries(block: Block) -> Mapping[str, object]:
    """Every directory's entries as bytes with their values, but for the keywords and the place of IFD0."""
    return {
        name: (
            directory.next,
            None if name == "IFD0" else directory.offset,
            [(entry.raw, block.value(entry)) for entry in directory.entries if entry.tag != XP_KEYWORDS],
        )
        for name, directory in block.directories.items()
    }


def prove_sidecar(old: bytes | None, new: bytes, keywords: Sequence[str], record: MachineRecord) -> None:
    """Show that `new` is `old`, by value, with `keywords` and `record`; TagRefusedError where it is not."""
    before, after = None if old is None else read_xmp(old), read_xmp(new)
    for words in WORD_LISTS:
        if _words_to_be(before, words, keywords) != (words_of(after, words) or ()):
            _fail("the keywords do not read back")
    wanted, found = own_properties(record, keywords), own_values(after)
    if any(found.get(name) != value for name, value in wanted.items() if name != TIME):
        _fail("the record does not read back")
    if before is not None and _foreign(before) != _foreign(after):
        _fail("values of other programs changed")


def _words_to_be(before: Document | None, words: WordList, keywords: Sequence[str]) -> tuple[str, ...]:
    """What a keyword list must hold afterwards: the old words in their order, then the missing ones."""
    present = None if before is None else words_of(before, words)
    if present is None and words is not SUBJECT:
        return ()
    return (*(present or ()), *missing_words(words.spelled(keywords), present or ()))


def _foreign(document: Document) -> Sequence[object]:
    """Every property that is neither ours nor a keyword list, in order, by value."""
    lists = {(words.namespace, words.local) for words in WORD_LISTS}
    attributes = [
        item
        for description in document.descriptions
        for item in description.attributes.items()
        if item[0][0] != NAMESPACE and item[0][1] != "about"
    ]
    elements = [
        _by_value(element)
        for element in document.properties()
        if element.name[0] != NAMESPACE and element.name not in lists
    ]
    return [document.about, attributes, elements]


def _by_value(element: Element) -> tuple[object, ...]:
    """An element without its layout."""
    children = tuple(_by_value(child) for child in element.children)
    return element.name, sorted(element.attributes.items()), "" if children else element.text, children


def _fail(reason: str) -> NoReturn:
    """Stop before the file is written."""
    raise TagRefusedError(f"the tags were not written, the proof failed: {reason}; please report this")
