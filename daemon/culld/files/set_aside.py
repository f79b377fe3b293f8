"""Recovery of files that a killed culld had set aside under hidden names, and of names that it had reserved."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from culld.errors import PhotoChangedError, PhotoError
from culld.files.lease import is_open_for_writing
from culld.files.open_beneath import (
    digest_of,
    file_name,
    folder,
    folder_entries,
    names_below,
    open_folder,
    open_in,
    sync_folder,
)
from culld.files.os_errors import translate_errors
from culld.files.remove_own import remove_leftovers
from culld.files.rename_noreplace import give_back, is_claim
from culld.files.temp_names import is_own_temp, name_of_aside, told_name
from culld.records import RootedPath, display_path

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

log = logging.getLogger(__name__)


def return_aside(place: RootedPath, versions: Collection[frozenset[str]] = ()) -> None:
    """Give files that were set aside from a place their name back, or a visible one beside it if that is taken.

    Only a file whose bytes are at the place as well is unlinked. `versions` are digests of which culld can make one
    out of the other (before and after a rewrite, whose edits the journal has): they count as the same bytes. Raises
    PhotoError.
    """
    name = told_name(file_name(place))
    for own in _set_aside(place.root, place.relative.parent):
        if name_of_aside(own.relative.name) == name:
            _return(own, place, versions)


def return_all(root: Path, suffix: str = "") -> None:
    """Do the same for every file below a root whose name ends with `suffix`, and remove temporary files.

    No other culld may work in the root meanwhile.
    """
    own = [path for path in names_below(root) if is_own_temp(path.name) or name_of_aside(path.name) is not None]
    for relative in {path.parent for path in own}:
        remove_leftovers(root, relative)
        for aside in _set_aside(root, relative):
            name = name_of_aside(aside.relative.name) or ""
            if name.endswith(suffix):
                _return(aside, aside.beside(name), ())


def is_reserved(place: RootedPath) -> bool:
    """Whether nothing is at a place but the reservation of a killed culld (see `rename_noreplace`)."""
    try:
        with folder(place.root, place.relative.parent) as inside:
            return is_claim(inside, file_name(place))
    except PhotoChangedError:
        return False


def remove_claim(place: RootedPath, *, begun: bool = False) -> None:
    """Remove the reservation of a killed culld at a place, with `begun` also an empty one; any other file stays."""
    try:
        with folder(place.root, place.relative.parent) as inside, translate_errors(place.path, "tidy"):
            name = file_name(place)
            if is_claim(inside, name, begun=begun) and not _is_written(inside, place):
                os.unlink(name, dir_fd=inside)
    except PhotoChangedError:
        return


def _set_aside(root: Path, relative: Path) -> list[RootedPath]:
    try:
        inside = open_folder(root, relative)
    except PhotoChangedError:
        return []  # no folder, no files
    with folder_entries(inside) as entries, translate_errors(root / relative, "tidy"):
        return [RootedPath(root, relative / entry.name) for entry in entries if name_of_aside(entry.name) is not None]


def _return(own: RootedPath, place: RootedPath, versions: Collection[frozenset[str]]) -> None:
    name = place.relative.name
    with folder(own.root, own.relative.parent) as inside, translate_errors(own.path, "tidy"):
        if is_claim(inside, name):
            os.unlink(name, dir_fd=inside)
        if _is_redundant(inside, own, place, versions):
            os.unlink(own.relative.name, dir_fd=inside)
        else:
            given = give_back(inside, own.relative.name, name)
            log.info("%s has its name back after an interruption", display_path(place.beside(given).path))
        sync_folder(inside)


def _is_redundant(inside: int, own: RootedPath, place: RootedPath, versions: Collection[frozenset[str]]) -> bool:
    if _is_written(inside, own):
        return False
    try:
        with open_in(inside, own) as aside, open_in(inside, place) as named:
            both = frozenset({digest_of(aside), digest_of(named)})
    except PhotoError:  # one of them is gone, or is no plain file
        return False
    return len(both) == 1 or any(both <= version for version in versions)


def _is_written(inside: int, place: RootedPath) -> bool:
    try:
        with open_in(inside, place) as stream:
            return is_open_for_writing(stream.fileno()) is True
    except PhotoError:
        return False
