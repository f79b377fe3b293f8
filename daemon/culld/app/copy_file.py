"""The file of a repaired copy, written beside its photo: whole or not at all, and never in place of another file."""

from __future__ import annotations

import hashlib
import os
import stat
from typing import TYPE_CHECKING

from culld.files import open_beneath
from culld.files.os_errors import NameTakenError, message_for
from culld.files.tempfile import temp_file
from culld.tags.names import copy_name

if TYPE_CHECKING:
    from culld.records import RootedPath


def copy_place(photo: RootedPath) -> RootedPath:
    """Return the place of the repaired copy of a photo."""
    return photo.beside(copy_name(photo.relative.name))


def write_copy(photo: RootedPath, data: bytes) -> RootedPath:
    """Write the copy of a photo beside it, durably, with the permissions of the photo; return its place.

    It gets its name when all its bytes are on the disk. Raises NameTakenError if that is taken, PhotoError if the file
    cannot be written.
    """
    place = copy_place(photo)
    try:
        with open_beneath.folder(place.root, place.relative.parent) as folder:
            mode = _mode_of(folder, photo.relative.name)
            with temp_file(folder, mode=mode) as made:
                made.write(data)
                made.verify(hashlib.sha256(data).hexdigest())
                made.commit(place.relative.name)
    except FileExistsError as error:
        raise NameTakenError(taken(place)) from error
    except OSError as error:
        raise message_for(error, place.path, "write") from error
    return place


def taken(place: RootedPath) -> str:
    """Return the sentence about a copy that is there already."""
    return f"{place.relative.name} is there already; move it away to get a new copy"


def _mode_of(folder: int, name: str) -> int:
    """Return the permission bits of a photo, writable for its owner; those of a new file if it is gone."""
    try:
        return stat.S_IMODE(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode) & 0o666 | 0o600
    except FileNotFoundError:
        return 0o666
