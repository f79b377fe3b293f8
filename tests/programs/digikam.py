"""DigiKam, driven by keys and read from its database: it rates and tags photos, and returns what it shows."""

from __future__ import annotations

import sqlite3
import subprocess
import time
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

from programs.display import home, running, screen, until
from programs.shown import Shown

_CONFIG = """[General Settings]
Version=7.9.0

[Album Settings]
Album Path={photos}

[Database Settings]
Database Type=QSQLITE
Database Name={work}/
Database Name Thumbnails={work}/
Database Name Face={work}/
Database Name Similarity={work}/
Internal Database Server=false

[Metadata Settings]
Save Tags=true
Save Rating=true
Use XMP Sidecar For Reading={sidecars}
Metadata Writing Mode=0
Use Lazy Synchronization=false
"""
_SHOWN = """
SELECT a.relativePath, i.name, f.rating,
 (SELECT group_concat(t.name, char(9)) FROM ImageTags x JOIN Tags t ON t.id = x.tagid WHERE x.imageid = i.id)
 FROM Images i JOIN Albums a ON a.id = i.album LEFT JOIN ImageInformation f ON f.imageid = i.id
 WHERE i.status = 1
"""
_ROOT = "INSERT INTO AlbumRoots (label, status, type, identifier, specificPath) VALUES ('photos', 0, 3, ?, '/')"
_CANCEL, _ALBUM, _APPLY, _THUMBNAILS = (880, 523), (105, 121), (770, 428), (460, 400)
"""Where digiKam 7.9 of Debian 12 has them, in a window of its own size."""


class DigiKam:
    """One installation, which knows one folder of photos."""

    def __init__(self, photos: Path, work: Path, *, sidecars: bool) -> None:
        """Let digiKam make its database, and add the folder."""
        self._photos, self._work = photos, work
        self._environment = home(work / "home")
        self._config = work / "home" / ".config" / "digikamrc"
        self._config.write_text(_CONFIG.format(photos=photos, work=work, sidecars=str(sidecars).lower()))
        self._database = work / "digikam4.db"
        with screen() as display, self._running(display):
            until(self._is_made, "digiKam made no database")
        with closing(sqlite3.connect(self._database)) as database, database:
            database.execute(_ROOT, (f"networkshareid:?mountpath={photos}",))

    def rate(self, count: int) -> None:
        """Give each of these photos four stars and the keyword Holiday; digiKam writes them into it."""
        with screen() as display, self._running(display):
            until(lambda: len(self._rows()) == count, "digiKam did not find the photos")
            press = Keys(display)
            until(self._rated, "digiKam did not rate the photos", press.rate)
            press.word()
            until(self._tagged, "digiKam did not tag the photos", press.apply)
            until(self._written, "digiKam did not write the photos")

    def shows(self, count: int) -> dict[Path, Shown]:
        """Return what digiKam shows of each photo."""
        with screen() as display, self._running(display):
            until(lambda: len(self._rows()) == count and self._is_read(), "digiKam did not read the photos")
            found: list[dict[Path, Shown | None]] = [{}, self._rows()]
            until(lambda: found[-1] == found[-2], "digiKam did not come to rest", lambda: found.append(self._later()))
        return {path: shown for path, shown in found[-1].items() if shown is not None}

    def _later(self) -> dict[Path, Shown | None]:
        time.sleep(3)
        return self._rows()

    def _running(self, display: str) -> AbstractContextManager[subprocess.Popen[bytes]]:
        command = ["dbus-run-session", "--", "digikam", "--config", str(self._config)]
        command += ["--database-directory", str(self._work)]
        return running(command, {**self._environment, "DISPLAY": display})

    def _query(self, query: str) -> list[tuple[Any, ...]]:
        try:
            with closing(sqlite3.connect(f"file:{self._database}?mode=ro", uri=True)) as database:
                return database.execute(query).fetchall()
        except sqlite3.OperationalError:  # locked, or not made yet
            return []

    def _is_made(self) -> bool:
        return bool(self._query("SELECT 1 FROM Settings WHERE keyword = 'Locale'"))

    def _is_read(self) -> bool:
        return all(self._rows().values())

    def _rows(self) -> dict[Path, Shown | None]:
        return {
            self._photos / album.strip("/") / name: None
            if stars is None
            else Shown(max(stars, 0), frozenset(filter(None, (words or "").split("\t"))))
            for album, name, stars, words in self._query(_SHOWN)
        }

    def _rated(self) -> bool:
        return all(shown is not None and shown.stars == 4 for shown in self._rows().values())

    def _tagged(self) -> bool:
        return all(shown is not None and "Holiday" in shown.words for shown in self._rows().values())

    def _written(self) -> bool:
        return all(b"Holiday" in path.read_bytes() for path in self._rows())


class Reader:
    """One installation for a folder in which no photo is there twice."""

    program = "digikam"
    package = "digikam"

    def __init__(self, *, sidecars: bool) -> None:
        """Switch `read from sidecar files` on or off."""
        self._sidecars = sidecars
        self.name = f"digiKam, {'reading' if sidecars else 'not reading'} sidecars"

    def keywords(self, photos: list[Path], work: Path) -> dict[Path, frozenset[str]]:
        """Return the tags of each photo in the folder above those of the photos."""
        program = DigiKam(photos[0].parents[1], work / "digikam", sidecars=self._sidecars)
        return {path: shown.words for path, shown in program.shows(len(photos)).items()}


class Keys:
    """The keys and clicks of the user."""

    def __init__(self, display: str) -> None:
        """Press them on a display."""
        self._display = display

    def rate(self) -> None:
        """Cancel the offer to download, select all photos of the album, and give them four stars."""
        for place in (_CANCEL, _ALBUM, _THUMBNAILS):
            self._click(place)
        self._do("key", "ctrl+a", "sleep", "1", "key", "ctrl+4", "sleep", "2")

    def word(self) -> None:
        """Make a new keyword in the side bar."""
        self._do("key", "t", "sleep", "2", "type", "Holiday")
        self._do("sleep", "2", "key", "Return", "sleep", "2")

    def apply(self) -> None:
        """Press the button of the side bar."""
        self._do("key", "Escape")
        self._click(_APPLY)

    def _click(self, place: tuple[int, int]) -> None:
        self._do("mousemove", *map(str, place), "sleep", "1", "click", "1", "sleep", "2")

    def _do(self, *words: str) -> None:
        subprocess.run(["xdotool", *words], env={"DISPLAY": self._display, "PATH": "/usr/bin:/bin"}, check=True)
