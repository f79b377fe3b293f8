"""What lies beside a photo."""

from __future__ import annotations

import os
import stat
import time
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from culld.files.open_beneath import open_folder
from culld.files.os_errors import translate_errors
from culld.stages.group.filenames import lookup_keys

if TYPE_CHECKING:
    from pathlib import Path

    from culld.records import RootedPath

_MAX_FOLDERS: Final = 4
_TICK_NS: Final = 2_000_000_000
"""A folder that changed so recently may change again without its time showing it: no file system is coarser (FAT)."""
_UNSURE: Final = -1


class Kind(Enum):
    """What a name in a folder stands for: a plain file, a link to one, or anything else that is no file."""

    FILE = auto()
    LINK = auto()
    OTHER = auto()


@dataclass(slots=True)
class _FolderContents:
    """The names in a folder, by what the names of a shot begin with, and the folder's time when it was listed."""

    mtime_ns: int = _UNSURE
    kinds: dict[str, Kind] = field(default_factory=dict)
    by_shelf: dict[str, list[str]] = field(default_factory=dict)

    def take_in(self, kinds: dict[str, Kind]) -> None:
        """File what is new, and take out what is gone."""
        for name in self.kinds.keys() - kinds.keys():
            for shelf in lookup_keys(name):
                self.by_shelf[shelf].remove(name)
        for name in kinds.keys() - self.kinds.keys():
            for shelf in lookup_keys(name):
                self.by_shelf.setdefault(shelf, []).append(name)
        self.kinds = kinds

    def named_like(self, photo: str) -> dict[str, Kind]:
        """The names that may have to do with a photo."""
        names = (name for shelf in lookup_keys(photo) for name in self.by_shelf.get(shelf, []))
        return {name: self.kinds[name] for name in names}


@dataclass(slots=True)
class FolderCache:
    """What lies in the folders of the last batches: one that has not changed is not listed again.

    Of one that has, only the difference is filed anew, so that a folder of 100,000 photos costs each batch little.
    """

    _folders: dict[Path, _FolderContents] = field(default_factory=dict)
    _latest: FolderListing | None = None

    def begin_batch(self) -> FolderListing:
        """A listing for the batch that begins."""
        self._latest = FolderListing(self)
        return self._latest

    def current_batch(self) -> FolderListing:
        """The listing of the batch at hand."""
        return self._latest or self.begin_batch()

    def of(self, place: RootedPath) -> _FolderContents:
        """The names in the folder of a photo as it is now; raises PhotoError if it cannot be listed."""
        folder = place.path.parent
        filed = self._folders.pop(folder, None) or _FolderContents()
        descriptor = open_folder(place.root, place.relative.parent)
        try:
            with translate_errors(folder, "list"):
                mtime_ns = os.fstat(descriptor).st_mtime_ns
                if filed.mtime_ns != mtime_ns:
                    filed.take_in(_kinds(descriptor))
                    filed.mtime_ns = mtime_ns if time.time_ns() - mtime_ns > _TICK_NS else _UNSURE
        finally:
            os.close(descriptor)
        self._folders[folder] = filed
        while len(self._folders) > _MAX_FOLDERS:
            del self._folders[next(iter(self._folders))]
        return filed


def _kinds(descriptor: int) -> dict[str, Kind]:
    """What is in an open folder; raises OSError."""
    with os.scandir(descriptor) as entries:
        return {entry.name: _kind(entry, descriptor) for entry in entries}


def _kind(entry: os.DirEntry[str], folder: int) -> Kind:
    """What an entry is; one that cannot be looked at counts as a link, for it may be a file that keeps the photo."""
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
    """The neighbours of the photos of one batch; what it has looked at it does not look at again."""

    cache: FolderCache = field(default_factory=FolderCache)
    _folders: dict[Path, _FolderContents] = field(default_factory=dict)

    def beside(self, place: RootedPath) -> list[str]:
        """The plain files in the folder of a photo that may have to do with it; all that belongs to it is among them.

        Raises PhotoError if the folder is gone.
        """
        return [name for name, kind in self._named_like(place).items() if kind is Kind.FILE]

    def names(self, place: RootedPath) -> list[str]:
        """All names in the folder of a photo that may have to do with it; raises PhotoError if the folder is gone."""
        return list(self._named_like(place))

    def unclear(self, place: RootedPath) -> list[str]:
        """The links to plain files that may have to do with a photo; raises PhotoError if the folder is gone."""
        return [name for name, kind in self._named_like(place).items() if kind is Kind.LINK]

    def is_taken(self, place: RootedPath, name: str) -> bool:
        """Whether something that is no plain file, such as a folder, is in the way of a file called `name`.

        Letter case does not count, as on some file systems. Raises PhotoError if the folder is gone.
        """
        found = self._named_like(place)
        folded = {other.casefold() for other, kind in found.items() if kind is not Kind.FILE}
        return found.get(name) is not Kind.FILE and name.casefold() in folded

    def _named_like(self, place: RootedPath) -> dict[str, Kind]:
        folder = place.path.parent
        if folder not in self._folders:
            self._folders[folder] = self.cache.of(place)
        return self._folders[folder].named_like(place.relative.name)
