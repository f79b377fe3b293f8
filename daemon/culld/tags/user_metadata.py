"""What people did for a photo, as XMP tells it: ratings, labels and flags, and the edits of photo programs.

Values that culld itself set do not count. A person's rejection (rating -1) fills its field, but protects nothing.
Titles, captions, keywords and named faces do not count either: cameras and agencies write them into every photo.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

from culld.errors import TagRefusedError
from culld.records import Rating, RejectFlag, UserMetadata
from culld.tags.reject_flags import FLAG_PROPERTIES, FlagProperty, flag_value, own_flags
from culld.tags.xmp import read_xmp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from culld.tags.xmp import Document, Element

_PACKET: Final = re.compile(rb"<x:x[am]pmeta\b.*?</x:x[am]pmeta>", re.DOTALL)
_MAX_PACKETS: Final = 16
_MAX_SHOWN: Final = 40

_PHOTOSHOP: Final = "http://ns.adobe.com/camera-raw-settings/1.0/"
_DARKTABLE: Final = "http://darktable.sf.net/"
_DIGIKAM: Final = "http://www.digikam.org/ns/1.0/"
# What Adobe's programs note of a photo that nobody has developed.
_BOOKKEEPING: Final = frozenset({"Version", "ProcessVersion", "HasSettings", "HasCrop", "RawFileName"})

_ACDSEE: Final = "http://ns.acdsee.com/iptc/1.0/"
_PHOTO_MECHANIC: Final = "http://ns.camerabits.com/photomechanic/1.0/"

# The value of a sign here is the one that does not speak for the photo.
_FLAGS: Final = (
    FlagProperty(_DIGIKAM, "digiKam", "ColorLabel", "0"),
    FlagProperty(_PHOTO_MECHANIC, "photomech", "Tagged", "False"),
    FlagProperty(_PHOTO_MECHANIC, "photomech", "ColorClass", "0"),
    # Photo Mechanic writes its colour class here for programs that read IPTC; others, an editor's 1 to 8.
    FlagProperty("http://ns.adobe.com/photoshop/1.0/", "photoshop", "Urgency", "0"),
    FlagProperty(_ACDSEE, "acdsee", "Tagged", "False"),
    FlagProperty("http://www.fstopapp.com/xmp/", "fstop", "favorite", "0"),
)
_ACDSEE_STARS: Final = FlagProperty(_ACDSEE, "acdsee", "Rating", "0")
_PERCENT: Final = FlagProperty("http://ns.microsoft.com/photo/1.0/", "MicrosoftPhoto", "Rating", "0")
_IMPORTED: Final = FlagProperty(_DARKTABLE, "darktable", "import_timestamp", "-1")
_CHANGED: Final = FlagProperty(_DARKTABLE, "darktable", "change_timestamp", "-1")
_NOTHING: Final = frozenset({"", "0", "0.0", "-1", "-1.0", "false"})
_REJECTED: Final = {RejectFlag.DIGIKAM: "1"}


def user_metadata_in(documents: Iterable[bytes]) -> UserMetadata:
    """Return what XMP documents, sidecars or packets, tell together; one that cannot be parsed may hide anything."""
    return together(_user_metadata_of(data) for data in documents)


def together(cares: Iterable[UserMetadata]) -> UserMetadata:
    """Return what several sources tell of one photo, each fact once, with the first reason for what is unclear."""
    found = list(cares)
    return UserMetadata(
        tuple(dict.fromkeys(mark for care in found for mark in care.ratings)),
        frozenset(mark for care in found for mark in care.filled_flags),
        tuple(dict.fromkeys(program for care in found for program in care.edited_by)),
        next((care.unclear for care in found if care.unclear), ""),
        tuple(dict.fromkeys(rating for care in found for rating in care.stars)),
        tuple(dict.fromkeys(name for care in found for name in care.ratings_outside)),
        next((care.incomplete for care in found if care.incomplete), ""),
    )


def _user_metadata_of(data: bytes) -> UserMetadata:
    try:
        document = read_xmp(data)
    except TagRefusedError as refusal:
        return UserMetadata(unclear=f"XMP: {refusal.reason}")
    own = own_flags(document)
    signs = {mark: sign for mark, sign in FLAG_PROPERTIES.items() if mark not in own}
    return UserMetadata(
        tuple(_flags(document, signs)),
        frozenset(mark for mark, sign in signs.items() if flag_value(document, sign) is not None),
        tuple(_edited(document)),
        stars=tuple(_stars(document, signs)),
    )


def packets_in(photo: bytes) -> list[bytes]:
    """The XMP packets in the bytes of a photo of any format that does not compress them."""
    return [found[0] for _, found in zip(range(_MAX_PACKETS), _PACKET.finditer(photo), strict=False)]


def _stars(document: Document, signs: Mapping[RejectFlag, FlagProperty]) -> Iterator[Rating]:
    """Yield the ratings of a photo; the one star that darktable gives each photo on import is none."""
    for sign in [_ACDSEE_STARS, *(sign for mark, sign in signs.items() if mark is RejectFlag.RATING)]:
        value = _value(document, sign)
        stars = _number(value)
        by_import = sign is not _ACDSEE_STARS and stars == 1 and flag_value(document, _IMPORTED) is not None
        if stars is not None and stars > 0 and not by_import:
            yield Rating(_source(sign, value), min(stars, 5.0))
    value = _value(document, _PERCENT)
    if (percent := _number(value)) is not None and percent > 0:
        yield Rating.of_percent(_source(_PERCENT, value), percent)


def _flags(document: Document, signs: Mapping[RejectFlag, FlagProperty]) -> Iterator[str]:
    """Yield the fields other than stars that speak for a photo; a rating that is no number is among them."""
    for mark, sign in signs.items():
        value = _value(document, sign)
        is_stars = mark is RejectFlag.RATING and _number(value) is not None
        if not is_stars and value.lower() not in _NOTHING and value != _REJECTED.get(mark):
            yield _source(sign, value)
    for sign in _FLAGS:
        value = _value(document, sign)
        if value.lower() not in _NOTHING:
            yield _source(sign, value)
    if any(_items(element) for element in document.named(_DARKTABLE, "colorlabels")):
        yield "a colour label of darktable"


def _value(document: Document, sign: FlagProperty) -> str:
    return (flag_value(document, sign) or "").strip()


def _source(sign: FlagProperty, value: str) -> str:
    shown = "".join(letter if letter.isprintable() else "?" for letter in value[:_MAX_SHOWN])
    return f"{sign.prefix}:{sign.local} {shown}"


def _number(value: str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _edited(document: Document) -> Iterator[str]:
    """Yield the programs that hold edits of the photo."""
    names = [name for description in document.descriptions for name in description.attributes]
    names += [element.name for element in document.properties()]
    settings = {local for namespace, local in names if namespace == _PHOTOSHOP}
    if settings - _BOOKKEEPING:
        yield "Lightroom or Camera Raw"
    if any(_items(element) for element in document.named(_DARKTABLE, "history")) and _is_developed(document):
        yield "darktable"
    if any(_items(element) for element in document.named(_DIGIKAM, "ImageHistory")):
        yield "digiKam"


def _is_developed(document: Document) -> bool:
    """Return whether a person changed the history of darktable, which opening a photo fills with automatic entries.

    darktable 4.2 writes the times of import and of the last change, -1 for none; older ones wrote neither.
    """
    if flag_value(document, _IMPORTED) is None and flag_value(document, _CHANGED) is None:
        return True
    return _value(document, _CHANGED) not in _NOTHING


def _items(element: Element) -> int:
    """How many entries the list in a property has; a plain text counts as one."""
    return sum(len(inner.children) for inner in element.children) or int(bool(element.text.strip()))
