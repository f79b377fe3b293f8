"""Shotwell, which imports its library folder at its start, and is read from its database."""

from __future__ import annotations

import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from programs.display import home, running, screen, until

_SETTINGS = """[org/yorba/shotwell/preferences/ui]
show-welcome-dialog=false

[org/yorba/shotwell/preferences/files]
import-dir='{library}'
auto-import=true
"""
_REST = 6
"""Looks at the database, a second apart, that must be the same."""


class Shotwell:
    """One library with a copy of the photos and their sidecars."""

    name = "Shotwell"
    program = "shotwell"
    package = "shotwell"

    def keywords(self, photos: list[Path], work: Path) -> dict[Path, frozenset[str]]:
        """Return the tags of each photo that it imports."""
        library, database = work / "library", work / "data" / "data" / "photo.db"
        copies = _copied(photos, library)
        environment = {**home(work / "home"), "GSETTINGS_BACKEND": "keyfile"}
        settings = work / "home" / ".config" / "glib-2.0" / "settings" / "keyfile"
        settings.parent.mkdir(parents=True)
        settings.write_text(_SETTINGS.format(library=library))
        looks: list[Any] = []
        with screen() as display:
            command = ["dbus-run-session", "--", "shotwell", "-d", str(work / "data")]
            with running(command, {**environment, "DISPLAY": display}):
                until(lambda: _is_at_rest(looks, database), "Shotwell did not come to rest")
        tags = looks[-1]
        return {photo: tags[copy] for photo, copy in copies.items() if copy in tags}


def _copied(photos: list[Path], library: Path) -> dict[Path, Path]:
    """Copy the folders of the photos into the library; returns the copy of each photo."""
    for folder in sorted({photo.parent for photo in photos}):
        shutil.copytree(folder, library / folder.name, ignore=shutil.ignore_patterns(".culld"))
    return {photo: library / photo.parent.name / photo.name for photo in photos}


def _is_at_rest(looks: list[Any], database: Path) -> bool:
    looks.append(_tags(database))
    time.sleep(1)
    return bool(looks[-1]) and len(looks) >= _REST and all(look == looks[-1] for look in looks[-_REST:])


def _tags(database: Path) -> dict[Path, frozenset[str]]:
    """Return the tags of each imported photo, by its path; none while the database is being made."""
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            files = dict(connection.execute("SELECT id, filename FROM PhotoTable"))
            tags = connection.execute("SELECT name, photo_id_list FROM TagTable").fetchall()
    except sqlite3.OperationalError:  # locked, or not made yet
        return {}
    named = [
        (name, {int(key.removeprefix("thumb"), 16) for key in (ids or "").split(",") if key}) for name, ids in tags
    ]
    return {Path(file): frozenset(name for name, ids in named if id_ in ids) for id_, file in files.items()}
