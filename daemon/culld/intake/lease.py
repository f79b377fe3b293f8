"""Asks the kernel whether anybody holds a file open for writing."""

from __future__ import annotations

import errno
import fcntl
import signal
from typing import TYPE_CHECKING

from culld.disk.beneath import open_regular
from culld.errors import PhotoError

if TYPE_CHECKING:
    from culld.records import Place


def survive_lease_breaks() -> None:
    """Ignore SIGIO, which the kernel sends when a writer opens a file in the instant that its lease is held.

    Its default action would end the process. Call once, from the main thread, before `is_written`.
    """
    signal.signal(signal.SIGIO, signal.SIG_IGN)


def is_written(place: Place) -> bool | None:
    """Whether the file is open for writing, or mapped writable, anywhere on this machine; None if nobody can tell.

    A read lease is granted only while nobody does (fcntl(2), F_SETLEASE). File systems without leases and files of
    other owners cannot be asked about. A file that is gone, or that may not be read, is not written to.
    """
    try:
        with open_regular(place) as stream:
            return _lease_refused(stream.fileno())
    except PhotoError:
        return False


def _lease_refused(descriptor: int) -> bool | None:
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        return True if error.errno == errno.EAGAIN else None
    fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False
