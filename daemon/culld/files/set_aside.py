"""Recovery of files that a killed culld had set aside under hidden names, and of names that it had reserved."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from culld.errors import PhotoChangedError, PhotoError
from culld.files.lease import is_open_for_writing
from culld.files.open_beneath import (
    digest_of,
    exists,
    file_name,
    folder,
    folder_entries,
    names_below,
    open_folder,
    open_in,
    sync_folder,
)
from culld.files.os_errors import translate_errors
from culld.files.remove_own import remove_temporary
from culld.files.rename_noreplace import give_back, is_claim
from culld.files.temp_names import is_own_temp, name_of_aside, told_name
from culld.records import RootedPath, display_path

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Hidden:
    """The files of one folder with hidden names of culld's own: temporary files, and files that were set aside."""

    temporary: list[str] = field(default_factory=list)
    aside: list[RootedPath] = field(default_factory=list)

    def add(self, file: RootedPath) -> bool:
        """Add a file if its name is one of culld's own, and return whether it is."""
        if is_own_temp(file.relative.name):
            self.temporary.append(file.relative.name)
            return True
        is_aside = name_of_aside(file.relative.name) is not None
        self.aside += [file] if is_aside else []
        return is_aside

    def give_back(self, own: RootedPath, place: RootedPath, versions: Collection[frozenset[str]]) -> None:
        """Give a file that was set aside the name of `place` back, unless the file is gone."""
        self.aside.remove(own)
        if exists(own):
            _return(own, place, versions)


class Leftovers:
    """The files of killed culld processes, by folder: temporary files, and files that were set aside.

    A folder is listed at its first use, unless `walk` has listed it, and again whenever a file is missing at its own
    name: it may have been set aside since.
    """

    def __init__(self) -> None:
        """Nothing has been listed yet."""
        self._folders: dict[tuple[Path, Path], _Hidden] = {}

    def walk(self, root: Path) -> list[Path]:
        """List every folder below a root, and return the relative paths of the other plain files.

        No other culld may work in the root at the same time.
        """
        others: list[Path] = []
        for relative in names_below(root):
            hidden = self._folders.setdefault((root, relative.parent), _Hidden())
            others += [] if hidden.add(RootedPath(root, relative)) else [relative]
        return others

    def give_back(self, place: RootedPath, versions: Collection[frozenset[str]] = ()) -> None:
        """Give files that were set aside from a path their name back, or one with a suffix if that is taken.

        A file is unlinked only if the file at the path has the same bytes. Each of `versions` holds the digests before
        and after a rewrite whose edits the journal has: they count as the same bytes.
        Raises PhotoError.
        """
        name, relative = told_name(file_name(place)), place.relative.parent
        is_listed = (place.root, relative) in self._folders
        hidden = self._listed(place.root, relative)
        if is_listed and not exists(place):
            hidden.aside = _list(place.root, relative).aside
        for own in [own for own in hidden.aside if name_of_aside(own.relative.name) == name]:
            hidden.give_back(own, place, versions)

    def give_back_all(self, root: Path, suffix: str = "") -> list[RootedPath]:
        """Do the same for the listed files of a root whose own names end with `suffix`, and return their paths.

        A file that cannot get its name back stays where it is; the error is logged.
        """
        places = []
        for hidden in [each for (listed, _), each in self._folders.items() if listed == root]:
            for own in [own for own in hidden.aside if (name_of_aside(own.relative.name) or "").endswith(suffix)]:
                place = own.beside(name_of_aside(own.relative.name) or "")
                try:
                    hidden.give_back(own, place, ())
                    places.append(place)
                except PhotoError as error:
                    log.warning("%s", error)
        return places

    def remove_temporary(self, root: Path, relative: Path | None = None) -> None:
        """Remove the temporary files in a folder, or in all listed folders of a root if it is None.

        Raises PhotoBlockedError.
        """
        folders = [each for listed, each in self._folders if listed == root] if relative is None else [relative]
        for each in folders:
            hidden = self._listed(root, each)
            names, hidden.temporary = hidden.temporary, []
            if names:
                remove_temporary(root, each, names)

    def _listed(self, root: Path, relative: Path) -> _Hidden:
        if (root, relative) not in self._folders:
            self._folders[root, relative] = _list(root, relative)
        return self._folders[root, relative]


def return_aside(place: RootedPath, versions: Collection[frozenset[str]] = ()) -> None:
    """Call `Leftovers.give_back` for one path, with a new listing of its folder."""
    Leftovers().give_back(place, versions)


def is_reserved(place: RootedPath) -> bool:
    """Whether the file at a path only reserves the name, left by a killed culld (see `rename_noreplace`)."""
    try:
        with folder(place.root, place.relative.parent) as inside:
            return is_claim(inside, file_name(place))
    except PhotoChangedError:
        return False


def remove_claim(place: RootedPath, *, begun: bool = False) -> None:
    """Remove the reservation of a killed culld at a path, with `begun` also an incomplete one; other files stay."""
    try:
        with folder(place.root, place.relative.parent) as inside, translate_errors(place.path, "recover"):
            name = file_name(place)
            if is_claim(inside, name, begun=begun) and not _is_written(inside, place):
                os.unlink(name, dir_fd=inside)
    except PhotoChangedError:
        return


def _list(root: Path, relative: Path) -> _Hidden:
    found = _Hidden()
    try:
        inside = open_folder(root, relative)
    except PhotoChangedError:
        return found  # no folder, no files
    with folder_entries(inside) as entries, translate_errors(root / relative, "recover"):
        for entry in entries:
            if not is_own_temp(entry.name) or entry.is_file(follow_symlinks=False):
                found.add(RootedPath(root, relative / entry.name))
    return found


def _return(own: RootedPath, place: RootedPath, versions: Collection[frozenset[str]]) -> None:
    name = place.relative.name
    with folder(own.root, own.relative.parent) as inside, translate_errors(own.path, "recover"):
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
    except PhotoError:  # one of them is gone, or is not a plain file
        return False
    return len(both) == 1 or any(both <= version for version in versions)


def _is_written(inside: int, place: RootedPath) -> bool:
    try:
        with open_in(inside, place) as stream:
            return is_open_for_writing(stream.fileno()) is True
    except PhotoError:
        return False
