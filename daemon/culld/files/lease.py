"""Leases: whether a program has a file open for writing, or opens it during a change.

A read lease (fcntl(2), F_SETLEASE) is granted only while no program on this machine has the file open, or mapped, for
writing. While it is held, an open for writing waits until the lease is given back, at most
/proc/sys/fs/lease-break-time seconds, and the kernel tells the holder. Some file systems know no leases, and only root
gets them for files of other owners: there nothing can be asked.
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
    """Whether a program has this file, open here for reading, open for writing; None if the kernel cannot tell."""
    granted = _take(descriptor)
    if granted:
        _give_back(descriptor)
    return None if granted is None else not granted


@dataclass(slots=True)
class Lease:
    """A read lease on an open file; `held` is False where the kernel grants none, and then no writer is seen."""

    path: Path
    descriptor: int
    held: bool

    def require_no_writer(self) -> None:
        """Raise PhotoChangedError if a program waits to open the file for writing."""
        if self.held and fcntl.fcntl(self.descriptor, fcntl.F_GETLEASE) != fcntl.F_RDLCK:
            raise written(self.path)

    def confirm(self) -> None:
        """Raise PhotoChangedError if a program waits, or has got in while the lease is given back and taken again."""
        self.require_no_writer()
        if self.held:
            _give_back(self.descriptor)
            self.held = _take(self.descriptor) is True
            if not self.held:
                raise written(self.path)


@contextmanager
def lease(descriptor: int, path: Path) -> Iterator[Lease]:
    """Hold a read lease on a file that is open for reading; a program that opens it for writing waits for the end.

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
    return PhotoChangedError(f"another program has {display_path(path)} open for writing; culld looks again later")


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

    File systems without leases and files of other owners cannot be asked about. A file that is gone, or that may not
    be read, is not written to.
    """
    try:
        with open_regular(place) as stream:
            return is_open_for_writing(stream.fileno())
    except PhotoError:
        return False
