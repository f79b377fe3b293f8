"""The photos that URIs of object storage name; the driver lists them, and reads none."""

from __future__ import annotations

import glob
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from culld.archive.objects.arrow import Stores
from culld.archive.objects.errors import ObjectError, ObjectGoneError, StorageError, TransientError
from culld.archive.objects.folders import ObjectFolders, walk
from culld.archive.objects.store import Kind
from culld.archive.objects.uri import object_uri, scheme_of
from culld.errors import ConfigError, SystemFaultError
from culld.records import FileSnapshot
from culld.stages.watch.copies import stems_of_photos
from culld.stages.watch.scanner import MAX_DEPTH, is_unfinished
from culld.tags.names import stem_of_parent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from culld.archive.objects.folders import Listed
    from culld.archive.objects.store import StoredObject
    from culld.archive.objects.uri import ObjectUri


@dataclass(slots=True)
class ObjectListing:
    """Lists objects; `is_photo` tells photos by their names.

    `missing` and `unreadable` take what could not be found or listed.
    """

    is_photo: Callable[[str], bool]
    missing: list[str]
    unreadable: dict[Path, str]
    stores: Stores = field(default_factory=Stores)
    _folders: ObjectFolders = field(init=False)

    def __post_init__(self) -> None:
        """Share the storages with the listings of single folders."""
        self._folders = ObjectFolders(self.stores)

    def photos(self, uri: ObjectUri) -> Iterator[FileSnapshot]:
        """Yield the photo of this name, or the photos below this prefix.

        A prefix without any counts as one that cannot be read.
        """
        if self.is_photo(uri.key.rpartition("/")[2]):
            yield from self._one(uri)
            return
        count = 0
        for found in self._below(uri):
            count += 1
            yield found
        if not count:
            self.unreadable.setdefault(uri.place(uri.path).path, "holds no photo; rows of its photos stay as they are")

    def _one(self, uri: ObjectUri) -> Iterator[FileSnapshot]:
        place = uri.place(uri.path)
        try:
            found = self._folders.find(place)
        except ObjectError as error:
            self.unreadable[place.path.parent] = str(error)
            return
        if found is None:
            self.missing.append(str(uri))
        else:
            yield FileSnapshot(place, found.stamp)

    def _below(self, uri: ObjectUri) -> Iterator[FileSnapshot]:
        depth = uri.path.count("/")

        def is_entered(folder: str) -> bool:
            return not is_unfinished(folder.rpartition("/")[2]) and folder.count("/") - depth <= MAX_DEPTH

        for listed in walk(self.stores.of(uri.root), uri.path, is_entered):
            self._note(uri, listed)
            for each in self._photos_in(listed.objects, uri.path):
                yield FileSnapshot(uri.place(each.path), each.stamp)

    def _note(self, uri: ObjectUri, listed: Listed) -> None:
        place = uri.place(listed.prefix).path
        if isinstance(listed.error, ObjectGoneError) and listed.prefix != uri.path:
            return  # its objects were removed since the folder above it was listed
        if listed.error is not None:
            self.unreadable[place] = str(listed.error)
        elif listed.odd:
            self.unreadable[place] = f"{listed.odd} keys in it have empty parts, `.` or `..`; they are passed over"

    def _photos_in(self, objects: Iterable[StoredObject], above: str) -> Iterator[StoredObject]:
        """Yield the photos folder by folder, without hidden ones and repaired copies beside their photo."""
        folders: defaultdict[str, list[StoredObject]] = defaultdict(list)
        for each in objects:
            folders[each.path.rpartition("/")[0]].append(each)
        for folder, found in sorted(folders.items()):
            if any(map(is_unfinished, folder.removeprefix(above).strip("/").split("/"))):
                continue
            stems = stems_of_photos(name_of(each) for each in found)
            for each in sorted(found, key=name_of):
                if self.is_photo(name_of(each)) and stem_of_parent(name_of(each)) not in stems:
                    yield each


def name_of(found: StoredObject) -> str:
    """Return the last part of the key."""
    return found.path.rpartition("/")[2]


def require_readable(uris: Sequence[str], is_photo: Callable[[str], bool], stores: Stores | None = None) -> None:
    """Raise ConfigError for URIs of objects at which nothing can be read, SystemFaultError if it cannot be reached."""
    problems = []
    for text in uris:
        if not scheme_of(text):
            continue
        try:
            problem = _problem(object_uri(text), is_photo, stores or Stores())
        except TransientError as error:
            raise SystemFaultError(f"{text}: {error}") from error
        except ObjectError as error:
            problem = str(error)
        except StorageError as error:
            problem = error.clause
        problems += [f"{text}: {problem}"] if problem else []
    if problems:
        raise ConfigError(tuple(problems))


def _problem(uri: ObjectUri, is_photo: Callable[[str], bool], stores: Stores) -> str:
    kind = stores.of(uri.root).kind(uri.path)
    if kind is Kind.NOTHING and glob.has_magic(uri.key):
        return "is no key; patterns are not supported in object storage, name a prefix"
    if kind is Kind.NOTHING:
        return "holds no object"
    if kind is Kind.OBJECT and not is_photo(uri.key.rpartition("/")[2]):
        return "is no photo; a text file with paths must be on this machine"
    return ""
