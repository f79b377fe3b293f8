"""What lies beside a photo."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from culld.disk.beneath import open_folder
from culld.photos.shots import shelves

if TYPE_CHECKING:
    from pathlib import Path

    from culld.records import Place

_MOST_FOLDERS: Final = 4
_TICK_NS: Final = 2_000_000_000
"""A folder that changed so recently may change again without its time showing it: no file system is coarser (FAT)."""
_UNSURE: Final = -1


@dataclass(slots=True)
class _Filed:
    """The names in a folder, by what the names of a shot begin with, and the folder's time when it was listed."""

    mtime_ns: int = _UNSURE
    names: set[str] = field(default_factory=set)
    by_shelf: dict[str, list[str]] = field(default_factory=dict)

    def take_in(self, names: set[str]) -> None:
        """File what is new, and take out what is gone."""
        for name in self.names - names:
            for shelf in shelves(name):
                self.by_shelf[shelf].remove(name)
        for name in names - self.names:
            for shelf in shelves(name):
                self.by_shelf.setdefault(shelf, []).append(name)
        self.names = names


@dataclass(slots=True)
class Catalogue:
    """What lies in the folders of the last batches: one that has not changed is not listed again.

    Of one that has, only the difference is filed anew, so that a folder of 100,000 photos costs each batch little.
    """

    _folders: dict[Path, _Filed] = field(default_factory=dict)
    _latest: Listing | None = None

    def anew(self) -> Listing:
        """A listing for the batch that begins."""
        self._latest = Listing(self)
        return self._latest

    def latest(self) -> Listing:
        """The listing of the batch at hand."""
        return self._latest or self.anew()

    def of(self, place: Place) -> dict[str, list[str]]:
        """The names in the folder of a photo as it is now, by shelf; raises PhotoError if the folder is gone."""
        folder = place.path.parent
        filed = self._folders.pop(folder, None) or _Filed()
        descriptor = open_folder(place.root, place.relative.parent)
        try:
            mtime_ns = os.fstat(descriptor).st_mtime_ns
            if filed.mtime_ns != mtime_ns:
                filed.take_in(set(os.listdir(descriptor)))  # noqa: PTH208 (an open folder, no link can be swapped in)
                filed.mtime_ns = mtime_ns if time.time_ns() - mtime_ns > _TICK_NS else _UNSURE
        finally:
            os.close(descriptor)
        self._folders[folder] = filed
        while len(self._folders) > _MOST_FOLDERS:
            del self._folders[next(iter(self._folders))]
        return filed.by_shelf


@dataclass(slots=True)
class Listing:
    """The neighbours of the photos of one batch; what it has looked at it does not look at again."""

    catalogue: Catalogue = field(default_factory=Catalogue)
    _folders: dict[Path, dict[str, list[str]]] = field(default_factory=dict)

    def beside(self, place: Place) -> list[str]:
        """The names in the folder of a photo that may have to do with it; whatever belongs to it is among them.

        Raises PhotoError if the folder is gone.
        """
        folder = place.path.parent
        if folder not in self._folders:
            self._folders[folder] = self.catalogue.of(place)
        shelved = self._folders[folder]
        return list(dict.fromkeys(name for shelf in shelves(place.relative.name) for name in shelved.get(shelf, [])))
