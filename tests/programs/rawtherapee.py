"""RawTherapee, whose keywords are those of the JPEG that it exports."""

from __future__ import annotations

import subprocess
from pathlib import Path

from programs.display import home
from programs.exiftool import ExifTool


class RawTherapee:
    """`rawtherapee-cli -a`, which exports all photos of a folder."""

    name = "RawTherapee, in its export"
    program = "rawtherapee-cli"
    package = "rawtherapee"

    def keywords(self, photos: list[Path], work: Path) -> dict[Path, frozenset[str]]:
        """Return the words in the export of each photo that it opens."""
        environment = {"PATH": "/usr/bin:/bin", **home(work / "home")}
        for folder in sorted({photo.parent for photo in photos}):
            out = work / folder.name
            out.mkdir()
            command = ["rawtherapee-cli", "-Y", "-a", "-o", out, "-j90", "-c", folder]
            subprocess.run(command, env=environment, check=True, capture_output=True)
        made = {photo: work / photo.parent.name / f"{photo.stem}.jpg" for photo in photos}
        words = ExifTool().keywords([file for file in made.values() if file.exists()], work)
        return {photo: words[file] for photo, file in made.items() if file in words}
