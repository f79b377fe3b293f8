"""What lies beside a photo."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from culld.disk.beneath import open_folder
from culld.photos.shots import shelves

if TYPE_CHECKING:
    from pathlib import Path

    from culld.records import Place


@dataclass(slots=True)
class Listing:
    """Lists each folder once, and by what the names of a shot begin with: a folder may hold 100,000 of them.

    Short-lived: what it has listed it does not look at again.
    """

    _folders: dict[Path, dict[str, list[str]]] = field(default_factory=dict)

    def beside(self, place: Place) -> list[str]:
        """The names in the folder of a photo that may have to do with it; whatever belongs to it is among them.

        Raises PhotoError if the folder is gone.
        """
        folder = place.path.parent
        if folder not in self._folders:
            self._folders[folder] = _by_shelf(place)
        shelved = self._folders[folder]
        return list(dict.fromkeys(name for shelf in shelves(place.relative.name) for name in shelved.get(shelf, [])))


def _by_shelf(place: Place) -> dict[str, list[str]]:
    descriptor = open_folder(place.root, place.relative.parent)
    try:
        names = os.listdir(descriptor)  # noqa: PTH208 (of an open descriptor, so that no link can be swapped in)
    finally:
        os.close(descriptor)
    found: dict[str, list[str]] = defaultdict(list)
    for name in names:
        for shelf in shelves(name):
            found[shelf].append(name)
    return dict(found)
