"""What people have done for a photo, as XMP tells it: ratings, labels and flags, and the edits of photo programs.

Values that culld itself set are not a person's. A person's rejection (rating -1) fills its field, but speaks for
nobody.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from culld.errors import TagRefusedError
from culld.records import Care, Mark
from culld.tags.marks import SIGNS, Sign, ours, value_of
from culld.tags.xmp import read_xmp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from culld.tags.xmp import Document, Element

_PACKET: Final = re.compile(rb"<x:x[am]pmeta\b.*?</x:x[am]pmeta>", re.DOTALL)
_MOST_PACKETS: Final = 16

_PHOTOSHOP: Final = "http://ns.adobe.com/camera-raw-settings/1.0/"
_DARKTABLE: Final = "http://darktable.sf.net/"
_DIGIKAM: Final = "http://www.digikam.org/ns/1.0/"
# What Adobe's programs note of a photo that nobody has developed.
_BOOKKEEPING: Final = frozenset({"Version", "ProcessVersion", "HasSettings", "HasCrop", "RawFileName"})

_LABELS: Final = (
    Sign(_DIGIKAM, "digiKam", "ColorLabel", "1"),
    Sign("http://ns.microsoft.com/photo/1.0/", "MicrosoftPhoto", "Rating", "0"),
)
_NOTHING: Final = frozenset({"", "0", "0.0", "-1", "-1.0"})
_REJECTED: Final = {Mark.DIGIKAM: "1"}


def care_in(documents: Iterable[bytes]) -> Care:
    """What some XMP documents, sidecars or packets, tell together; one that cannot be understood may hide anything."""
    rated: list[str] = []
    edited: list[str] = []
    filled: set[Mark] = set()
    unclear = ""
    for data in documents:
        try:
            document = read_xmp(data)
        except TagRefusedError as refusal:
            unclear = unclear or str(refusal).partition(": ")[2]
            continue
        own = ours(document)
        signs = {mark: sign for mark, sign in SIGNS.items() if mark not in own}
        filled |= {mark for mark, sign in signs.items() if value_of(document, sign) is not None}
        rated += _rated(document, signs)
        edited += _edited(document)
    return Care(tuple(dict.fromkeys(rated)), frozenset(filled), tuple(dict.fromkeys(edited)), unclear)


def packets_in(photo: bytes) -> list[bytes]:
    """The XMP packets in the bytes of a photo of any format that does not compress them."""
    return [found[0] for _, found in zip(range(_MOST_PACKETS), _PACKET.finditer(photo), strict=False)]


def _rated(document: Document, signs: dict[Mark, Sign]) -> Iterator[str]:
    """The fields in which somebody speaks for the photo."""
    for mark, sign in signs.items():
        value = (value_of(document, sign) or "").strip()
        if value not in _NOTHING and value != _REJECTED.get(mark):
            yield f"{sign.prefix}:{sign.local} {value}"
    for sign in _LABELS:
        value = (value_of(document, sign) or "").strip()
        if value not in _NOTHING:
            yield f"{sign.prefix}:{sign.local} {value}"
    if any(_items(element) for element in document.named(_DARKTABLE, "colorlabels")):
        yield "a colour label of darktable"


def _edited(document: Document) -> Iterator[str]:
    """The programs that hold edits of the photo."""
    names = [name for description in document.descriptions for name in description.attributes]
    names += [element.name for element in document.properties()]
    settings = {local for namespace, local in names if namespace == _PHOTOSHOP}
    if settings - _BOOKKEEPING:
        yield "Lightroom or Camera Raw"
    if any(_items(element) for element in document.named(_DARKTABLE, "history")):
        yield "darktable"
    if any(_items(element) for element in document.named(_DIGIKAM, "ImageHistory")):
        yield "digiKam"


def _items(element: Element) -> int:
    """How many entries the list in a property has; a plain text counts as one."""
    return sum(len(inner.children) for inner in element.children) or int(bool(element.text.strip()))
