"""Libvips: returns the XMP packet of a photo, and its EXIF."""

from __future__ import annotations

import base64
from pathlib import Path

from programs import packet
from programs.reader import output


class LibVips:
    """`vipsheader -f xmp-data` of the photo."""

    name = "libvips"
    program = "vipsheader"
    package = "libvips-tools"

    def keywords(self, photos: list[Path], work: Path) -> dict[Path, frozenset[str]]:
        """Return the words in the XMP packet that libvips attaches to the picture."""
        opened = [photo for photo in photos if output("vipsheader", photo) is not None]
        packets = {photo: output("vipsheader", "-f", "xmp-data", photo) or "" for photo in opened}
        return {photo: packet.words(base64.b64decode(text)) for photo, text in packets.items()}
