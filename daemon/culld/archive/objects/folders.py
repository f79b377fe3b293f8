"""The folders of object storage: the objects in each, held for a while by an actor, and all below a prefix."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from culld.archive.objects.errors import ObjectError
from culld.archive.objects.uri import is_object, is_plain, uri_of
from culld.stages.group.directory import FolderCache, FolderContents, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from culld.archive.objects.arrow import Stores
    from culld.archive.objects.store import ObjectStore, StoredObject
    from culld.records import RootedPath

_MOST_HELD: Final = 4
_LEAST_AGE_S: Final = 60.0
_SHARE: Final = 20
"""A folder is listed again after so many times the time that it took, so that listings take 5 % of the time."""


@dataclass(frozen=True, slots=True)
class _Held:
    """A listing until it is too old; an error is held as well, since all photos of the folder meet it."""

    until: float
    objects: dict[str, StoredObject]
    contents: FolderContents
    error: ObjectError | None = None


@dataclass(slots=True)
class ObjectFolders:
    """The contents of the folders that were asked for last, also of folders of this machine."""

    stores: Stores
    clock: Callable[[], float] = time.monotonic
    _local: FolderCache = field(default_factory=FolderCache)
    _held: dict[Path, _Held] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, place: RootedPath) -> FolderContents:
        """Return the contents of the folder of a photo; raises PhotoError if it cannot be listed."""
        return self._listing(place).contents if is_object(place.root) else self._local.of(place)

    def find(self, place: RootedPath) -> StoredObject | None:
        """Return an object by the listing of its folder; None if it was not there. Raises ObjectError."""
        return self._listing(place).objects.get(place.relative.name)

    def _listing(self, place: RootedPath) -> _Held:
        folder = place.path.parent
        with self._lock:  # the next photos are copied while the rows of these are made
            held = self._held.pop(folder, None)
            if held is None or held.until < self.clock():
                held = self._listed(folder)
            self._held[folder] = held
            while len(self._held) > _MOST_HELD:
                del self._held[next(iter(self._held))]
        if held.error is not None:
            raise held.error
        return held

    def _listed(self, folder: Path) -> _Held:
        begun = self.clock()
        contents, objects, failed = FolderContents(), dict[str, "StoredObject"](), None
        try:
            found = self.stores.of(folder).inside(uri_of(folder).path)
            objects = {each.path.rpartition("/")[2]: each for each in found}
            contents.update(dict.fromkeys(objects, Kind.FILE))
        except ObjectError as error:
            failed = ObjectError(f"its folder cannot be listed: {error}")
        now = self.clock()
        return _Held(now + max(_LEAST_AGE_S, _SHARE * (now - begun)), objects, contents, failed)


@dataclass(frozen=True, slots=True)
class Listed:
    """One listing below a prefix: the objects that have plain keys, how many have not, or why it failed."""

    prefix: str
    objects: list[StoredObject]
    odd: int = 0
    error: ObjectError | None = None


def walk(store: ObjectStore, prefix: str, enter: Callable[[str], bool]) -> Iterator[Listed]:
    """Yield the listings of a prefix and of the folders below it which `enter` accepts; at most one is in memory.

    `prefix` is bucket and key. Raises StorageError.
    """
    waiting = [prefix]
    while waiting:
        asked = waiting.pop()
        try:
            objects, folders = store.below(asked)
        except ObjectError as error:
            yield Listed(asked, [], error=error)
            continue
        plain = [each for each in objects if is_plain(each.path)]
        # A key with two `/` makes a folder its own folder.
        inside = [each for each in folders if is_plain(each) and each.startswith(f"{asked}/")]
        yield Listed(asked, plain, len(objects) - len(plain) + len(folders) - len(inside))
        waiting += [each for each in reversed(inside) if enter(each)]
