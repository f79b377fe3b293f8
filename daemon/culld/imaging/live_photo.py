"""The movie of a Live Photo, which is known by a key in its metadata."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from typing import BinaryIO

# Apple's phones write this key (QuickTime metadata) into the photo and the movie of a Live Photo.
_KEY: Final = b"com.apple.quicktime.content.identifier"
_MAX_BYTES: Final = 64 << 20  # such a movie lasts three seconds


def is_live_photo_movie(stream: BinaryIO) -> bool:
    """Return whether a file is the movie of a Live Photo; raises OSError."""
    if stream.seek(0, os.SEEK_END) > _MAX_BYTES:
        return False
    stream.seek(0)
    return _KEY in stream.read(_MAX_BYTES)
