"""The signs by which photo programs show a rejected photo: only those asked for, and only where the field is empty.

A person's rating is never replaced. Which signs are ours stands in our own namespace, so that they can be taken back;
one that somebody has changed since is theirs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from culld.records import Edit, Mark
from culld.tags.own_properties import own_values

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from culld.tags.xmp import Document, Element

OWN: Final = "Marks"


@dataclass(frozen=True, slots=True)
class Sign:
    """A simple XMP property with the value that says "rejected"."""

    namespace: str
    prefix: str
    local: str
    value: str

    @property
    def name(self) -> tuple[str, str]:
        """Namespace and local name."""
        return self.namespace, self.local


_XMP = "http://ns.adobe.com/xap/1.0/"
SIGNS: Final = {
    Mark.RATING: Sign(_XMP, "xmp", "Rating", "-1"),  # -1 is "rejected" (XMP 2012, part 2, 1.2.2.3)
    Mark.LABEL: Sign(_XMP, "xmp", "Label", "Red"),
    Mark.PICK: Sign("http://ns.adobe.com/xmp/1.0/DynamicMedia/", "xmpDM", "pick", "-1"),  # Lightroom from 13.2 on
    Mark.DIGIKAM: Sign("http://www.digikam.org/ns/1.0/", "digiKam", "PickLabel", "1"),
}


def ours(document: Document) -> tuple[Mark, ...]:
    """The marks that culld set, and that nobody has changed since."""
    names = own_values(document).get(OWN, "").split(";")
    return tuple(mark for mark in Mark if mark in names and value_of(document, SIGNS[mark]) == SIGNS[mark].value)


def ours_then(document: Document, wanted: Collection[Mark]) -> tuple[Mark, ...]:
    """The marks that are ours once the wanted ones are set."""
    before = ours(document)
    return tuple(mark for mark in Mark if mark in wanted and (mark in before or mark in missing(document, wanted)))


def missing(document: Document, wanted: Collection[Mark]) -> tuple[Mark, ...]:
    """The wanted marks whose field is empty."""
    return tuple(mark for mark in Mark if mark in wanted and value_of(document, SIGNS[mark]) is None)


def removals(document: Document, wanted: Collection[Mark]) -> Iterator[Edit]:
    """The edits that take back our marks that are not wanted any more."""
    for mark in ours(document):
        if mark not in wanted:
            for description in document.descriptions:
                yield from _without(document.data, description, SIGNS[mark])


def value_of(document: Document, sign: Sign) -> str | None:
    """The value of a property, None if it is not there."""
    for description in document.descriptions:
        if sign.name in description.attributes:
            return description.attributes[sign.name]
    return next((element.text for element in document.named(*sign.name)), None)


def _without(data: bytes, description: Element, sign: Sign) -> Iterator[Edit]:
    if sign.name in description.attributes:
        spelled = re.escape(description.spelled[sign.name].encode())
        found = re.compile(rb"\s+" + spelled + rb"\s*=\s*(\"[^\"]*\"|'[^']*')").search(
            data, description.start, description.opened
        )
        if found is not None:
            yield Edit(found.start(), found[0], b"")
    for element in description.children:
        if element.name == sign.name:
            yield Edit(element.start, data[element.start : element.end], b"")
