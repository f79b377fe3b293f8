"""Clips that belong to a photo, by their names: the movie of a Live Photo is never judged by itself."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from culld.imaging.formats import EXTENSIONS, RAW_EXTENSIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from culld.records import FileSnapshot


def without_photo(clips: Sequence[FileSnapshot], names: Iterable[str]) -> list[FileSnapshot]:
    """Return the clips of a folder that have no photo beside them; `names` are all names in the folder.

    `a.mov` belongs to `a.heic`, as does `a.heic.mov`. Letter case does not count.
    """
    owners = _owners(names) if clips else frozenset()
    return [clip for clip in clips if PurePath(clip.place.relative.name.casefold()).stem not in owners]


def _owners(names: Iterable[str]) -> frozenset[str]:
    photos = [path for path in map(PurePath, map(str.casefold, names)) if path.suffix in EXTENSIONS | RAW_EXTENSIONS]
    return frozenset(text for path in photos for text in (path.name, path.stem))
