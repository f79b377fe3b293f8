"""Exiv2: prints the keywords of the files that it is given, sidecars included."""

from __future__ import annotations

from pathlib import Path

from programs.reader import beside, output


class Exiv2:
    """`exiv2 -PXkt` of the photo and of its sidecar."""

    name = "exiv2, given both files"
    program = "exiv2"
    package = "exiv2"

    def keywords(self, photos: list[Path], work: Path) -> dict[Path, frozenset[str]]:
        """Return the words in XMP, of the photos of which one of both files can be read."""
        read = {photo: [_words(file) for file in (photo, *beside(photo))] for photo in photos}
        return {
            photo: frozenset().union(*(words for words in found if words is not None))
            for photo, found in read.items()
            if found != [None]
        }


def _words(file: Path) -> frozenset[str] | None:
    """Return the words in a file; None if exiv2 does not open it."""
    if output("exiv2", "-q", "-pa", file) is None:
        return None
    rows = [line.split(maxsplit=1) for line in (output("exiv2", "-q", "-PXkt", file) or "").splitlines()]
    return frozenset(word for row in rows if row[0] == "Xmp.dc.subject" for word in row[-1].split(", "))
