"""The values in our own namespace: found wherever other programs moved them, and replaced in place."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from itertools import chain
from typing import TYPE_CHECKING

from culld.records import Edit
from culld.tags.decision_properties import NAMESPACE, TIME
from culld.tags.xmp import written_attributes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from culld.tags.xmp import Document, Element

_OWN_KEYWORDS = "Keywords"


def own_keywords(document: Document) -> tuple[str, ...]:
    """The words in a document that culld gave, and nobody else."""
    return tuple(filter(None, own_properties(document).get(_OWN_KEYWORDS, "").split(";")))


def with_own_keywords(
    document: Document, properties: Mapping[str, str], keywords: Sequence[str], present: Sequence[str]
) -> Mapping[str, str]:
    """Our values, and among them the words that are ours: a person's words are never withdrawn.

    `present` are the words in the document; one of them that culld did not give stays somebody else's.
    """
    before = own_keywords(document)
    own = [word for word in keywords if word in before or word not in present]
    wanted = {**properties, _OWN_KEYWORDS: ";".join(own)}
    for name, value in wanted.items():
        if not value.isprintable():
            document.refuse(f"{name} {value!r} cannot be written as XML")
    return wanted


def own_properties(document: Document) -> Mapping[str, str]:
    """Our values in a document, by name, whether written as attributes or as elements."""
    return {name: value for name, value, _ in _found(document)}


def update_edits(document: Document, wanted: Mapping[str, str]) -> tuple[list[Edit], Mapping[str, str]]:
    """The edits that renew our values where they stand, and the values that have no place yet.

    A record that differs in nothing but its time is left as it is.
    """
    found = {name: (value, slot) for name, value, slot in _found(document)}
    differing = [name for name in wanted if name in found and found[name][0] != wanted[name]]
    absent = {name: value for name, value in wanted.items() if name not in found}
    if differing == [TIME] and not absent:
        return [], {}
    return [found[name][1].filled(wanted[name]) for name in differing], absent


@dataclass(frozen=True, slots=True)
class _Slot:
    """Where a value stands: the bytes that go, and what comes before and after the new one."""

    offset: int
    removed: bytes
    before: str = ""
    after: str = ""

    def filled(self, value: str) -> Edit:
        """The splice that puts `value` there."""
        return Edit(self.offset, self.removed, f"{self.before}{escape(value)}{self.after}".encode())


def _found(document: Document) -> Iterator[tuple[str, str, _Slot]]:
    """Name, value and place of each of our properties; none may occur twice."""
    seen: set[str] = set()
    for description in document.descriptions:
        for name, value, slot in chain(_attributes(document.data, description), _elements(document, description)):
            if name in seen:
                document.refuse(f"it holds culld's {name} twice")
            seen.add(name)
            yield name, value, slot


def _attributes(data: bytes, description: Element) -> Iterator[tuple[str, str, _Slot]]:
    """Our properties that are attributes of a description."""
    for name, match in written_attributes(data, description):
        if name is not None and name[0] == NAMESPACE:
            yield name[1], description.attributes[name], _Slot(match.start(2), match[2], '"', '"')


def _elements(document: Document, description: Element) -> Iterator[tuple[str, str, _Slot]]:
    """Our properties that are elements in a description."""
    for element in description.children:
        uri, local = element.name
        if uri != NAMESPACE:
            continue
        if element.children:
            document.refuse(f"culld's {local} in it is no simple value")
        if element.is_open:
            yield local, element.text, _Slot(element.opened, document.data[element.opened : element.closing])
        else:
            yield local, "", _Slot(element.opened - 2, b"/>", ">", f"</{element.written(local)}>")
