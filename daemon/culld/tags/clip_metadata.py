"""The part of a clip that can hold metadata: all but the pictures and the sound, so that its size has a limit."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from culld.tags.containers.isobmff import boxes

if TYPE_CHECKING:
    from typing import BinaryIO

_NO_METADATA: Final = frozenset({b"mdat", b"free", b"skip", b"wide", b"moof", b"mfra", b"sidx"})
_MOST_OF_BOX: Final = 16 << 20
_MOST: Final = 64 << 20
_END_BYTES: Final = 1 << 20


def metadata_part(stream: BinaryIO) -> bytes:
    """Return the bytes of a clip that XMP is searched in, 64 MiB at most; raises OSError.

    Of MP4 and MOV these are the boxes besides the media data, wherever they are; of other containers the beginning and
    the end, since their tags are in one of them.
    """
    size = stream.seek(0, os.SEEK_END)
    stream.seek(4)
    if stream.read(4) in {b"ftyp", b"moov", b"mdat", b"wide"}:
        return _beside_media(stream, size)
    stream.seek(0)
    head = stream.read(_END_BYTES)
    stream.seek(max(len(head), size - _END_BYTES))
    return head + stream.read(_END_BYTES)


def _beside_media(stream: BinaryIO, size: int) -> bytes:
    found: list[bytes] = []
    held = 0
    for box in list(boxes(stream, size)):
        length = min(box.end, size) - box.start
        if box.kind in _NO_METADATA or length > _MOST_OF_BOX or held + length > _MOST:
            continue
        stream.seek(box.start)
        found.append(stream.read(length))
        held += length
    return b"".join(found)
