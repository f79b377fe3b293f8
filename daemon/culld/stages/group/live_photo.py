"""Whether a movie is the moving half of a photo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from culld.errors import PhotoError
from culld.files.lease import is_open_elsewhere
from culld.files.open_beneath import open_regular

if TYPE_CHECKING:
    from culld.records import RootedPath

# Apple's phones write it into both halves, to find them again (QuickTime metadata keys).
_KEY: Final = b"com.apple.quicktime.content.identifier"
_MAX_BYTES: Final = 64 << 20  # they last three seconds


def is_live_photo_video(place: RootedPath) -> bool:
    """Whether this file is the complete movie of a Live Photo; its bytes are searched, not understood."""
    try:
        with open_regular(place) as stream:
            data = stream.read(_MAX_BYTES + 1)
    except (PhotoError, OSError):  # the disk may fail after the file was opened
        return False
    return len(data) <= _MAX_BYTES and _KEY in data and not is_open_elsewhere(place)
