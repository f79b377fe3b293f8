"""What a photo's own structure says of the file's size, so that a file whose last parts are missing is recognised.

The picture itself may be whole then: phones put a gain map, a second picture or a movie behind it.
"""

from __future__ import annotations

import io
import os
from itertools import takewhile
from typing import TYPE_CHECKING, BinaryIO, Final

from culld.records import Format
from culld.tags.containers.chunks import RIFF_HEAD_BYTES, riff_chunks
from culld.tags.containers.gcontainer import bytes_behind
from culld.tags.containers.ifd import Ifds, data_end
from culld.tags.containers.isobmff import boxes_end, items_end
from culld.tags.containers.jpeg import APP1, APP2, EOI, MPF_HEAD, SOS, XMP_HEAD, segment_data, segments

if TYPE_CHECKING:
    from collections.abc import Callable

    from culld.tags.containers.jpeg import Segment

_MP_ENTRIES: Final = 0xB002
_MP_ENTRY_BYTES: Final = 16
_MAX_PACKETS: Final = 4


def missing_part(stream: BinaryIO, format_: Format) -> str:
    """Say, as a clause, what a file lacks by its own structure; empty if nothing.

    The lengths are those of the MPF index and the XMP of a JPEG, of the chunks of a WebP, of the boxes and items of
    HEIF and AVIF, of the boxes of JPEG XL and CR3, and of the directories, strips, tiles and previews of TIFF and the
    RAW formats made like it. Whatever is not understood lacks nothing. Raises OSError.
    """
    size = stream.seek(0, os.SEEK_END)
    needed = _ENDS[format_](stream, size) if format_ in _ENDS else 0
    if needed <= size:
        return ""
    return f"its own structure says that it has {needed:,} bytes or more, but it has {size:,}"


def _jpeg(stream: BinaryIO, size: int) -> int:
    heads = list(takewhile(lambda segment: segment.marker != SOS, segments(stream)))
    ends = [_mpf(stream, size, segment) for segment in heads if segment.marker == APP2]
    texts = [segment_data(stream, segment) for segment in heads if segment.marker == APP1]
    packets = [text[len(XMP_HEAD) :] for text in texts if text.startswith(XMP_HEAD)][:_MAX_PACKETS]
    behind = max(map(bytes_behind, packets), default=0)
    if behind:
        ends.append(_picture_end(stream, 0) + behind)
    return max(ends, default=0)


def _picture_end(stream: BinaryIO, start: int) -> int:
    """Where the JPEG picture that begins at `start` ends; 0 if it does not end."""
    return next((each.end for each in segments(stream, start) if each.marker == EOI), 0)


def _mpf(stream: BinaryIO, size: int, segment: Segment) -> int:
    """Where the pictures of an MPF index end (CIPA DC-007, 5.2.2.2 and 5.2.3).

    Only the last one counts, since none reaches into the next. Pillow (seen up to 12.3) lists wrong sizes from the
    third picture on, so the size does not count where the last picture ends exactly where the file does.
    """
    start, length = max(_listed(segment_data(stream, segment), segment.body + len(MPF_HEAD)), default=(0, 0))
    whole = start < size < start + length and _picture_end(stream, start) == size
    return size if whole else start + length


def _listed(data: bytes, base: int) -> list[tuple[int, int]]:
    """The start and the length of each picture of an MPF index whose TIFF head stands at `base`.

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


def _webp(stream: BinaryIO, size: int) -> int:
    """Where the chunks of a WebP end, each filled up to an even length; chunks behind the RIFF are not its own."""
    stream.seek(4)
    end = 8 + int.from_bytes(stream.read(4), "little")
    own = takewhile(lambda each: each.start < min(end, size) and _is_plausible(each.kind), riff_chunks(stream))
    return max([end, RIFF_HEAD_BYTES, *(chunk.end for chunk in own)])


def _is_plausible(kind: bytes) -> bool:
    """Whether these bytes can be the kind of a chunk: bytes that fill up a file cannot."""
    return kind.isascii() and bool(kind.strip(b"\0"))


def _raw(stream: BinaryIO, size: int) -> int:
    """Where a RAW file ends that is made like TIFF or, like CR3, of boxes."""
    stream.seek(4)
    return boxes_end(stream, size) if stream.read(4) == b"ftyp" else data_end(stream, size, values=False)


def _tiff(stream: BinaryIO, size: int) -> int:
    return data_end(stream, size, values=True)


def _jxl(stream: BinaryIO, size: int) -> int:
    """Where the boxes of a JPEG XL end; a bare codestream says nothing."""
    stream.seek(4)
    return boxes_end(stream, size) if stream.read(4) == b"JXL " else 0


_ENDS: Final[dict[Format, Callable[[BinaryIO, int], int]]] = {
    Format.JPEG: _jpeg,
    Format.WEBP: _webp,
    Format.HEIF: items_end,
    Format.AVIF: items_end,
    Format.TIFF: _tiff,
    Format.RAW: _raw,
    Format.JXL: _jxl,
}
