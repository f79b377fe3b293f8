"""The XMP packet inside a photo: keywords and reject flags, for Lightroom and Bridge, by insertion only.

The scores go into the sidecar; the packet gets only the keywords and reject flags, and the list of those that are
culld's own. The wrapper is that of ISO 16684-1, section 7.3.2.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from culld.records import Edit
from culld.tags.edits import apply_edits
from culld.tags.embedded_metadata import NOTHING
from culld.tags.own_properties import own_keywords, own_properties
from culld.tags.sidecar import merge
from culld.tags.sidecar_start import with_fields
from culld.tags.xmp import PACKET, read_xmp
from culld.tags.xmp_mapping import keywords_of, stars_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from culld.records import RejectFlag
    from culld.tags.embedded_metadata import EmbeddedMetadata

NEW_PACKET: Final = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
    ' <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n </rdf:RDF>\n</x:xmpmeta>\n'
    '<?xpacket end="w"?>'
).encode()

_PADDING = re.compile(rb"([ \t\r\n]*)<\?xpacket end=")


def packet_edits(
    old: bytes | None, keywords: Sequence[str], embedded: EmbeddedMetadata = NOTHING, flags: Sequence[RejectFlag] = ()
) -> tuple[Edit, ...]:
    """The edits that bring `keywords` and reject flags into a packet, and remove those of culld that are not given.

    `old` is None where there is no packet yet: the one edit is then the whole packet. `embedded` are the metadata of
    the photo; keywords in it outside of XMP are not culld's. A new `dc:subject` begins with these keywords and a new
    packet with the stars of EXIF, because digiKam and darktable ignore IPTC and EXIF where there is XMP. Padding of
    another program is used up first, so that the packet keeps its length. Raises TagRefusedError.
    """
    existing = keywords_of(embedded)
    if old is None:
        fresh = with_fields(NEW_PACKET, stars_of(embedded))
        new = apply_edits(fresh, merge(fresh, keywords, {}, existing, flags, PACKET))
        return (Edit(0, b"", new),) if keywords or flags else ()
    if not keywords and not flags and not own_properties(read_xmp(old, PACKET)):
        return ()
    edits = merge(old, keywords, {}, existing, flags, PACKET)
    grown = sum(len(edit.inserted) - len(edit.removed) for edit in edits)
    padding = list(_PADDING.finditer(old))
    if grown > 0 and padding and len(padding[-1][1]) > grown:
        start = padding[-1].end(1) - grown
        edits = (*edits, Edit(start, old[start : start + grown], b""))
    return edits


def removed_keywords(old: bytes | None, keywords: Sequence[str]) -> frozenset[str]:
    """The keywords of culld in a packet that are not among `keywords`; raises TagRefusedError."""
    return frozenset() if old is None else frozenset(own_keywords(read_xmp(old, PACKET))) - frozenset(keywords)
