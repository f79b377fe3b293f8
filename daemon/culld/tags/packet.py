"""The XMP packet inside a photo: the keywords and marks that Lightroom and Bridge read there, by insertion only.

What culld found goes into the sidecar; a photo's own packet gets only the words and marks, and which of them are
ours. The wrapper is that of ISO 16684-1, section 7.3.2.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

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

_NEW = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
    ' <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n </rdf:RDF>\n</x:xmpmeta>\n'
    '<?xpacket end="w"?>'
).encode()

_PADDING = re.compile(rb"([ \t\r\n]*)<\?xpacket end=")


def packet_edits(
    old: bytes | None, keywords: Sequence[str], held: EmbeddedMetadata = NOTHING, wanted: Sequence[RejectFlag] = ()
) -> tuple[Edit, ...]:
    """The edits that bring `keywords` and marks into a packet, and take out those of ours that are not among them.

    `old` is None where there is none yet: the one edit is then the whole packet. `held` is what the photo holds; what
    stands there outside of XMP is not ours. A new `dc:subject` begins with its keywords and a new packet with its
    stars, because digiKam and darktable ignore IPTC and EXIF where XMP is. Blanks that another program left as padding
    are used up first, so that the packet keeps its length. Raises TagRefusedError.
    """
    elsewhere = keywords_of(held)
    if old is None:
        fresh = with_fields(_NEW, stars_of(held))
        new = apply_edits(fresh, merge(fresh, keywords, {}, elsewhere, wanted, PACKET))
        return (Edit(0, b"", new),) if keywords or wanted else ()
    if not keywords and not wanted and not own_properties(read_xmp(old, PACKET)):
        return ()
    edits = merge(old, keywords, {}, elsewhere, wanted, PACKET)
    grown = sum(len(edit.inserted) - len(edit.removed) for edit in edits)
    padding = list(_PADDING.finditer(old))
    if grown > 0 and padding and len(padding[-1][1]) > grown:
        start = padding[-1].end(1) - grown
        edits = (*edits, Edit(start, old[start : start + grown], b""))
    return edits


def removed_keywords(old: bytes | None, keywords: Sequence[str]) -> frozenset[str]:
    """The words that culld gave to a photo before, and that are not to stay."""
    return frozenset() if old is None else frozenset(own_keywords(read_xmp(old, PACKET))) - frozenset(keywords)
