"""The folder of wishes: each file is read as foreign input, stored in the journal, then removed.

A file that is no wish is renamed to `NAME.bad`, with a line in the log, and never read again.
"""

from __future__ import annotations

import errno
import logging
import os
import stat
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from culld.app.wishes.wish_file import MOST_BYTES, PART_SUFFIX, SUFFIX, is_wish_id, wish_of
from culld.errors import BadWishError
from culld.records import WISH_FOLDER, display_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from culld.journal.store import SqliteJournal
    from culld.ports import Clock
    from culld.records import Wish

log = logging.getLogger(__name__)

BAD_SUFFIX: Final = ".bad"
MOST_BAD: Final = 20
"""The number of bad files that are kept; older ones are removed."""
MOST_AT_ONCE: Final = 64
"""The number of files that are read between two steps of the loop."""
_NOT_READABLE: Final = {errno.ELOOP, errno.ENXIO, errno.EACCES}
"""A link, a socket, a file without the right to read it."""
_PART_AGE_S: Final = 3600.0
_OPEN: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_OPEN_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class WishFolder:
    """The folder of wishes in the state folder; it is created if it is missing, and its rights are not changed."""

    state: Path
    journal: SqliteJournal
    clock: Clock
    _stuck: set[str] = field(default_factory=set)

    @property
    def path(self) -> Path:
        """The folder."""
        return self.state / WISH_FOLDER

    def take(self) -> bool:
        """Take waiting wishes, those first that were written first; return whether more wait.

        A folder that cannot be used is logged. Raises SystemFaultError if the journal cannot be written.
        """
        try:
            with self._opened() as inside:
                return self._take(inside)
        except OSError as error:
            self._warn_once(f"no wishes can be taken from {display_path(self.path)}: {error.strerror}")
            return False

    def create(self) -> None:
        """Create the folder if it is missing; an error is logged when wishes are taken."""
        with suppress(OSError):
            self.path.mkdir(0o750, exist_ok=True)

    @contextmanager
    def _opened(self) -> Iterator[int]:
        self.create()
        inside = os.open(self.path, _OPEN_FOLDER)
        try:
            yield inside
        finally:
            os.close(inside)

    def _take(self, inside: int) -> bool:
        waiting: list[tuple[int, str]] = []
        with os.scandir(inside) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    written = entry.stat(follow_symlinks=False).st_mtime_ns
                    if entry.name.endswith(PART_SUFFIX) and entry.name.startswith("."):
                        self._remove_old(inside, entry.name, written)
                    elif entry.name.endswith(SUFFIX) and entry.name not in self._stuck:
                        waiting.append((written, entry.name))
        for _, name in sorted(waiting)[:MOST_AT_ONCE]:
            self._take_one(inside, name)
        return len(waiting) > MOST_AT_ONCE

    def _take_one(self, inside: int, name: str) -> None:
        try:
            self.journal.take_wish(_wish(inside, name))
        except OSError as error:
            if not isinstance(error, FileNotFoundError):  # of the disk or the system: the wish is not judged by it
                self._warn_once(f"{display_path(self.path / name)} cannot be read now: {error.strerror}")
        except BadWishError as error:
            self._set_aside(inside, name, str(error))
        else:
            self._remove(inside, name)

    def _warn_once(self, text: str) -> None:
        if text not in self._stuck:
            self._stuck.add(text)
            log.warning("%s", text)

    def _remove(self, inside: int, name: str) -> None:
        try:
            os.unlink(name, dir_fd=inside)
        except FileNotFoundError:
            return
        except OSError as error:  # the wish is known by its id, so that it is not carried out twice
            self._stuck.add(name)
            log.warning("%s cannot be removed: %s", display_path(self.path / name), error.strerror)

    def _set_aside(self, inside: int, name: str, why: str) -> None:
        """Rename a file that is no wish, so that it is not read again, and remove the oldest of such files."""
        log.warning("%s is not taken: %s", display_path(self.path / name), why)
        try:
            os.rename(name, name[: 255 - len(BAD_SUFFIX)] + BAD_SUFFIX, src_dir_fd=inside, dst_dir_fd=inside)
        except OSError as error:
            self._stuck.add(name)
            log.warning("%s cannot be renamed: %s", display_path(self.path / name), error.strerror)
        _remove_oldest(inside)

    def _remove_old(self, inside: int, name: str, written: int) -> None:
        if self.clock.now().timestamp() - written / 1e9 > _PART_AGE_S:
            self._remove(inside, name)


def _wish(inside: int, name: str) -> Wish:
    wish = wish_of(_content(inside, name))
    if wish.id + SUFFIX != name:
        raise BadWishError("Its name is not its id.")
    return wish


def _content(inside: int, name: str) -> bytes:
    """Return the bytes of the file of a wish; raises BadWishError for one that no wish may have, and OSError."""
    if not is_wish_id(name.removesuffix(SUFFIX)):
        raise BadWishError("Its name is not a UUID.")
    try:
        descriptor = os.open(name, _OPEN, dir_fd=inside)
    except OSError as error:
        if error.errno not in _NOT_READABLE:
            raise
        raise BadWishError(f"It cannot be read ({error.strerror}).") from error
    try:
        _require_ordinary(os.fstat(descriptor), os.fstat(inside).st_uid)
        with os.fdopen(descriptor, "rb", closefd=False) as stream:
            return stream.read(MOST_BYTES + 1)
    finally:
        os.close(descriptor)


def _require_ordinary(found: os.stat_result, owner: int) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise BadWishError("It is not a plain file.")
    if found.st_uid not in {os.geteuid(), owner}:
        raise BadWishError("It belongs neither to the user of culld nor to the owner of the folder.")
    if found.st_size > MOST_BYTES:
        raise BadWishError(f"It is larger than {MOST_BYTES} bytes.")


def _remove_oldest(inside: int) -> None:
    bad: list[tuple[int, str]] = []
    with os.scandir(inside) as entries:
        for entry in entries:
            if entry.name.endswith(BAD_SUFFIX):
                with suppress(FileNotFoundError):
                    bad.append((entry.stat(follow_symlinks=False).st_ctime_ns, entry.name))
    for _, name in sorted(bad)[:-MOST_BAD]:
        with suppress(OSError):  # a folder stays
            os.unlink(name, dir_fd=inside)
