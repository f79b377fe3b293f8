"""Opening files below a configured root: relative to open descriptors, never through a link below the root.

The root itself comes from the configuration and may be a link. Below it every component is opened with O_NOFOLLOW, so
that a folder which is replaced by a link cannot lead out of the root.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from culld.errors import PhotoBlockedError, PhotoChangedError, PhotoError
from culld.files.os_errors import message_for, translate_errors
from culld.records import FileStat, display_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from culld.records import RootedPath

log = logging.getLogger(__name__)

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# NONBLOCK and NOCTTY: a pipe or a terminal under a photo's name must neither block culld nor become its terminal.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_MAX_DEPTH = 100
_CHUNK = 1 << 20


def open_folder(root: Path, relative: Path, *, create: bool = False) -> int:
    """Return an open descriptor of the folder `relative` below `root`, for the caller to close.

    With `create` missing folders below the root are created, durably; the root itself is not, since a missing root
    mostly means a disk that is not mounted. Raises PhotoChangedError for a missing folder, otherwise PhotoBlockedError.
    """
    parts = _parts(relative)
    current = _open_root(root)
    try:
        for part in parts:
            below = _open_below(current, part, create=create)
            os.close(current)
            current = below
    except OSError as error:
        os.close(current)
        raise message_for(error, root / relative, "open the folder") from error
    return current


@contextmanager
def folder(root: Path, relative: Path, *, create: bool = False) -> Iterator[int]:
    """Open a folder as `open_folder` does, and close it at the end of the block."""
    descriptor = open_folder(root, relative, create=create)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def open_regular(place: RootedPath) -> BinaryIO:
    """Open the plain file at a path for reading.

    Raises PhotoChangedError if it is gone, PhotoBlockedError if it is not a plain file, or access is denied.
    """
    with folder(place.root, place.relative.parent) as inside:
        return open_in(inside, place)


def open_in(inside: int, place: RootedPath) -> BinaryIO:
    """Open a file as `open_regular` does, in a folder that is already open."""
    with translate_errors(place.path, "read"):
        descriptor = os.open(file_name(place), _FILE, dir_fd=inside)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise PhotoBlockedError(
            f"cannot read {display_path(place.path)}: it is not a plain file; culld skips folders, pipes and devices"
        )
    return os.fdopen(descriptor, "rb")


def digest_of(stream: BinaryIO) -> str:
    """Return the SHA-256, in hex, of the rest of the stream."""
    seen = hashlib.sha256()
    while data := stream.read(_CHUNK):
        seen.update(data)
    return seen.hexdigest()


def exists(place: RootedPath) -> bool:
    """Whether anything, also a dangling link, has this name; raises PhotoBlockedError if that cannot be checked."""
    return _lstat(place) is not None


def stamp_of(place: RootedPath) -> FileStat | None:
    """Return the stat of the plain file at a path; None if there is none."""
    found = _lstat(place)
    return FileStat.of(found) if found is not None and stat.S_ISREG(found.st_mode) else None


def names_below(root: Path) -> Iterator[Path]:
    """Yield the relative path of every plain file below a root; links are not followed.

    Folders that cannot be opened or listed are skipped, with a warning in the log.
    """
    waiting = [root.__class__()]
    while waiting:
        relative = waiting.pop()
        try:
            files, folders = _listed(root, relative)
        except PhotoError as error:
            log.warning("%s", error)
            continue
        yield from files
        if len(relative.parts) < _MAX_DEPTH:
            waiting.extend(folders)


def _listed(root: Path, relative: Path) -> tuple[list[Path], list[Path]]:
    """Return the plain files and the folders in a folder, by name; raises PhotoError if it cannot be read."""
    files: list[Path] = []
    folders: list[Path] = []
    with folder_entries(open_folder(root, relative)) as entries, translate_errors(root / relative, "list"):
        for entry in sorted(entries, key=lambda entry: os.fsencode(entry.name)):
            if entry.is_file(follow_symlinks=False):
                files.append(relative / entry.name)
            elif entry.is_dir(follow_symlinks=False):
                folders.append(relative / entry.name)
    return files, folders


@contextmanager
def folder_entries(descriptor: int) -> Iterator[Iterator[os.DirEntry[str]]]:
    """Iterate over the entries of an open folder; its descriptor is closed at the end of the block."""
    try:
        with os.scandir(descriptor) as entries:
            yield entries
    finally:
        os.close(descriptor)


def file_name(place: RootedPath) -> str:
    """Return the last component of a path; raises PhotoBlockedError for a path that is not below its root."""
    parts = _parts(place.relative)
    if not parts:
        raise PhotoBlockedError(f"{display_path(place.root)} is a configured folder, not a photo in it")
    return parts[-1]


def _parts(relative: Path) -> tuple[str, ...]:
    if relative.is_absolute() or ".." in relative.parts or "\0" in str(relative):
        raise PhotoBlockedError(
            f"{display_path(relative)} leads out of its configured folder; culld opens nothing there"
        )
    return relative.parts


def _open_root(root: Path) -> int:
    try:
        return os.open(root, _FOLDER)
    except FileNotFoundError as error:
        raise PhotoBlockedError(f"the folder {display_path(root)} is missing; mount its disk or create it") from error
    except OSError as error:
        raise message_for(error, root, "open the folder") from error


def _open_below(current: int, part: str, *, create: bool) -> int:
    try:
        return os.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=current)
    except FileNotFoundError:
        if not create:
            raise
    try:
        os.mkdir(part, dir_fd=current)
    except FileExistsError:
        pass  # another program has created it since
    else:
        sync_folder(current)
    return os.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=current)


def sync_folder(descriptor: int) -> None:
    """Make the names in an open folder durable; EINVAL of network file systems, which do so themselves, is ignored."""
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise


def _lstat(place: RootedPath) -> os.stat_result | None:
    name = file_name(place)
    try:
        with folder(place.root, place.relative.parent) as inside, translate_errors(place.path, "check"):
            return os.stat(name, dir_fd=inside, follow_symlinks=False)
    except PhotoChangedError:
        return None
