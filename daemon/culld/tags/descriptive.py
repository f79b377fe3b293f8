"""The XMP properties and IPTC data sets that describe a photo for people, and so belong into its sidecar as well.

Programs read a sidecar instead of the metadata inside the photo (darktable 4.2, digiKam 7.9, Immich), so a new sidecar
begins with these. Left out is what belongs to the one file: edits (`crs`, darktable's history: darktable would develop
an exported JPEG a second time), ids and histories of the file (`xmpMM`), thumbnails, technical facts (`exif`, `tiff`),
and layouts of containers (`GCamera`, `hdrgm`, extended XMP).

IPTC data sets are those of IIM 4.2 (chapter 3); the image resource blocks around them those of Adobe Photoshop's file
formats (resource 0x0404). Reading ends at damaged data; the data sets before them count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from culld.tags.own_properties import NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DC: Final = "http://purl.org/dc/elements/1.1/"
XMP: Final = "http://ns.adobe.com/xap/1.0/"
PHOTOSHOP: Final = "http://ns.adobe.com/photoshop/1.0/"
IPTC_CORE: Final = "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"

# The namespaces are those of ExifTool's XMP tables. None stands for every property of a namespace.
_SOME: Final[Mapping[str, frozenset[str] | None]] = {
    DC: frozenset(
        {
            "contributor",
            "coverage",
            "creator",
            "description",
            "identifier",
            "language",
            "publisher",
            "relation",
            "rights",
            "source",
            "subject",
            "title",
            "type",
        }
    ),
    XMP: frozenset({"Rating", "Label", "Nickname"}),
    PHOTOSHOP: frozenset(
        {
            "AuthorsPosition",
            "CaptionWriter",
            "Category",
            "City",
            "Country",
            "Credit",
            "Headline",
            "Instructions",
            "Source",
            "State",
            "SupplementalCategories",
            "TransmissionReference",
            "Urgency",
        }
    ),
    IPTC_CORE: None,
    "http://iptc.org/std/Iptc4xmpExt/2008-02-29/": None,
    "http://ns.adobe.com/xap/1.0/rights/": None,
    "http://ns.useplus.org/ldf/xmp/1.0/": None,
    "http://creativecommons.org/ns#": None,
    "http://xmp.gettyimages.com/gift/1.0/": None,
    "http://ns.adobe.com/lightroom/1.0/": None,
    "http://ns.adobe.com/xmp/1.0/DynamicMedia/": frozenset({"pick", "good"}),
    "http://www.digikam.org/ns/1.0/": frozenset(
        {"CaptionsAuthorNames", "CaptionsDateTimeStamps", "ColorLabel", "PickLabel", "TagsList"}
    ),
    # The times show that one star is darktable's default, not a user's rating.
    "http://darktable.sf.net/": frozenset({"colorlabels", "change_timestamp", "import_timestamp"}),
    "http://ns.acdsee.com/iptc/1.0/": None,
    "http://ns.acdsee.com/regions/": None,
    "http://ns.iview-multimedia.com/mediapro/1.0/": None,
    "http://ns.microsoft.com/expressionmedia/1.0/": None,
    "http://ns.microsoft.com/photo/1.0/": frozenset({"Rating", "LastKeywordXMP", "LastKeywordIPTC"}),
    "http://ns.microsoft.com/photo/1.2/": None,
    "http://www.metadataworkinggroup.com/schemas/regions/": None,
    "http://www.metadataworkinggroup.com/schemas/keywords/": None,
    "http://www.metadataworkinggroup.com/schemas/collections/": None,
    "http://ns.apple.com/faceinfo/1.0/": None,
    "http://ns.camerabits.com/photomechanic/1.0/": None,
    "http://www.fstopapp.com/xmp/": None,
    # They name the keywords and reject flags in the photo that are culld's own, so that they can be withdrawn.
    NAMESPACE: None,
}


def is_descriptive(name: tuple[str, str]) -> bool:
    """Whether the property with this namespace and local name is copied into a new sidecar."""
    namespace, local = name
    some = _SOME.get(namespace, frozenset())
    return some is None or local in some


KEYWORDS: Final = 25

_ENVELOPE, _APPLICATION, _CHARACTER_SET = 1, 2, 90
_IPTC_RESOURCE: Final = 0x0404
_RESOURCES: Final = frozenset({b"8BIM", b"PHUT", b"AgHg", b"DCSR", b"MeSa"})  # ExifTool, Photoshop.pm
_UTF8: Final = b"\x1b%G"


def resource_in(blocks: bytes) -> bytes | None:
    """The IPTC data in Photoshop's image resource blocks, None if there are none."""
    position = 0
    while blocks[position : position + 4] in _RESOURCES and position + 12 <= len(blocks):
        number = int.from_bytes(blocks[position + 4 : position + 6], "big")
        name = 1 + blocks[position + 6]
        start = position + 6 + name + name % 2 + 4
        size = int.from_bytes(blocks[start - 4 : start], "big")
        if number == _IPTC_RESOURCE:
            return blocks[start : start + size]
        position = start + size + size % 2
    return None


def texts_in(data: bytes) -> Mapping[int, tuple[str, ...]]:
    """The texts of the application record, by data set; each may be repeated.

    A text is UTF-8 where the envelope states it or the bytes are valid UTF-8, else Latin-1.
    """
    found: dict[int, list[bytes]] = {}
    is_utf8 = False
    for record, number, value in _data_sets(data):
        if (record, number) == (_ENVELOPE, _CHARACTER_SET):
            is_utf8 = value == _UTF8
        elif record == _APPLICATION:
            found.setdefault(number, []).append(value)
    return {number: tuple(_decoded(value, is_utf8=is_utf8) for value in values) for number, values in found.items()}


def _data_sets(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Record, number and value of each data set; one longer than 32,767 bytes gives its length behind its head."""
    position = 0
    while data[position : position + 1] == b"\x1c" and position + 5 <= len(data):
        record, number = data[position + 1], data[position + 2]
        size = int.from_bytes(data[position + 3 : position + 5], "big")
        start = position + 5
        if size & 0x8000:
            width = size & 0x7FFF
            size = int.from_bytes(data[start : start + min(width, 8)], "big")
            start += width
        if start + size > len(data):
            return
        yield record, number, data[start : start + size]
        position = start + size


def _decoded(value: bytes, *, is_utf8: bool) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("utf-8", "replace") if is_utf8 else value.decode("latin-1")
