"""The work of users on a photo, as XMP holds it: ratings, labels and flags, and the edits of photo programs.

Values that culld itself set do not count. A user's rejection (rating -1) fills its field, but does not protect the
photo. Titles, captions, keywords and named faces do not count either: cameras and agencies write them into every photo.
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
# Settings that Adobe's programs write for a photo that was not developed.
_BOOKKEEPING: Final = frozenset({"Version", "ProcessVersion", "HasSettings", "HasCrop", "RawFileName"})

_ACDSEE: Final = "http://ns.acdsee.com/iptc/1.0/"
_PHOTO_MECHANIC: Final = "http://ns.camerabits.com/photomechanic/1.0/"

# The values here are those that do not protect the photo.
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
    """Return the user metadata in XMP documents, sidecars or packets; one that cannot be parsed makes them unclear."""
    return together(_user_metadata_of(data) for data in documents)


def together(sources: Iterable[UserMetadata]) -> UserMetadata:
    """Return the user metadata of one photo from several sources, each value once, with the first reason of doubt."""
    found = list(sources)
    return UserMetadata(
        tuple(dict.fromkeys(rating for source in found for rating in source.ratings)),
        frozenset(flag for source in found for flag in source.filled_flags),
        tuple(dict.fromkeys(program for source in found for program in source.edited_by)),
        next((source.unclear for source in found if source.unclear), ""),
        tuple(dict.fromkeys(rating for source in found for rating in source.stars)),
        tuple(dict.fromkeys(name for source in found for name in source.ratings_outside)),
        next((source.incomplete for source in found if source.incomplete), ""),
    )


def _user_metadata_of(data: bytes) -> UserMetadata:
    try:
        document = read_xmp(data)
    except TagRefusedError as refusal:
        return UserMetadata(unclear=f"XMP: {refusal.reason}")
    own = own_flags(document)
    fields = {flag: field for flag, field in FLAG_PROPERTIES.items() if flag not in own}
    return UserMetadata(
        tuple(_flags(document, fields)),
        frozenset(flag for flag, field in fields.items() if flag_value(document, field) is not None),
        tuple(_edited(document)),
        stars=tuple(_stars(document, fields)),
    )


def packets_in(photo: bytes) -> list[bytes]:
    """The XMP packets in the bytes of a photo of any format that does not compress them."""
    return [found[0] for _, found in zip(range(_MAX_PACKETS), _PACKET.finditer(photo), strict=False)]


def _stars(document: Document, fields: Mapping[RejectFlag, FlagProperty]) -> Iterator[Rating]:
    """Yield the ratings of a photo; the one star that darktable gives each photo on import is none."""
    for field in [_ACDSEE_STARS, *(field for flag, field in fields.items() if flag is RejectFlag.RATING)]:
        value = _value(document, field)
        stars = _number(value)
        by_import = field is not _ACDSEE_STARS and stars == 1 and flag_value(document, _IMPORTED) is not None
        if stars is not None and stars > 0 and not by_import:
            yield Rating(_source(field, value), min(stars, 5.0))
    value = _value(document, _PERCENT)
    if (percent := _number(value)) is not None and percent > 0:
        yield Rating.of_percent(_source(_PERCENT, value), percent)


def _flags(document: Document, fields: Mapping[RejectFlag, FlagProperty]) -> Iterator[str]:
    """Yield the fields other than stars that protect a photo; a rating that is no number is among them."""
    for flag, field in fields.items():
        value = _value(document, field)
        is_stars = flag is RejectFlag.RATING and _number(value) is not None
        if not is_stars and value.lower() not in _NOTHING and value != _REJECTED.get(flag):
            yield _source(field, value)
    for field in _FLAGS:
        value = _value(document, field)
        if value.lower() not in _NOTHING:
            yield _source(field, value)
    if any(_items(element) for element in document.named(_DARKTABLE, "colorlabels")):
        yield "a colour label of darktable"


def _value(document: Document, field: FlagProperty) -> str:
    return (flag_value(document, field) or "").strip()


def _source(field: FlagProperty, value: str) -> str:
    shown = "".join(letter if letter.isprintable() else "?" for letter in value[:_MAX_SHOWN])
    return f"{field.prefix}:{field.local} {shown}"


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
