"""Removing files that culld made (temporary files, records, sidecars, copies), and empty folders."""

from __future__ import annotations

import contextlib
import errno
import os
from functools import partial
from typing import TYPE_CHECKING

from culld.errors import PhotoChangedError
from culld.files.exchange import same_file
from culld.files.open_beneath import digest_of, file_name, folder, folder_entries, open_folder, open_in, sync_folder
from culld.files.os_errors import translate_errors
from culld.files.rename_noreplace import unlink_checked
from culld.files.temp_names import is_own_temp
from culld.records import display_path

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from culld.records import RootedPath

RECORD_SUFFIX = ".culld.json"
"""The suffix of the name of the record beside a quarantined photo."""

_SIDECAR_SUFFIX = ".xmp"
_COPY_SUFFIX = ".enhanced.jpg"
_NOT_EMPTY = {errno.ENOTEMPTY, errno.EEXIST, errno.EBUSY}


def remove_record(place: RootedPath, digest: str) -> None:
    """Unlink a record of culld's own whose bytes have this digest; raises PhotoChangedError for any other file."""
    _remove_own(place, digest, RECORD_SUFFIX, "record")


def remove_sidecar(place: RootedPath, digest: str) -> None:
    """Unlink a sidecar that culld made and that has this digest; raises PhotoChangedError for any other file."""
    _remove_own(place, digest, _SIDECAR_SUFFIX, "sidecar")


def remove_copy(place: RootedPath, digest: str) -> None:
    """Unlink a repaired copy that culld wrote and that has this digest; raises PhotoChangedError for any other file."""
    _remove_own(place, digest, _COPY_SUFFIX, "copy")


def _remove_own(place: RootedPath, digest: str, suffix: str, what: str) -> None:
    name = file_name(place)
    with folder(place.root, place.relative.parent) as inside, translate_errors(place.path, "remove"):
        with open_in(inside, place) as stream:
            genuine = digest_of(stream) == digest
            read = os.fstat(stream.fileno())
        removed = genuine and name.endswith(suffix) and unlink_checked(inside, name, partial(same_file, judged=read))
        if not removed:
            raise PhotoChangedError(f"{display_path(place.path)} is not the {what} that culld wrote; it is kept")
        sync_folder(inside)


def remove_leftovers(root: Path, relative: Path) -> int:
    """Remove the temporary files that a killed culld left in a folder, and return how many there were."""
    try:
        inside = open_folder(root, relative)
    except PhotoChangedError:
        return 0  # no folder, no leftovers
    with folder_entries(inside) as entries, translate_errors(root / relative, "remove the temporary files in"):
        names = [entry.name for entry in entries if is_own_temp(entry.name) and entry.is_file(follow_symlinks=False)]
        for name in names:
            os.unlink(name, dir_fd=inside)
    return len(names)


def remove_temporary(root: Path, relative: Path, names: Iterable[str]) -> None:
    """Remove the temporary files with these names in a folder; one that is gone is no error."""
    with folder(root, relative) as inside, translate_errors(root / relative, "remove the temporary files in"):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name, dir_fd=inside)


def remove_empty_folders(root: Path, relative: Path) -> None:
    """Remove a folder and the folders above it as long as they are empty; the root is never removed."""
    while relative.parts:
        with folder(root, relative.parent) as inside:
            try:
                os.rmdir(relative.name, dir_fd=inside)
            except OSError as error:
                if error.errno in _NOT_EMPTY:
                    return
                with translate_errors(root / relative, "remove the empty folder"):
                    raise
        relative = relative.parent
