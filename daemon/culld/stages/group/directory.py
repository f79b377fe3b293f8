"""The files beside a photo: folder listings, cached over batches."""

from __future__ import annotations

import os
import stat
import time
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, Final, Protocol

from culld.files.open_beneath import open_folder
from culld.files.os_errors import translate_errors
from culld.stages.group.stacks import lookup_keys

if TYPE_CHECKING:
    from pathlib import Path

    from culld.records import RootedPath

_MAX_FOLDERS: Final = 4
_TICK_NS: Final = 2_000_000_000
"""The coarsest mtime of a file system, 2 s (FAT): a folder that changed within it may change again unnoticed."""
_UNSURE: Final = -1


class Kind(Enum):
    """The kind of a folder entry: a plain file, a link to a plain file, or another entry."""

    FILE = auto()
    LINK = auto()
    OTHER = auto()


@dataclass(slots=True)
class FolderContents:
    """The names in a folder, by the `lookup_keys` of a shot, and the mtime of the folder at the listing."""

    mtime_ns: int = _UNSURE
    kinds: dict[str, Kind] = field(default_factory=dict)
    by_key: dict[str, list[str]] = field(default_factory=dict)

    def update(self, kinds: dict[str, Kind]) -> None:
        """Add new names, and remove names that are gone."""
        for name in self.kinds.keys() - kinds.keys():
            for key in lookup_keys(name):
                self.by_key[key].remove(name)
        for name in kinds.keys() - self.kinds.keys():
            for key in lookup_keys(name):
                self.by_key.setdefault(key, []).append(name)
        self.kinds = kinds

    def named_like(self, photo: str) -> dict[str, Kind]:
        """Return the names that may belong to a photo, with their kinds."""
        names = (name for key in lookup_keys(photo) for name in self.by_key.get(key, []))
        return {name: self.kinds[name] for name in names}


class Folders(Protocol):
    """Where the contents of folders come from."""

    def of(self, place: RootedPath) -> FolderContents:
        """Return the contents of the folder of a photo; raises PhotoError if the folder cannot be listed."""


@dataclass(slots=True)
class FolderCache:
    """The contents of the folders of the last batches; an unchanged folder is not listed again.

    For a changed folder only the difference is updated, so that each batch costs little in a folder of 100,000 photos.
    """

    _folders: dict[Path, FolderContents] = field(default_factory=dict)
    _latest: FolderListing | None = None

    def begin_batch(self) -> FolderListing:
        """Return a listing for a new batch."""
        self._latest = FolderListing(self)
        return self._latest

    def current_batch(self) -> FolderListing:
        """Return the listing of the current batch."""
        return self._latest or self.begin_batch()

    def of(self, place: RootedPath) -> FolderContents:
        """Return the contents of the folder of a photo; raises PhotoError if the folder cannot be listed."""
        folder = place.path.parent
        contents = self._folders.pop(folder, None) or FolderContents()
        descriptor = open_folder(place.root, place.relative.parent)
        try:
            with translate_errors(folder, "list"):
                mtime_ns = os.fstat(descriptor).st_mtime_ns
                if contents.mtime_ns != mtime_ns:
                    contents.update(_kinds(descriptor))
                    contents.mtime_ns = mtime_ns if time.time_ns() - mtime_ns > _TICK_NS else _UNSURE
        finally:
            os.close(descriptor)
        self._folders[folder] = contents
        while len(self._folders) > _MAX_FOLDERS:
            del self._folders[next(iter(self._folders))]
        return contents


def _kinds(descriptor: int) -> dict[str, Kind]:
    """Return the names in an open folder with their kinds; raises OSError."""
    with os.scandir(descriptor) as entries:
        return {entry.name: _kind(entry, descriptor) for entry in entries}


def _kind(entry: os.DirEntry[str], folder: int) -> Kind:
    """Return the kind of an entry; one that cannot be read counts as a link, which may block the move of a photo."""
    try:
        if entry.is_file(follow_symlinks=False):
            return Kind.FILE
        if not entry.is_symlink():
            return Kind.OTHER
        return Kind.LINK if stat.S_ISREG(os.stat(entry.name, dir_fd=folder).st_mode) else Kind.OTHER
    except (FileNotFoundError, NotADirectoryError):  # a dangling link
        return Kind.OTHER
    except OSError:
        return Kind.LINK


@dataclass(slots=True)
class FolderListing:
    """The files beside the photos of one batch; each folder is listed once."""

    cache: Folders = field(default_factory=FolderCache)
    _folders: dict[Path, FolderContents] = field(default_factory=dict)

    def beside(self, place: RootedPath) -> list[str]:
        """Return the plain files in the folder of a photo that may belong to it; none that belongs is missing.

        Raises PhotoError if the folder is gone.
        """
        return [name for name, kind in self._named_like(place).items() if kind is Kind.FILE]

    def names(self, place: RootedPath) -> list[str]:
        """Return all names in the folder of a photo that may belong to it; raises PhotoError if the folder is gone."""
        return list(self._named_like(place))

    def unclear(self, place: RootedPath) -> list[str]:
        """Return the links to plain files that may belong to a photo; raises PhotoError if the folder is gone."""
        return [name for name, kind in self._named_like(place).items() if kind is Kind.LINK]

    def is_taken(self, place: RootedPath, name: str) -> bool:
        """Return whether an entry that is not a plain file, such as a folder, takes the name `name`.

        Names are compared without regard to case, as on some file systems. Raises PhotoError if the folder is gone.
        """
        found = self._named_like(place)
        folded = {other.casefold() for other, kind in found.items() if kind is not Kind.FILE}
        return found.get(name) is not Kind.FILE and name.casefold() in folded

    def _named_like(self, place: RootedPath) -> dict[str, Kind]:
        folder = place.path.parent
        if folder not in self._folders:
            self._folders[folder] = self.cache.of(place)
        return self._folders[folder].named_like(place.relative.name)
