"""The edits that remove culld's keywords, reject flags and properties from a file that another program rewrote.

The bytes that culld replaced no longer fit such a file. Its keywords are found by its own list (`culld:Keywords`);
every other value, its order and its layout stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from culld.errors import TagRefusedError
from culld.records import Edit
from culld.tags import reject_flags
from culld.tags.edits import apply_edits
from culld.tags.embedded import embedded_edits
from culld.tags.own_properties import NAMESPACE, own_keywords
from culld.tags.sidecar import KEYWORD_LISTS
from culld.tags.verify import verify_embedded
from culld.tags.xmp import RDF, descendants, read_xmp, removal, written_attributes

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator, Sequence

    from culld.records import Format
    from culld.tags.xmp import Document, Element

_CONTAINERS = frozenset({(RDF, "Bag"), (RDF, "Seq")})  # darktable writes dc:subject as an rdf:Seq
_LISTS = {(words.namespace, words.local): words for words in KEYWORD_LISTS}


def may_hold_values(data: bytes) -> bool:
    """Whether values of culld can be in these bytes: without its namespace there is nothing to remove."""
    return NAMESPACE.encode() in data


def embedded_withdrawal(data: bytes, format_: Format) -> tuple[Edit, ...]:
    """The verified edits that remove culld's keywords and reject flags from a photo; none if it holds none.

    Raises TagRefusedError where the photo cannot be changed without risk.
    """
    edits = embedded_edits(data, format_, ())
    if edits:
        verify_embedded(data, apply_edits(data, edits), format_, ())
    return edits


def sidecar_withdrawal(data: bytes) -> tuple[Edit, ...]:
    """The verified edits that remove culld's keywords, reject flags and properties from a sidecar; none if it has none.

    Raises TagRefusedError where the sidecar cannot be changed without risk.
    """
    document = read_xmp(data)
    words = own_keywords(document)
    edits = [edit for items, gone in _lists(document, words) for edit in _without_items(data, items, gone)]
    edits += reject_flags.removal_edits(document, ())
    edits += [edit for description in document.descriptions for edit in _without_values(data, description)]
    edits = sorted(edits, key=lambda edit: edit.offset)
    if edits:
        _verify(document, read_xmp(apply_edits(data, edits)))
    return tuple(edits)


def _lists(document: Document, words: Sequence[str]) -> Iterator[tuple[Element, frozenset[str]]]:
    """Each keyword list of plain words, with the spellings of `words` in it."""
    for element in document.properties():
        kind = _LISTS.get(element.name)
        if kind is None or len(element.children) != 1 or element.children[0].name not in _CONTAINERS:
            continue
        items = element.children[0]
        if all(item.name == (RDF, "li") and not item.children for item in items.children):
            yield items, frozenset(words) | frozenset(kind.spelled(words))


def _without_items(data: bytes, items: Element, gone: frozenset[str]) -> Iterator[Edit]:
    for item in items.children:
        if item.text in gone:
            yield removal(data, item)


def _without_values(data: bytes, description: Element) -> Iterator[Edit]:
    """The edits that remove culld's properties from a description, or all of it where it holds nothing else."""
    ours = [name for name in description.attributes if name[0] == NAMESPACE]
    others = [name for name in description.attributes if name[0] != NAMESPACE and name[1] != "about"]
    if ours and not others and not description.children:
        yield removal(data, description)
        return
    for name, match in written_attributes(data, description):
        if name in ours or _declares(match, description):
            yield Edit(match.start(), match[0], b"")
    yield from (removal(data, child) for child in description.children if child.name[0] == NAMESPACE)


def _declares(attribute: re.Match[bytes], description: Element) -> bool:
    """Whether an attribute declares the prefix of culld's namespace, which nothing else in the description uses."""
    return (
        attribute[1].startswith(b"xmlns:")
        and attribute[2][1:-1] == NAMESPACE.encode()
        and not any(_uses(child) for child in description.children if child.name[0] != NAMESPACE)
    )


def _uses(element: Element) -> bool:
    """Whether an element or anything below it has a name in culld's namespace."""
    return any(name[0] == NAMESPACE for each in descendants(element) for name in (each.name, *each.attributes))


def _verify(before: Document, after: Document) -> None:
    """Verify that only culld's own values are gone; raises TagRefusedError where that is not so."""
    if any(_uses(description) for description in after.descriptions):
        _fail("values of culld are left")
    words = own_keywords(before)
    left = [[item.text for item in items.children] for items, _ in _lists(after, ())]
    wanted = [[item.text for item in items.children if item.text not in gone] for items, gone in _lists(before, words)]
    if left != wanted:
        _fail("the keywords of other programs changed")
    own_flags = {reject_flags.FLAG_PROPERTIES[flag].name for flag in reject_flags.own_flags(before)}
    if _foreign(before, own_flags) != _foreign(after, own_flags):
        _fail("values of other programs changed")


def _foreign(document: Document, but: set[tuple[str, str]]) -> list[object]:
    """Every value that is neither culld's nor one of `but` nor an item of a keyword list, in order."""
    listed = {id(items) for items, _ in _lists(document, ())}

    def by_value(element: Element) -> tuple[object, ...]:
        children = () if id(element) in listed else tuple(map(by_value, element.children))
        text = "" if element.children or id(element) in listed else element.text
        return element.name, sorted(element.attributes.items()), text, children

    attributes = [
        item
        for description in document.descriptions
        for item in description.attributes.items()
        if item[0][0] != NAMESPACE and item[0][1] != "about" and item[0] not in but
    ]
    elements = [
        by_value(element)
        for element in document.properties()
        if element.name[0] != NAMESPACE and element.name not in but
    ]
    return [document.about, attributes, elements]


def _fail(reason: str) -> NoReturn:
    raise TagRefusedError(f"the keywords were not taken out, verification failed: {reason}; please report this")
