"""The XMP properties that describe a photo for people, and so belong into its sidecar as well.

Programs read a sidecar instead of the metadata inside the photo (darktable 4.2, digiKam 7.9, Immich), so a new sidecar
begins with these. Left out is what belongs to the one file: edits (`crs`, darktable's history: darktable would develop
an exported JPEG a second time), ids and histories of the file (`xmpMM`), thumbnails, technical facts (`exif`, `tiff`),
and layouts of containers (`GCamera`, `hdrgm`, extended XMP).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from culld.tags.decision_properties import NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Mapping

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
