"""The XMP packet of a repaired copy: that of the photo, with the parent and the model in culld's own namespace.

What the packet says about the layout of the photo's file (a gain map, a movie or a second part of the XMP behind it)
does not hold for the copy, and is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from culld.records import Edit
from culld.tags.edits import apply_edits
from culld.tags.own_properties import own_keywords
from culld.tags.packet import NEW_PACKET
from culld.tags.sidecar import merge
from culld.tags.sidecar_start import with_fields, with_words
from culld.tags.xmp import PACKET, read_xmp, removal, written_attributes
from culld.tags.xmp_mapping import fields_of, keywords_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from culld.tags.embedded_metadata import EmbeddedMetadata
    from culld.tags.xmp import Document

_LAYOUT: Final = frozenset(
    {
        "http://ns.adobe.com/hdr-gain-map/1.0/",
        "http://ns.adobe.com/xmp/note/",
        "http://ns.google.com/photos/1.0/camera/",
        "http://ns.google.com/photos/1.0/container/",
    }
)
_ORIENTATION: Final = ("http://ns.adobe.com/tiff/1.0/", "Orientation")


def copied_packet(
    metadata: EmbeddedMetadata, properties: Mapping[str, str], repaired: Collection[str], *, upright: bool = False
) -> tuple[bytes, frozenset[str], tuple[str, ...]]:
    """Return the packet of a copy, the keywords of culld that are gone from it, and those that it keeps.

    Without a packet in `metadata` it begins with what IPTC and EXIF say, because programs that find XMP look no
    further. `repaired` are the keywords that do not hold for the copy any more: they
    go if culld wrote them. An orientation in it goes if the copy is `upright`. Raises TagRefusedError for a packet that
    culld cannot change without risk.
    """
    if metadata.packets:
        data = _without_layout(metadata.packets[0], upright=upright)
    else:
        data = with_fields(with_words(NEW_PACKET, keywords_of(metadata)), fields_of(metadata))
    own = own_keywords(read_xmp(data, PACKET))
    kept = tuple(word for word in own if word not in repaired)
    return apply_edits(data, merge(data, kept, properties, target=PACKET)), frozenset(own) - {*kept}, kept


def _without_layout(packet: bytes, *, upright: bool) -> bytes:
    return apply_edits(packet, tuple(sorted(_removals(read_xmp(packet, PACKET), upright=upright), key=_offset)))


def _removals(document: Document, *, upright: bool) -> Iterator[Edit]:
    for description in document.descriptions:
        for name, match in written_attributes(document.data, description):
            if name is not None and _is_layout(name, upright=upright):
                yield Edit(match.start(), match[0], b"")
        yield from (
            removal(document.data, each) for each in description.children if _is_layout(each.name, upright=upright)
        )


def _is_layout(name: tuple[str, str], *, upright: bool) -> bool:
    return name[0] in _LAYOUT or (upright and name == _ORIENTATION)


def _offset(edit: Edit) -> int:
    return edit.offset
