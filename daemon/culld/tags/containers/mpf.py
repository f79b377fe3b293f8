"""The index of the pictures in one JPEG file (CIPA DC-007, Multi-Picture Format)."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, BinaryIO, Final

from culld.tags.containers.ifd import Ifds
from culld.tags.containers.jpeg import MPF_HEAD, picture_end, segment_data

if TYPE_CHECKING:
    from culld.tags.containers.jpeg import Segment

_MP_ENTRIES: Final = 0xB002
_MP_ENTRY_BYTES: Final = 16


def pictures_end(stream: BinaryIO, size: int, segment: Segment) -> int:
    """Return where the pictures end that an APP2 segment lists; 0 if it holds no index. Raises OSError.

    Only the last one counts, since none reaches into the next. Pillow (seen up to 12.3) lists wrong sizes from the
    third picture on, so the size does not count where the last picture ends exactly where the file does.
    """
    pictures = _listed(segment_data(stream, segment), segment.body + len(MPF_HEAD))
    start, length = max(pictures, default=(0, 0))
    is_whole = start < size < start + length and picture_end(stream, start) == size
    return size if is_whole else start + length


def _listed(data: bytes, base: int) -> list[tuple[int, int]]:
    """The start and the length of each picture of an index whose TIFF head stands at `base` (5.2.2.2 and 5.2.3).

    Offsets count from there, but that of the first picture, which is the file's start, is 0.
    """
    index = io.BytesIO(data[len(MPF_HEAD) :])
    ifds = Ifds.of(index, len(data) - len(MPF_HEAD)) if data.startswith(MPF_HEAD) else None
    entry = next(ifds.directories(), {}).get(_MP_ENTRIES) if ifds else None
    if ifds is None or entry is None:
        return []
    index.seek(entry.start)
    table = index.read(entry.count)
    pairs = [
        (ifds.number_in(table, at + 8), ifds.number_in(table, at + 4))
        for at in range(0, len(table) - _MP_ENTRY_BYTES + 1, _MP_ENTRY_BYTES)
    ]
    return [(base + offset if offset else 0, length) for offset, length in pairs]
