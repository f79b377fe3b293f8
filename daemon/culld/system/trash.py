"""The trash of the desktop, by the freedesktop specification; the only module that imports Send2Trash."""

from __future__ import annotations

from typing import TYPE_CHECKING

from culld.errors import PhotoError
from culld.records import display_path

if TYPE_CHECKING:
    from pathlib import Path


def to_trash(file: Path) -> None:
    """Put a file into the trash of its disk, or of the user; raises PhotoError if there is no trash for it."""
    from send2trash import send2trash  # noqa: PLC0415 (it loads GLib where that is installed)

    try:
        send2trash(file)
    except OSError as error:  # also TrashPermissionError: a disk of its own that lets nobody make a trash there
        raise PhotoError(f"{display_path(file)} cannot be put into the trash: {error.strerror or error}") from error
