"""Opening the file of a photo for reading: by its configured root, through no link, and only plain files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, BinaryIO

from culld.files.open_beneath import open_regular
from culld.imaging.formats import HEAD_BYTES, recognise
from culld.records import FileStat

if TYPE_CHECKING:
    from culld.records import Format, RootedPath


def open_original(place: RootedPath) -> tuple[BinaryIO, Format, FileStat]:
    """Return the open file, its format by its first bytes, and its stamp; raises PhotoError."""
    stream = open_regular(place)
    head = os.pread(stream.fileno(), HEAD_BYTES, 0)
    return stream, recognise(head, place.relative.name), FileStat.of(os.fstat(stream.fileno()))
