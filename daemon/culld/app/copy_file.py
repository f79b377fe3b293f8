"""The file of a repaired copy, written beside its photo: whole or not at all, and never in place of another file."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from typing import TYPE_CHECKING, Final

from culld.errors import PhotoChangedError, PhotoError
from culld.files import open_beneath
from culld.files.lease import is_open_elsewhere
from culld.files.os_errors import AdvisedError, NameTakenError, message_for, translate_errors
from culld.files.temp_names import is_own_temp
from culld.files.tempfile import temp_file
from culld.stages.watch.copies import head_of, is_marked
from culld.tags.names import copy_name

if TYPE_CHECKING:
    from culld.records import RootedPath

_NO_SPACE: Final = {
    errno.ENOSPC: "the disk is full; free some space",
    errno.EDQUOT: "the disk quota is used up; free some space or raise it",
}


def copy_place(photo: RootedPath) -> RootedPath:
    """Return the place of the repaired copy of a photo."""
    return photo.beside(copy_name(photo.relative.name))


def write_copy(place: RootedPath, data: bytes, photo: RootedPath, again: str = "culld tries again") -> None:
    """Write the copy of a photo to its place, durably, with the permissions of the photo.

    It gets its name when all its bytes are on the disk. Raises NameTakenError if that is taken, PhotoError if the file
    cannot be written; `again` is what the message about a full disk says of another try, as a clause.
    """
    mode = _mode_of(photo)
    try:
        with open_beneath.folder(place.root, place.relative.parent) as folder, temp_file(folder, mode=mode) as made:
            made.write(data)
            made.verify(hashlib.sha256(data).hexdigest())
            made.commit(place.relative.name)
    except FileExistsError as error:
        raise NameTakenError(taken(place)) from error
    except OSError as error:
        raise message_for(_advised(error, again), place.path, "write") from error


def _advised(error: OSError, again: str) -> OSError:
    advice = _NO_SPACE.get(error.errno or 0)
    return error if advice is None else AdvisedError(error, f"{advice}, then {again}")


def remove_left_copies(place: RootedPath) -> None:
    """Remove the unfinished files of copies that killed processes left in the folder of a copy.

    They are known by what culld writes into a copy; a file that a program still writes stays. Raises PhotoError.
    """
    try:
        inside = open_beneath.open_folder(place.root, place.relative.parent)
    except PhotoChangedError:
        return  # no folder, no files
    with open_beneath.folder_entries(inside) as entries, translate_errors(place.path.parent, "tidy up"):
        names = [each.name for each in entries if is_own_temp(each.name) and each.is_file(follow_symlinks=False)]
        for name in names:
            if is_marked(head_of(inside, name)) and is_open_elsewhere(place.beside(name)) is False:
                os.unlink(name, dir_fd=inside)


def taken(place: RootedPath) -> str:
    """Return the sentence about a copy that is there already."""
    return f"{place.relative.name} is there already; move it away to get a new copy"


def _mode_of(photo: RootedPath) -> int:
    """Return the permission bits of a photo, writable for its owner; those of a new file if it is gone."""
    try:
        with open_beneath.open_regular(photo) as stream:
            return stat.S_IMODE(os.fstat(stream.fileno()).st_mode) & 0o666 | 0o600
    except PhotoError:
        return 0o666
