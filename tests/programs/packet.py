"""The keywords in an XMP packet, for programs that return the packet of a photo as it is."""

from __future__ import annotations

from xml.etree import ElementTree as ET

_SUBJECT = "{http://purl.org/dc/elements/1.1/}subject"
_ITEM = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}li"


def words(packet: bytes) -> frozenset[str]:
    """Return the items of `dc:subject`; none for an empty packet."""
    if not packet.strip(b"\0 \n"):
        return frozenset()
    subjects = ET.fromstring(packet.strip(b"\0 \n")).iter(_SUBJECT)  # noqa: S314 (a packet that culld wrote)
    return frozenset(item.text or "" for subject in subjects for item in subject.iter(_ITEM))
