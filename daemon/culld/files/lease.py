"""Leases, which detect that a program has a file open for writing, or opens it during a change.

A read lease (fcntl(2), F_SETLEASE) is granted only while no program on this machine has the file open, or mapped, for
writing. While it is held, an open for writing waits until the lease is given back, at most
/proc/sys/fs/lease-break-time seconds, and the kernel signals the holder. Some file systems have no leases, and only
root gets them for files of other owners; in these cases writers are not detected.
"""

from __future__ import annotations

import errno
import fcntl
import signal
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from culld.errors import PhotoChangedError, PhotoError
from culld.files.open_beneath import open_regular
from culld.records import display_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from culld.records import RootedPath


def is_open_for_writing(descriptor: int) -> bool | None:
    """Whether a program has a file open for writing, which is open here for reading; None if no lease is possible."""
    granted = _take(descriptor)
    if granted:
        _give_back(descriptor)
    return None if granted is None else not granted


@dataclass(slots=True)
class Lease:
    """A read lease on an open file; `held` is false where the kernel grants none, and then no writer is detected."""

    path: Path
    descriptor: int
    held: bool

    def require_no_writer(self) -> None:
        """Raise PhotoChangedError if a program waits to open the file for writing."""
        if self.held and fcntl.fcntl(self.descriptor, fcntl.F_GETLEASE) != fcntl.F_RDLCK:
            raise written(self.path)

    def confirm(self) -> None:
        """Raise PhotoChangedError if a program waits, or opens the file while the lease is released for a moment."""
        self.require_no_writer()
        if self.held:
            _give_back(self.descriptor)
            self.held = _take(self.descriptor) is True
            if not self.held:
                raise written(self.path)


@contextmanager
def lease(descriptor: int, path: Path) -> Iterator[Lease]:
    """Hold a read lease on a file that is open for reading; programs that open it for writing wait for the block's end.

    Raises PhotoChangedError if a program has the file open for writing already.
    """
    granted = _take(descriptor)
    if granted is False:
        raise written(path)
    found = Lease(path, descriptor, held=granted is True)
    try:
        yield found
    finally:
        if found.held:
            _give_back(descriptor)


def written(path: Path) -> PhotoChangedError:
    """Return the error for a file that another program has open for writing."""
    return PhotoChangedError(f"another program has {display_path(path)} open for writing; culld tries again later")


def _take(descriptor: int) -> bool | None:
    try:
        # The default signal of a lease break, SIGIO, ends a process that does not expect it; SIGURG is ignored.
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        return False if error.errno == errno.EAGAIN else None
    return True


def _give_back(descriptor: int) -> None:
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        if error.errno != errno.EAGAIN:  # the kernel took the lease away itself, after lease-break-time
            raise


def is_open_elsewhere(place: RootedPath) -> bool | None:
    """Whether the file is open for writing, or mapped writable, anywhere on this machine; None if that is unknown.

    It is unknown on file systems without leases and for files of other owners. A file that is gone, or that culld may
    not read, counts as not open.
    """
    try:
        with open_regular(place) as stream:
            return is_open_for_writing(stream.fileno())
    except PhotoError:
        return False
