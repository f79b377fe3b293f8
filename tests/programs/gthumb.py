"""gThumb, which writes the keywords that it finds in a photo into a comment beside it."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from xml.etree import ElementTree as ET

from programs.display import home, running, screen, until

_SETTINGS = """[org/gnome/gthumb/browser]
thumbnail-caption='general::tags'
properties-visible=true
viewer-sidebar='properties'
"""
_REST = 3
"""Seconds that are left to it after the comment of a photo with a keyword has appeared."""


class GThumb:
    """One window for each folder, of a copy with one more photo, which is known to have a keyword inside."""

    name = "gThumb"
    program = "gthumb"
    package = "gthumb"

    def keywords(self, photos: list[Path], work: Path) -> dict[Path, frozenset[str]]:
        """Return the words in the comment of each photo; whether it opens a format is not told."""
        settings = work / "home" / ".config" / "glib-2.0" / "settings" / "keyfile"
        settings.parent.mkdir(parents=True)
        settings.write_text(_SETTINGS)
        environment = {**home(work / "home"), "GSETTINGS_BACKEND": "keyfile"}
        control = next(photo for photo in photos if photo.parent.name == "photo" and photo.suffix == ".jpg")
        for folder in sorted({photo.parent for photo in photos}):
            _open(shutil.copytree(folder, work / folder.name), control, environment)
        return {photo: _words(work / photo.parent.name / ".comments" / f"{photo.name}.xml") for photo in photos}


def _open(folder: Path, control: Path, environment: dict[str, str]) -> None:
    added = Path(shutil.copy(control, folder / f"control{control.suffix}"))
    comment = folder / ".comments" / f"{added.name}.xml"
    with screen() as display:
        command = ["dbus-run-session", "--", "gthumb", str(added)]
        with running(command, {**environment, "DISPLAY": display}):
            until(lambda: bool(_words(comment)), "gThumb wrote no comment")
            time.sleep(_REST)


def _words(comment: Path) -> frozenset[str]:
    """Return the categories in a comment; none if there is no comment, or it is still being written."""
    try:
        return frozenset(each.get("value", "") for each in ET.parse(comment).iter("category"))  # noqa: S314 (our copy)
    except (OSError, ET.ParseError):
        return frozenset()
