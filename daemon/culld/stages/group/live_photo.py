"""Detection of the movie of a Live Photo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from culld.errors import PhotoError
from culld.files.lease import is_open_elsewhere
from culld.files.open_beneath import open_regular

if TYPE_CHECKING:
    from culld.records import RootedPath

# Apple's phones write this key (QuickTime metadata) into the photo and the movie of a Live Photo.
_KEY: Final = b"com.apple.quicktime.content.identifier"
_MAX_BYTES: Final = 64 << 20  # such a movie lasts three seconds


def is_live_photo_video(place: RootedPath) -> bool:
    """Return whether a file is the complete movie of a Live Photo: it contains the key, and no program writes to it."""
    try:
        with open_regular(place) as stream:
            data = stream.read(_MAX_BYTES + 1)
    except (PhotoError, OSError):  # the disk may fail after the file was opened
        return False
    return len(data) <= _MAX_BYTES and _KEY in data and not is_open_elsewhere(place)
