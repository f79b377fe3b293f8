"""Verification, before a new sidecar is published, that it hides nothing of the description inside the photo.

The photo is parsed again. The verification uses the same parsers as the code that copied, and nothing else of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn

from culld.errors import TagRefusedError
from culld.tags.descriptive import is_descriptive
from culld.tags.embedded_metadata import embedded_metadata_in
from culld.tags.sidecar import KEYWORD_LISTS, SUBJECT, listed_keywords
from culld.tags.sidecar_start import unwrapped
from culld.tags.verify import by_value
from culld.tags.xmp import PACKET, RDF, read_xmp
from culld.tags.xmp_mapping import fields_of, is_shortened, keywords_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from culld.records import Format
    from culld.tags.xmp import Document

_LISTS: Final = frozenset((words.namespace, words.local) for words in KEYWORD_LISTS)


def verify_initial_sidecar(photo: bytes, format_: Format, seed: bytes) -> None:
    """Verify that `seed` holds every descriptive property of the photo, by value, and nothing else of its XMP.

    Raises TagRefusedError where it does not.
    """
    copied, held = read_xmp(seed), embedded_metadata_in(photo, format_)
    there = _values(copied)
    if not all(is_descriptive(name) for name in there):
        _fail("a property was copied that belongs to the photo alone")
    for packet in held.packets:
        _compare(read_xmp(unwrapped(packet), PACKET), copied)
    if any(field.name not in there for field in fields_of(held)):
        _fail("a caption or the stars of the photo are missing")
    keywords = [word.casefold() for word in listed_keywords(copied, SUBJECT) or ()]
    if any(w.casefold() not in keywords and not is_shortened(w.casefold(), keywords) for w in keywords_of(held)):
        _fail("a keyword of the photo is missing")


def _compare(photo: Document, copied: Document) -> None:
    there = _values(copied)
    for name, values in _values(photo).items():
        if is_descriptive(name) and name not in _LISTS and values != there.get(name):
            _fail(f"{name[1]} of the photo is missing or changed")
    for words in KEYWORD_LISTS:
        lists = photo.named(words.namespace, words.local)
        present = tuple(item.text for each in lists for items in each.children for item in items.children)
        if present != (listed_keywords(copied, words) or ())[: len(present)]:
            _fail(f"{words.local} of the photo is missing or changed")


def _values(document: Document) -> Mapping[tuple[str, str], Sequence[object]]:
    """Every property of a document, with its values."""
    found: dict[tuple[str, str], list[object]] = {}
    for name, value in _properties(document):
        found.setdefault(name, []).append(value)
    return found


def _properties(document: Document) -> Iterator[tuple[tuple[str, str], object]]:
    for description in document.descriptions:
        yield from ((name, value) for name, value in description.attributes.items() if name[0] not in {"", RDF})
    yield from ((element.name, by_value(element)) for element in document.properties())


def _fail(reason: str) -> NoReturn:
    raise TagRefusedError(f"verification failed: {reason}; please report this")
