"""The trash of the desktop, by the freedesktop specification; the only module that imports Send2Trash."""

from __future__ import annotations

from typing import TYPE_CHECKING

from culld.errors import PhotoError
from culld.records import display_path

if TYPE_CHECKING:
    from pathlib import Path


def to_trash(file: Path) -> None:
    """Move a file to the trash of its disk or of the user; raises PhotoError if that is not possible."""
    from send2trash import send2trash  # noqa: PLC0415 (it loads GLib where that is installed)

    try:
        send2trash(file)
    except OSError as error:  # also TrashPermissionError: no trash folder can be created on the disk of the file
        raise PhotoError(f"{display_path(file)} cannot be moved to the trash: {error.strerror or error}") from error
