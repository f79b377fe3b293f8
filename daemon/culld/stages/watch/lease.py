"""Asks the kernel whether a program holds a file open for writing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from culld.errors import PhotoError
from culld.files.lease import is_open_for_writing
from culld.files.open_beneath import open_regular

if TYPE_CHECKING:
    from culld.records import RootedPath


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
