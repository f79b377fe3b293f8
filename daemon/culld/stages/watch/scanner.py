"""The scanner, which finds the photos in the watched folders.

It opens each folder relative to an open descriptor and follows no link, so it finds no file outside a root.
"""

from __future__ import annotations

import logging
import os
import re
import stat
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from culld.errors import PhotoChangedError, PhotoError
from culld.files import open_beneath
from culld.files.mount_guard import ANCHOR
from culld.files.open_beneath import open_folder, stamp_of
from culld.files.os_errors import message_for
from culld.records import FileSnapshot, FileStat, RootedPath, display_path
from culld.stages.watch.clips import without_photo
from culld.stages.watch.copies import Copies
from culld.stages.watch.passed_over import PassedOver
from culld.stages.watch.roots import Failures, UnreadableFolders
from culld.tags.names import stem_of_parent

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from contextlib import AbstractContextManager

    Listing = Callable[[int], AbstractContextManager[Iterator[os.DirEntry[str]]]]

log = logging.getLogger(__name__)

MAX_DEPTH = 100
"""Folders deeper than this are skipped: a photo library is not so deep, but a loop of mounts is."""

# Names of unfinished and hidden files of other programs: browsers, rsync, Syncthing, NFS, SFTP clients.
_UNFINISHED = re.compile(
    r"\.(part|partial|crdownload|download|filepart|tmp|temp|!ut|aria2|swp)$|~$|^\.|^@eaDir$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Scanner:
    """Finds the photos below root folders; `wanted` holds the extensions of photos, in lower case, with dot.

    Folders in `excluded` (the quarantine, the state) are skipped wherever they are. A folder or an entry that cannot
    be read is noted in `unreadable`, and the scan goes on; `listing` lists an open folder, and may raise OSError.
    `claimed_by` returns for a folder below a root, given its path and its open descriptor, why it belongs to another
    culld, or an empty text. Repaired copies of photos are passed over. `clips` returns the extensions of the clips that
    are wanted in a root; those that belong to a photo beside them are passed over. Files with an extension in `others`
    are counted in `passed_over`.
    """

    wanted: Collection[str]
    excluded: frozenset[Path] = frozenset()
    unreadable: UnreadableFolders = field(default_factory=UnreadableFolders)
    listing: Listing = os.scandir
    claimed_by: Callable[[Path, int], str] = lambda _path, _descriptor: ""
    clips: Callable[[Path], Collection[str]] = lambda _root: ()
    others: Collection[str] = ()
    passed_over: PassedOver = field(default_factory=PassedOver)
    _foreign: set[Path] = field(default_factory=set)
    _copies: Copies = field(default_factory=Copies)

    def scan(self, root: Path, folder: Path | None = None, *, deep: bool = True) -> Iterator[FileSnapshot]:
        """Yield every photo in `folder` (the root if None), and below it if `deep`; a missing folder holds none."""
        waiting = [Path() if folder is None else folder.relative_to(root)]
        if any(self._is_foreign(root, above) for above in waiting[0].parents):
            return
        stale = self.unreadable.below(root / waiting[0]) if deep else set()
        while waiting:
            relative = waiting.pop()
            if self._is_skipped(root, relative):
                continue
            stale.discard(root / relative)
            folders: list[Path] = []
            yield from self._files(root, relative, folders.append)
            if deep:
                waiting.extend(folders)
        self.unreadable.forget(stale)

    def find(self, place: RootedPath) -> FileSnapshot | None:
        """Return the snapshot of one file; None if it is gone, not a plain file, or unreadable (see `unreadable`)."""
        try:
            stamp = stamp_of(place)
        except PhotoError as error:
            self.unreadable.note(place.path.parent, str(error))
            return None
        return None if stamp is None else FileSnapshot(place, stamp)

    def is_copy(self, place: RootedPath) -> bool:
        """Whether a file is a repaired copy that culld made; False if its folder cannot be read."""
        name = place.relative.name
        if stem_of_parent(name) is None or (found := self.find(place)) is None:
            return False
        try:
            with open_beneath.folder(place.root, place.relative.parent) as descriptor:
                with self.listing(descriptor) as entries:
                    names = [entry.name for entry in entries]
                return bool(self._copies.among([(name, found.stamp)], names, descriptor))
        except (PhotoError, OSError):
            return False

    def is_photo(self, name: str) -> bool:
        """Whether a file of this name is a photo, and not one that another program still writes."""
        return _is_named(name, self.wanted)

    def is_photos_clip(self, place: RootedPath) -> bool:
        """Whether a clip belongs to a photo that is beside it now; False if its folder cannot be read."""
        if (found := self.find(place)) is None:
            return False
        try:
            with (
                open_beneath.folder(place.root, place.relative.parent) as descriptor,
                self.listing(descriptor) as entries,
            ):
                return not without_photo([found], (entry.name for entry in entries))
        except (PhotoError, OSError):
            return False

    def _is_skipped(self, root: Path, folder: Path) -> bool:
        """Whether this folder is skipped; an event may name a folder at any depth."""
        on_path = {root / folder, *(root / folder).parents}
        hidden = any(map(is_unfinished, folder.parts))
        return hidden or len(folder.parts) > MAX_DEPTH or not on_path.isdisjoint(self.excluded)

    def _files(self, root: Path, relative: Path, on_folder: Callable[[Path], None]) -> Iterator[FileSnapshot]:
        path, failures, later = root / relative, Failures(), _Later()
        try:
            descriptor = open_folder(root, relative)
        except PhotoChangedError:  # it was removed since the folder above it was listed
            self.unreadable.clear(path)
            return
        except PhotoError as error:
            self.unreadable.note(path, str(error))
            return
        try:
            if self._is_claimed(root, relative, descriptor):
                return
            for entry in self._entries(descriptor, path, failures):
                try:
                    if entry.is_dir(follow_symlinks=False):
                        on_folder(relative / entry.name)
                    elif (found := self._found(entry, RootedPath(root, relative / entry.name), later)) is not None:
                        yield found
                except OSError as error:
                    failures.add(message_for(error, path / entry.name, "check"))
            if later.possible or later.clips:
                names = [entry.name for entry in self._entries(descriptor, path, failures)]
                yield from self._no_copies(later.possible, descriptor, names)
                yield from without_photo(later.clips, names)
        finally:
            os.close(descriptor)
            self.passed_over.note(path, later.others)
        if failures.count:
            self.unreadable.note(path, str(failures))
        else:
            self.unreadable.clear(path)

    def _found(self, entry: os.DirEntry[str], place: RootedPath, later: _Later) -> FileSnapshot | None:
        """Return the snapshot of a photo; None for another file, and for one that was added to `later`."""
        if _is_named(entry.name, self.others):
            later.others[_extension(entry.name)] += 1
            return None
        is_photo = self.is_photo(entry.name)
        if not is_photo and not _is_named(entry.name, self.clips(place.root)):
            return None
        stamp = _stamp(entry)
        if stamp is None:
            return None
        found = FileSnapshot(place, stamp)
        if is_photo and stem_of_parent(entry.name) is None:
            return found
        (later.possible if is_photo else later.clips).append(found)
        return None

    def _no_copies(
        self, possible: Sequence[FileSnapshot], descriptor: int, names: Sequence[str]
    ) -> Iterator[FileSnapshot]:
        """Yield those of the files with the name of a copy that are photos; `names` are all in the folder."""
        if not possible:
            return
        copies = self._copies.among(((each.place.relative.name, each.stamp) for each in possible), names, descriptor)
        yield from (each for each in possible if each.place.relative.name not in copies)

    def _is_foreign(self, root: Path, relative: Path) -> bool:
        """Whether a folder that is not open belongs to another culld; one that cannot be opened does not."""
        try:
            with open_beneath.folder(root, relative) as descriptor:
                return self._is_claimed(root, relative, descriptor)
        except PhotoError:
            return False

    def _is_claimed(self, root: Path, relative: Path, descriptor: int) -> bool:
        """Whether an open folder below the root belongs to another culld; the log names it once."""
        path = root / relative
        why = self.claimed_by(path, descriptor) if relative.parts else ""
        if why and path not in self._foreign:
            advice = f"if no culld uses it any more, remove {display_path(path / ANCHOR)}"
            log.warning("%s %s; no photo in it is judged; %s", display_path(path), why, advice)
            self._foreign.add(path)
        return bool(why)

    def _entries(self, descriptor: int, path: Path, failures: Failures) -> Iterator[os.DirEntry[str]]:
        """Yield the entries of an open folder up to its first error, which is added to `failures`."""
        try:
            with self.listing(descriptor) as entries:
                yield from entries
        except OSError as error:
            failures.add(message_for(error, path, "list"))


@dataclass(slots=True)
class _Later:
    """Files of a folder that are told apart when all its names are known: possible copies of photos, and clips.

    `others` counts the pictures that culld does not read, by extension.
    """

    possible: list[FileSnapshot] = field(default_factory=list)
    clips: list[FileSnapshot] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)


def is_unfinished(name: str) -> bool:
    """Whether a file or folder of this name is hidden, or one that another program still writes."""
    return _UNFINISHED.search(name) is not None


def _is_named(name: str, extensions: Collection[str]) -> bool:
    """Whether a name has one of the extensions, and is not that of a file which another program still writes."""
    return _extension(name) in extensions and not is_unfinished(name)


def _extension(name: str) -> str:
    return name[name.rfind(".") :].lower()


def _stamp(entry: os.DirEntry[str]) -> FileStat | None:
    """Return the stat of a plain file; None for links, pipes, devices, and for files removed since the listing."""
    try:
        found = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
    return FileStat.of(found) if stat.S_ISREG(found.st_mode) else None
