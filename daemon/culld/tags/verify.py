"""Proof, before anything is published, that an edit added what it should and changed nothing else.

It reads both files anew and shares no step with the code that made the edits but the two readers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from culld.errors import TagRefusedError
from culld.records import Format
from culld.tags.containers.exif_block import read_block
from culld.tags.containers.ifd_append import MARK, XMP, XP_KEYWORDS
from culld.tags.containers.jpeg import read_jpeg
from culld.tags.containers.png import read_png
from culld.tags.containers.tiff import packet_in, read_tiff
from culld.tags.containers.webp import read_webp
from culld.tags.decision_properties import NAMESPACE, TIME
from culld.tags.embedded_metadata import held_in
from culld.tags.keywords import missing_words
from culld.tags.own_properties import given, own_values
from culld.tags.packet import withdrawn
from culld.tags.reject_flags import SIGNS, ours, value_of
from culld.tags.sidecar import SUBJECT, WORD_LISTS, words_of
from culld.tags.xmp import PACKET, read_xmp
from culld.tags.xmp_mapping import keywords_of, stars_of
from culld.tags.xpkeywords import words_in

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from culld.records import Mark
    from culld.tags.containers.exif_block import Block
    from culld.tags.decision_properties import MachineRecord
    from culld.tags.embedded_metadata import Held
    from culld.tags.sidecar import WordList
    from culld.tags.xmp import Document, Element
    from culld.tags.xmp_mapping import Field


_CHANGED = frozenset({XP_KEYWORDS, XMP})
_MARKED = frozenset(sign.name for sign in SIGNS.values())


def prove_jpeg(old: bytes, new: bytes, keywords: Sequence[str], wanted: Sequence[Mark] = ()) -> None:
    """Show that `new` is `old` with `keywords` and marks in its EXIF and its XMP; TagRefusedError where it is not.

    All bytes outside these two segments are equal, and with them the picture. Inside EXIF, every byte but the pointer
    to IFD0 and culld's own tail is equal, and every entry of every directory has its old bytes and value.
    """
    before, after = read_jpeg(old), read_jpeg(new)
    if before.outside != after.outside:
        _fail("bytes outside the EXIF block and the XMP packet changed")
    _prove_packet(before.packet, after.packet, keywords, wanted, held_in(old, Format.JPEG))
    block = None if before.block is None else read_block(before.block)
    if after.block is None:
        if block is not None or keywords:
            _fail("the EXIF block is missing")
        return
    _prove_block(block, read_block(after.block), keywords, withdrawn(before.packet, keywords))


def prove_png(old: bytes, new: bytes, keywords: Sequence[str], wanted: Sequence[Mark] = ()) -> None:
    """Show that `new` is `old` with `keywords` in its XMP, every other chunk being equal; TagRefusedError if not."""
    before, after = read_png(old), read_png(new)
    if before.outside != after.outside:
        _fail("bytes outside the XMP packet changed")
    _prove_packet(before.packet, after.packet, keywords, wanted, held_in(old, Format.PNG))


def prove_webp(old: bytes, new: bytes, keywords: Sequence[str], wanted: Sequence[Mark] = ()) -> None:
    """Show that `new` is `old` with `keywords` in its XMP, every other chunk being equal; TagRefusedError if not."""
    before, after = read_webp(old), read_webp(new)
    if before.outside != after.outside or not after.says_so:
        _fail("chunks outside the XMP packet changed")
    _prove_packet(before.packet, after.packet, keywords, wanted, held_in(old, Format.WEBP))


def prove_tiff(old: bytes, new: bytes, keywords: Sequence[str], wanted: Sequence[Mark] = ()) -> None:
    """Show that `new` is `old` with `keywords` in two entries, no other byte having moved; TagRefusedError if not."""
    before, after = read_tiff(old), read_tiff(new)
    packet = packet_in(before)
    _prove_packet(packet, packet_in(after), keywords, wanted, held_in(old, Format.TIFF))
    _prove_block(before, after, keywords, withdrawn(packet, keywords))


def _prove_block(before: Block | None, after: Block, keywords: Sequence[str], gone: Collection[str]) -> None:
    kept = [word for word in (words_in(before) if before else ()) if word.strip() not in gone]
    missing = missing_words(keywords, (word.strip() for word in kept))
    if words_in(after) != (*kept, *missing):
        _fail("the keywords do not read back")
    if before is not None:
        _compare_blocks(before, after)


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
            [(entry.raw, block.value(entry)) for entry in directory.entries if entry.tag not in _CHANGED],
        )
        for name, directory in block.directories.items()
    }


def prove_sidecar(
    old: bytes | None, new: bytes, keywords: Sequence[str], record: MachineRecord, wanted: Sequence[Mark] = ()
) -> None:
    """Show that `new` is `old`, by value, with `keywords`, `record` and marks; TagRefusedError where it is not."""
    before, after = None if old is None else read_xmp(old), read_xmp(new)
    _compare_words(before, after, keywords)
    _compare_marks(before, after, wanted)
    values, found = record.properties(), own_values(after)
    if any(found.get(name) != value for name, value in values.items() if name != TIME):
        _fail("the record does not read back")


def _prove_packet(
    old: bytes | None, new: bytes | None, keywords: Sequence[str], wanted: Sequence[Mark], held: Held
) -> None:
    """Show that the XMP packet of a photo is the old one with other words and marks of ours."""
    if new is None:
        if old is not None or keywords or wanted:
            _fail("the XMP packet is missing")
        return
    before, after = None if old is None else read_xmp(old, PACKET), read_xmp(new, PACKET)
    _compare_words(before, after, keywords, keywords_of(held))
    _compare_marks(before, after, wanted, stars_of(held))


def _compare_words(
    before: Document | None, after: Document, keywords: Sequence[str], elsewhere: Sequence[str] = ()
) -> None:
    """Our words are there, those of other people as well, and every other value is what it was."""
    for words in WORD_LISTS:
        if _words_to_be(before, words, keywords, elsewhere) != (words_of(after, words) or ()):
            _fail("the keywords do not read back")
    if not set(given(after)) <= set(keywords):
        _fail("withdrawn keywords are still called ours")
    if before is not None and _foreign(before) != _foreign(after):
        _fail("values of other programs changed")


def _compare_marks(
    before: Document | None, after: Document, wanted: Sequence[Mark], stars: Sequence[Field] = ()
) -> None:
    """A mark is set where it is wanted and nothing stood, taken back where it was ours, and else what it was.

    A new packet holds the `stars` of EXIF.
    """
    present = {field.name: field.texts[0] for field in stars}
    for mark, sign in SIGNS.items():
        was = present.get(sign.name) if before is None else None if mark in ours(before) else value_of(before, sign)
        to_be = sign.value if was is None and mark in wanted else was
        if value_of(after, sign) != to_be:
            _fail(f"values of other programs changed, or the mark {mark} does not read back")


def _words_to_be(
    before: Document | None, words: WordList, keywords: Sequence[str], elsewhere: Sequence[str]
) -> tuple[str, ...]:
    """What a keyword list must hold afterwards: the old words in their order, less our old ones, then the missing.

    A new list begins with the keywords that stand elsewhere in the photo.
    """
    present = None if before is None else words_of(before, words)
    if present is None and words is not SUBJECT:
        return ()
    ours = () if before is None else given(before)
    if present is None:
        present = tuple(word for word in elsewhere if word not in ours) if keywords else ()
    withdrawn = {word for word in ours if word not in keywords} | words.outdated(ours, present)
    kept = [word for word in present if word not in withdrawn]
    return (*kept, *missing_words(keywords, kept))


def _foreign(document: Document) -> Sequence[object]:
    """Every property that is neither ours nor a keyword list, in order, by value."""
    lists = {(words.namespace, words.local) for words in WORD_LISTS}
    attributes = [
        item
        for description in document.descriptions
        for item in description.attributes.items()
        if item[0][0] != NAMESPACE and item[0][1] != "about" and item[0] not in _MARKED
    ]
    elements = [
        by_value(element)
        for element in document.properties()
        if element.name[0] != NAMESPACE and element.name not in lists and element.name not in _MARKED
    ]
    return [document.about, attributes, elements]


def by_value(element: Element) -> tuple[object, ...]:
    """Return an element without its layout."""
    children = tuple(by_value(child) for child in element.children)
    return element.name, sorted(element.attributes.items()), "" if children else element.text, children


def _fail(reason: str) -> NoReturn:
    """Stop before the file is written."""
    raise TagRefusedError(f"the tags were not written, the proof failed: {reason}; please report this")
