"""The scanner: the truth about which files are there.

It walks on open directory descriptors and never follows a link, so nothing outside a root can be seen.
"""

from __future__ import annotations

import logging
import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from culld.errors import PhotoChangedError, PhotoError
from culld.files import open_beneath
from culld.files.mount_guard import ANCHOR
from culld.files.open_beneath import open_folder, stamp_of
from culld.files.os_errors import message_for
from culld.records import FileSnapshot, FileStat, RootedPath, display_path
from culld.stages.watch.unreadable_folders import Trouble, UnreadableFolders

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from contextlib import AbstractContextManager

    Listing = Callable[[int], AbstractContextManager[Iterator[os.DirEntry[str]]]]

log = logging.getLogger(__name__)

MAX_DEPTH = 100
"""Folders below this depth are left alone; no photo library is that deep, a loop of mounts is."""

# Names under which other programs write files that are not finished: browsers, rsync, Syncthing, NFS, SFTP clients.
_UNFINISHED = re.compile(
    r"\.(part|partial|crdownload|download|filepart|tmp|temp|!ut|aria2|swp)$|~$|^\.|^@eaDir$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Scanner:
    """Finds the photos below root folders; `wanted` says by extension (lower case, with dot) which files are photos.

    Folders in `excluded` (the quarantine, the state) are passed over wherever they lie. A folder or an entry that
    cannot be read is kept in `unread` and hinders no other; `listing` lists an open folder, and may raise OSError.
    `foreign` says of a folder below a root, by its path and its open descriptor, why it belongs to another culld.
    """

    wanted: Collection[str]
    excluded: frozenset[Path] = frozenset()
    unreadable: UnreadableFolders = field(default_factory=UnreadableFolders)
    listing: Listing = os.scandir
    claimed_by: Callable[[Path, int], str] = lambda _path, _descriptor: ""
    _left: set[Path] = field(default_factory=set)

    def scan(self, root: Path, folder: Path | None = None, *, deep: bool = True) -> Iterator[FileSnapshot]:
        """Every photo in `folder` (the root itself if None), and below it if `deep`; a missing folder holds none."""
        waiting = [Path() if folder is None else folder.relative_to(root)]
        if any(self._is_foreign(root, above) for above in waiting[0].parents):
            return
        stale = self.unreadable.below(root / waiting[0]) if deep else set()
        while waiting:
            relative = waiting.pop()
            if self._is_passed_over(root, relative):
                continue
            stale.discard(root / relative)
            folders: list[Path] = []
            yield from self._files(root, relative, folders.append)
            if deep:
                waiting.extend(folders)
        self.unreadable.forget(stale)

    def find(self, place: RootedPath) -> FileSnapshot | None:
        """See one file again; None if it is gone, no longer a plain file, or cannot be looked at now (`unread`)."""
        try:
            stamp = stamp_of(place)
        except PhotoError as error:
            self.unreadable.note(place.path.parent, str(error))
            return None
        return None if stamp is None else FileSnapshot(place, stamp)

    def is_photo(self, name: str) -> bool:
        """Whether a file of this name is taken for a photo that may be finished."""
        return name[name.rfind(".") :].lower() in self.wanted and not _UNFINISHED.search(name)

    def _is_passed_over(self, root: Path, folder: Path) -> bool:
        """Whether nothing in this folder is looked at; an event may name one at any depth."""
        on_the_way = {root / folder, *(root / folder).parents}
        hidden = any(_UNFINISHED.search(part) for part in folder.parts)
        return hidden or len(folder.parts) > MAX_DEPTH or not on_the_way.isdisjoint(self.excluded)

    def _files(self, root: Path, relative: Path, on_folder: Callable[[Path], None]) -> Iterator[FileSnapshot]:
        path, trouble = root / relative, Trouble()
        try:
            descriptor = open_folder(root, relative)
        except PhotoChangedError:  # it was removed since the folder above it was listed
            self.unreadable.clear(path)
            return
        except PhotoError as error:
            self.unreadable.note(path, str(error))
            return
        try:
            if self._is_left(root, relative, descriptor):
                return
            for entry in self._entries(descriptor, path, trouble):
                try:
                    if entry.is_dir(follow_symlinks=False):
                        on_folder(relative / entry.name)
                    elif self.is_photo(entry.name) and (stamp := _stamp(entry)) is not None:
                        yield FileSnapshot(RootedPath(root, relative / entry.name), stamp)
                except OSError as error:
                    trouble.add(message_for(error, path / entry.name, "look at"))
        finally:
            os.close(descriptor)
        if trouble.count:
            self.unreadable.note(path, str(trouble))
        else:
            self.unreadable.clear(path)

    def _is_foreign(self, root: Path, relative: Path) -> bool:
        """Whether a folder that is not open belongs to another culld; one that cannot be opened does not."""
        try:
            with open_beneath.folder(root, relative) as descriptor:
                return self._is_left(root, relative, descriptor)
        except PhotoError:
            return False

    def _is_left(self, root: Path, relative: Path, descriptor: int) -> bool:
        """Whether an open folder below the root belongs to another culld; the log names it once."""
        path = root / relative
        why = self.claimed_by(path, descriptor) if relative.parts else ""
        if why and path not in self._left:
            advice = f"if no culld uses it any more, remove {display_path(path / ANCHOR)}"
            log.warning("%s %s; nothing in it is judged; %s", display_path(path), why, advice)
            self._left.add(path)
        return bool(why)

    def _entries(self, descriptor: int, path: Path, trouble: Trouble) -> Iterator[os.DirEntry[str]]:
        """The entries of an open folder, up to the first error of the folder itself, which `trouble` takes."""
        try:
            with self.listing(descriptor) as entries:
                yield from entries
        except OSError as error:
            trouble.add(message_for(error, path, "list"))


def _stamp(entry: os.DirEntry[str]) -> FileStat | None:
    """The stamp of a plain file; None for links, pipes, devices, and for what vanished since it was listed."""
    try:
        found = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
    return FileStat.of(found) if stat.S_ISREG(found.st_mode) else None
