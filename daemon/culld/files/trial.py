"""Trials, with hidden files in real folders, of the changes that culld makes to photos there."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from culld.files.lease import is_open_for_writing
from culld.files.move import move_file
from culld.files.open_beneath import file_name, folder, open_regular
from culld.files.os_errors import translate_errors
from culld.files.rename_noreplace import exchanges, way_of
from culld.files.rewrite import rewrite_file
from culld.files.temp_names import temp_name
from culld.records import Edit, Move, Rewrite, RootedPath

if TYPE_CHECKING:
    from culld.files.rename_noreplace import Way


@dataclass(frozen=True, slots=True)
class FolderAbilities:
    """The abilities of a folder's file system: how it renames, whether it exchanges names, whether it grants leases."""

    way: Way
    exchanges: bool
    leases: bool


def try_folder(root: Path) -> FolderAbilities:
    """Rewrite and rename a trial file in a folder, and remove it; raises PhotoError if that fails."""
    place = RootedPath(root, Path(temp_name()))
    try:
        _write_twice(place)
        with open_regular(place) as stream:
            leases = is_open_for_writing(stream.fileno()) is not None
        with folder(root, Path()) as inside, translate_errors(root, "rename a file in"):
            return FolderAbilities(way_of(inside), exchanges(inside), leases)
    finally:
        _remove(place)


def try_move(root: Path, quarantine: Path) -> bool:
    """Move a trial file from a root to the quarantine, and remove it; return whether it was renamed, not copied.

    Raises PhotoError if that fails.
    """
    source, target = RootedPath(root, Path(temp_name())), RootedPath(quarantine, Path(temp_name()))
    try:
        before = _write_twice(source)
        return move_file(Move(source, target, hashlib.sha256(_SECOND).hexdigest())).device == before
    finally:
        _remove(source)
        _remove(target)


_FIRST, _SECOND = b"culld tries this folder", b"culld tries this folder again"


def _write_twice(place: RootedPath) -> int:
    """Create a file and rewrite it; return its device number."""
    first, second = (hashlib.sha256(data).hexdigest() for data in (_FIRST, _SECOND))
    rewrite_file(Rewrite(place, None, first, (Edit(0, b"", _FIRST),)))
    return rewrite_file(Rewrite(place, first, second, (Edit(len(_FIRST), b"", _SECOND[len(_FIRST) :]),))).device


def _remove(place: RootedPath) -> None:
    with folder(place.root, Path()) as inside, translate_errors(place.path, "remove"), suppress(FileNotFoundError):
        os.unlink(file_name(place), dir_fd=inside)
