"""ExifTool: prints the keywords of the files that it is given, sidecars included."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from programs.reader import beside, output


class ExifTool:
    """`exiftool -Subject -Keywords` of the photo and of its sidecar."""

    name = "exiftool, given both files"
    program = "exiftool"
    package = "libimage-exiftool-perl"

    def keywords(self, photos: list[Path], work: Path) -> dict[Path, frozenset[str]]:
        """Return the words in XMP and IPTC."""
        files = [file for photo in photos for file in (photo, *beside(photo))]
        printed = json.loads(output("exiftool", "-json", "-Subject", "-Keywords", *files) or "[]")
        words = {Path(found["SourceFile"]): _words(found) for found in printed}
        return {photo: frozenset().union(*(words[file] for file in (photo, *beside(photo)))) for photo in photos}


def _words(found: dict[str, Any]) -> frozenset[str]:
    lists = [found.get("Subject", []), found.get("Keywords", [])]
    return frozenset(str(word) for each in lists for word in (each if isinstance(each, list) else [each]))
