"""The XMP properties by which photo programs show a rejected photo; they are set only where the field is empty.

A user's rating is never replaced. The list of the flags that culld set stands in its own namespace, so that they can be
removed; a flag whose value has changed since is no longer culld's.
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
    """A simple XMP property with the value that means "rejected"."""

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
    """The reject flags that culld set and that have not changed since."""
    names = own_properties(document).get(OWN, "").split(";")
    return tuple(
        flag
        for flag in RejectFlag
        if flag in names and flag_value(document, FLAG_PROPERTIES[flag]) == FLAG_PROPERTIES[flag].value
    )


def flags_after(document: Document, flags: Collection[RejectFlag]) -> tuple[RejectFlag, ...]:
    """The reject flags that are culld's once `flags` are set."""
    before = own_flags(document)
    return tuple(
        flag for flag in RejectFlag if flag in flags and (flag in before or flag in missing_flags(document, flags))
    )


def missing_flags(document: Document, flags: Collection[RejectFlag]) -> tuple[RejectFlag, ...]:
    """Those of the reject flags whose field is empty."""
    return tuple(flag for flag in RejectFlag if flag in flags and flag_value(document, FLAG_PROPERTIES[flag]) is None)


def removal_edits(document: Document, flags: Collection[RejectFlag]) -> Iterator[Edit]:
    """The edits that remove the reject flags of culld that are not among `flags`."""
    for flag in own_flags(document):
        if flag not in flags:
            for description in document.descriptions:
                yield from _without(document.data, description, FLAG_PROPERTIES[flag])


def flag_value(document: Document, field: FlagProperty) -> str | None:
    """The value of a property, None if it is not there."""
    for description in document.descriptions:
        if field.name in description.attributes:
            return description.attributes[field.name]
    return next((element.text for element in document.named(*field.name)), None)


def _without(data: bytes, description: Element, field: FlagProperty) -> Iterator[Edit]:
    if field.name in description.attributes:
        spelled = re.escape(description.spelled[field.name].encode())
        found = re.compile(rb"\s+" + spelled + rb"\s*=\s*(\"[^\"]*\"|'[^']*')").search(
            data, description.start, description.opened
        )
        if found is not None:
            yield Edit(found.start(), found[0], b"")
    for element in description.children:
        if element.name == field.name:
            yield Edit(element.start, data[element.start : element.end], b"")
