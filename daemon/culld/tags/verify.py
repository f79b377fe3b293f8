"""Verification, before anything is published, that an edit added what it should and changed nothing else.

Both files are parsed again from their bytes. The verification uses the same parsers as the code that made the edits,
and nothing else of that code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from culld.errors import TagRefusedError
from culld.tags.containers.ifd_append import MAGIC, XMP, XP_KEYWORDS
from culld.tags.containers.registry import read_container
from culld.tags.embedded_metadata import embedded_metadata_in
from culld.tags.keywords import keywords_in, missing_keywords
from culld.tags.own_properties import NAMESPACE, TIME, own_keywords, own_properties
from culld.tags.packet import removed_keywords
from culld.tags.reject_flags import FLAG_PROPERTIES, flag_value, own_flags
from culld.tags.sidecar import KEYWORD_LISTS, SUBJECT, listed_keywords
from culld.tags.xmp import PACKET, read_xmp
from culld.tags.xmp_mapping import keywords_of, stars_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from culld.records import Format, RejectFlag
    from culld.tags.containers.exif_block import Block
    from culld.tags.embedded_metadata import EmbeddedMetadata
    from culld.tags.own_properties import DecisionProperties
    from culld.tags.sidecar import KeywordList
    from culld.tags.xmp import Document, Element
    from culld.tags.xmp_mapping import Field


_CHANGED = frozenset({XP_KEYWORDS, XMP})
_MARKED = frozenset(field.name for field in FLAG_PROPERTIES.values())


def verify_embedded(
    old: bytes, new: bytes, format_: Format, keywords: Sequence[str], flags: Sequence[RejectFlag] = ()
) -> None:
    """Verify that `new` is the photo `old` with `keywords` and reject flags; raises TagRefusedError where it is not.

    All bytes outside the EXIF block and the XMP packet are equal, and with them the picture. Inside EXIF, every byte
    but the pointer to IFD0 and culld's own tail is equal, and every entry of every directory has its old bytes and
    value.
    """
    before, after = read_container(old, format_), read_container(new, format_)
    if before.bytes_outside_metadata != after.bytes_outside_metadata:
        _fail("bytes outside the EXIF block and the XMP packet changed")
    if not after.headers_agree:
        _fail("a header does not state which metadata there are")
    _verify_packet(before.packet, after.packet, keywords, flags, embedded_metadata_in(old, format_))
    if after.holds_keywords_in_exif:
        _verify_exif(before.exif_block(), after.exif_block(), keywords, removed_keywords(before.packet, keywords))


def _verify_exif(before: Block | None, after: Block | None, keywords: Sequence[str], removed: Collection[str]) -> None:
    if after is not None:
        _verify_block(before, after, keywords, removed)
    elif before is not None or keywords:
        _fail("the EXIF block is missing")


def _verify_block(before: Block | None, after: Block, keywords: Sequence[str], gone: Collection[str]) -> None:
    kept = [keyword for keyword in (keywords_in(before) if before else ()) if keyword.strip() not in gone]
    missing = missing_keywords(keywords, (keyword.strip() for keyword in kept))
    if keywords_in(after) != (*kept, *missing):
        _fail("the keywords do not read back")
    if before is not None:
        _compare_blocks(before, after)


def _compare_blocks(old: Block, new: Block) -> None:
    """Nothing of the old block moved or changed."""
    kept = len(old.data)
    start = old.directories["IFD0"].offset - len(MAGIC)
    if old.data[max(start, 0) : start + len(MAGIC)] == MAGIC and new.data[8:kept] != old.data[8:kept]:
        kept = start
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


def verify_sidecar(
    old: bytes | None,
    new: bytes,
    keywords: Sequence[str],
    record: DecisionProperties,
    flags: Sequence[RejectFlag] = (),
) -> None:
    """Verify that `new` is `old`, by value, with `keywords`, `record` and reject flags.

    Raises TagRefusedError where it is not.
    """
    before, after = None if old is None else read_xmp(old), read_xmp(new)
    _compare_keywords(before, after, keywords)
    _compare_flags(before, after, flags)
    values, found = record.properties(), own_properties(after)
    if any(found.get(name) != value for name, value in values.items() if name != TIME):
        _fail("the record does not read back")


def _verify_packet(
    old: bytes | None,
    new: bytes | None,
    keywords: Sequence[str],
    flags: Sequence[RejectFlag],
    embedded: EmbeddedMetadata,
) -> None:
    """Verify that the XMP packet of a photo is the old one with other keywords and reject flags of culld."""
    if new is None:
        if old is not None or keywords or flags:
            _fail("the XMP packet is missing")
        return
    before, after = None if old is None else read_xmp(old, PACKET), read_xmp(new, PACKET)
    _compare_keywords(before, after, keywords, keywords_of(embedded))
    _compare_flags(before, after, flags, stars_of(embedded))


def _compare_keywords(
    before: Document | None, after: Document, keywords: Sequence[str], existing: Sequence[str] = ()
) -> None:
    """The keywords of culld are there, those of others as well, and every other value is unchanged."""
    for keyword_list in KEYWORD_LISTS:
        if _expected_keywords(before, keyword_list, keywords, existing) != (listed_keywords(after, keyword_list) or ()):
            _fail("the keywords do not read back")
    if not set(own_keywords(after)) <= set(keywords):
        _fail("withdrawn keywords are still listed as culld's")
    if before is not None and _foreign(before) != _foreign(after):
        _fail("values of other programs changed")


def _compare_flags(
    before: Document | None, after: Document, flags: Sequence[RejectFlag], stars: Sequence[Field] = ()
) -> None:
    """A reject flag is set where its field was empty, removed where it was culld's, and else unchanged.

    A new packet holds the `stars` of EXIF.
    """
    present = {field.name: field.texts[0] for field in stars}
    for flag, field in FLAG_PROPERTIES.items():
        was = (
            present.get(field.name)
            if before is None
            else None
            if flag in own_flags(before)
            else flag_value(before, field)
        )
        to_be = field.value if was is None and flag in flags else was
        if flag_value(after, field) != to_be:
            _fail(f"values of other programs changed, or the reject flag {flag} does not read back")


def _expected_keywords(
    before: Document | None, keyword_list: KeywordList, keywords: Sequence[str], existing: Sequence[str]
) -> tuple[str, ...]:
    """The keywords that a list must hold: the old ones in order without those removed, then the missing ones.

    A new list begins with the `existing` keywords of the photo.
    """
    present = None if before is None else listed_keywords(before, keyword_list)
    if present is None and keyword_list is not SUBJECT:
        return ()
    own = () if before is None else own_keywords(before)
    if present is None:
        present = tuple(keyword for keyword in existing if keyword not in own) if keywords else ()
    withdrawn = {keyword for keyword in own if keyword not in keywords} | keyword_list.outdated(own, present)
    kept = [keyword for keyword in present if keyword not in withdrawn]
    return (*kept, *missing_keywords(keywords, kept))


def _foreign(document: Document) -> Sequence[object]:
    """Every property that is neither culld's nor a keyword list, in order, by value."""
    lists = {(keyword_list.namespace, keyword_list.local) for keyword_list in KEYWORD_LISTS}
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
    raise TagRefusedError(f"the tags were not written, verification failed: {reason}; please report this")
