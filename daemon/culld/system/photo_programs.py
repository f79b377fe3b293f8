"""Photo programs that own a folder, known by the files that they keep in it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Program:
    """A photo program: the pattern of the file by which its folders are known, and what a moved photo means to it.

    `is_closed` is true where the program alone may change its folder; `is_bundle` where the pattern is that of the
    folder itself.
    """

    name: str
    pattern: str
    meaning: str
    is_closed: bool = False
    is_bundle: bool = False


@dataclass(frozen=True, slots=True)
class Owner:
    """A program that owns a folder, and the file or folder that shows it."""

    program: Program
    mark: Path


_INSIDE: Final = "it finds its photos by their place in this folder, and loses those that culld moves"

PROGRAMS: Final = (
    # docs/docs/administration/system-integrity.md of Immich: it writes this file into each of its folders.
    Program("Immich", ".immich", _INSIDE, is_closed=True),
    # internal/config of PhotoPrism: it writes this file into its storage folder, which holds thumbnails and sidecars.
    Program("PhotoPrism", ".ppstorage", "it holds what PhotoPrism makes of the photos, not the photos", is_closed=True),
    Program("Apple Photos", "*.photoslibrary", _INSIDE, is_closed=True, is_bundle=True),
    Program("Capture One", "*.cocatalog", _INSIDE, is_closed=True, is_bundle=True),
    Program("Capture One", "*.cosessiondb", "a photo that culld moves is missing in the session"),
    # Where digiKam puts its database by default: into the folder of the first collection.
    Program(
        "digiKam",
        "digikam4.db",
        "stars that only this database holds (of HEIC, AVIF and DNG) do not protect a photo from being moved",
    ),
    Program(
        "Lightroom",
        "*.lrcat",
        "stars and edits that only this catalog holds do not protect a photo from being moved, and a moved photo is"
        " missing in the catalog",
    ),
)
"""The programs that are recognised. darktable, Shotwell and others keep no file of theirs in a folder of photos."""

WATCH_ANOTHER: Final = "watch a folder from which it imports"
"""What to do instead of watching a folder that a program alone may change."""


def ownership(owner: Owner, mark: str) -> str:
    """Return the sentence on a watched folder: its owner, the owner's mark as it is to be shown, what a move means."""
    return f"{owner.program.name} owns it ({mark}): {owner.program.meaning}"


def imports_again(owner: Owner) -> str:
    """Return what is wrong with a quarantine in a folder of this owner; the subject is the quarantine."""
    return f"lies in a folder of {owner.program.name}, which may import the rejected photos again"


def owners(folder: Path) -> Iterator[Owner]:
    """Yield the programs that own a folder, a folder above it, or one of the folders directly in it; each once."""
    found: set[Program] = set()
    for program, mark in _marks(folder):
        if program not in found:
            found.add(program)
            yield Owner(program, mark)


def _marks(folder: Path) -> Iterator[tuple[Program, Path]]:
    inside, below = _listing(folder)
    for program in PROGRAMS:
        names = [folder, *folder.parents, *below] if program.is_bundle else []
        yield from ((program, place) for place in names if fnmatchcase(place.name, program.pattern))
    above = (_listing(place)[0] for place in folder.parents if place.parent != place)
    for listing in (inside, *above, *(_listing(place)[0] for place in below)):
        for program in PROGRAMS:
            if not program.is_bundle:
                yield from ((program, place) for place in listing if fnmatchcase(place.name, program.pattern))


def _listing(folder: Path) -> tuple[list[Path], list[Path]]:
    """Return the files and the folders in a folder, sorted; none where it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            found = sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries)
    except OSError:  # the folder belongs to another user: its programs stay unknown
        return [], []
    return [folder / name for name, is_folder in found if not is_folder], [
        folder / name for name, is_folder in found if is_folder
    ]
