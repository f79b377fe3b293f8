"""ImageMagick: returns the XMP packet of a photo."""

from __future__ import annotations

from pathlib import Path

from programs import packet
from programs.reader import output


class ImageMagick:
    """`convert PHOTO xmp:-`."""

    name = "ImageMagick"
    program = "identify"
    package = "imagemagick"

    def keywords(self, photos: list[Path], work: Path) -> dict[Path, frozenset[str]]:
        """Return the words in the XMP profile of the picture."""
        opened = [photo for photo in photos if output("identify", photo) is not None]
        return {photo: packet.words((output("convert", photo, "xmp:-") or "").encode()) for photo in opened}
