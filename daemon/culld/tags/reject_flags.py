"""The signs by which photo programs show a rejected photo: only those asked for, and only where the field is empty.

A person's rating is never replaced. Which signs are ours stands in our own namespace, so that they can be taken back;
one that somebody has changed since is theirs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from culld.records import Edit, RejectFlag
from culld.tags.own_properties import own_properties

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from culld.tags.xmp import Document, Element

OWN: Final = "Marks"


@dataclass(frozen=True, slots=True)
class FlagProperty:
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
FLAG_PROPERTIES: Final = {
    RejectFlag.RATING: FlagProperty(_XMP, "xmp", "Rating", "-1"),  # -1 is "rejected" (XMP 2012, part 2, 1.2.2.3)
    RejectFlag.LABEL: FlagProperty(_XMP, "xmp", "Label", "Red"),
    RejectFlag.PICK: FlagProperty(
        "http://ns.adobe.com/xmp/1.0/DynamicMedia/", "xmpDM", "pick", "-1"
    ),  # Lightroom from 13.2 on
    RejectFlag.DIGIKAM: FlagProperty("http://www.digikam.org/ns/1.0/", "digiKam", "PickLabel", "1"),
}


def own_flags(document: Document) -> tuple[RejectFlag, ...]:
    """The marks that culld set, and that nobody has changed since."""
    names = own_properties(document).get(OWN, "").split(";")
    return tuple(
        mark
        for mark in RejectFlag
        if mark in names and flag_value(document, FLAG_PROPERTIES[mark]) == FLAG_PROPERTIES[mark].value
    )


def flags_after(document: Document, wanted: Collection[RejectFlag]) -> tuple[RejectFlag, ...]:
    """The marks that are ours once the wanted ones are set."""
    before = own_flags(document)
    return tuple(
        mark for mark in RejectFlag if mark in wanted and (mark in before or mark in missing_flags(document, wanted))
    )


def missing_flags(document: Document, wanted: Collection[RejectFlag]) -> tuple[RejectFlag, ...]:
    """The wanted marks whose field is empty."""
    return tuple(mark for mark in RejectFlag if mark in wanted and flag_value(document, FLAG_PROPERTIES[mark]) is None)


def removal_edits(document: Document, wanted: Collection[RejectFlag]) -> Iterator[Edit]:
    """The edits that take back our marks that are not wanted any more."""
    for mark in own_flags(document):
        if mark not in wanted:
            for description in document.descriptions:
                yield from _without(document.data, description, FLAG_PROPERTIES[mark])


def flag_value(document: Document, sign: FlagProperty) -> str | None:
    """The value of a property, None if it is not there."""
    for description in document.descriptions:
        if sign.name in description.attributes:
            return description.attributes[sign.name]
    return next((element.text for element in document.named(*sign.name)), None)


def _without(data: bytes, description: Element, sign: FlagProperty) -> Iterator[Edit]:
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
