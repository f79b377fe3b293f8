"""Whether a file is whole: decoders accept files that are cut, but a photo that is still being copied must wait.

`is_complete` looks for the end of the picture in the frame of the container, so a whole file costs a read of its last
bytes. `missing_part` compares the size of the file with the sizes that its structure states, which reach beyond the
picture: phones put a gain map, a second picture or a movie behind it.
"""

from __future__ import annotations

import os
from itertools import takewhile
from typing import TYPE_CHECKING, BinaryIO, Final

from culld.records import Format
from culld.tags.containers.chunks import RIFF_HEAD_BYTES, png_chunks, riff_chunks
from culld.tags.containers.gcontainer import bytes_behind
from culld.tags.containers.ifd import data_end
from culld.tags.containers.isobmff import boxes, boxes_end, items_end
from culld.tags.containers.jpeg import APP1, APP2, EOI, SOS, XMP_HEAD, picture_end, segment_data, segments
from culld.tags.containers.mpf import pictures_end

if TYPE_CHECKING:
    from collections.abc import Callable

_MAX_PACKETS: Final = 4
_MAX_META_BYTES: Final = 1 << 20


def is_complete(stream: BinaryIO, format_: Format) -> bool:
    """Whether the picture has its end; True for formats that do not state it (TIFF, unknown ones). Raises OSError."""
    check = _CHECKS.get(format_)
    if check is None:
        return True
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    return check(stream, size)


def missing_part(stream: BinaryIO, format_: Format) -> str:
    """Return, as a clause, what a file lacks by its own structure; empty if nothing is missing.

    The lengths are those of the MPF index and the XMP of a JPEG, of the chunks of a WebP, of the boxes and items of
    HEIF and AVIF, of the boxes of JPEG XL and CR3, and of the directories, strips, tiles and previews of TIFF and the
    RAW formats made like it. A file that is not understood lacks nothing. Raises OSError.
    """
    size = stream.seek(0, os.SEEK_END)
    needed = _ENDS[format_](stream, size) if format_ in _ENDS else 0
    if needed <= size:
        return ""
    return f"its own structure says that it has {needed:,} bytes or more, but it has {size:,}"


def _jpeg_has_end(stream: BinaryIO, size: int) -> bool:
    """Whether EOI ends the file or, with more bytes behind it (a movie, a gain map, zeros), the first picture.

    An EOI before the picture data may be that of a thumbnail; within them there is none but the last.
    """
    stream.seek(max(0, size - 2))
    ends = stream.read(2) == b"\xff\xd9"
    return any(
        segment.marker == EOI or (segment.marker == SOS and ends and segment.end < size) for segment in segments(stream)
    )


def _png_has_end(stream: BinaryIO, size: int) -> bool:
    """Whether every chunk up to IEND fits."""
    return any(chunk.kind == b"IEND" and chunk.next <= size for chunk in png_chunks(stream))


def _riff_has_end(stream: BinaryIO, size: int) -> bool:
    return size >= 8 + int.from_bytes(stream.read(8)[4:], "little")


def _boxes_have_end(stream: BinaryIO, size: int) -> bool:
    """Whether all boxes fit (ISO/IEC 14496-12, 4.2), and `meta` and picture data are among them."""
    end, kinds = 0, set()
    for box in boxes(stream, size):
        kinds.add(box.kind)
        end = box.end
        if box.kind == b"meta" and end - box.start < _MAX_META_BYTES:  # small pictures may lie in there
            stream.seek(box.start)
            kinds.update({b"idat"} if b"idat" in stream.read(end - box.start) else ())
    return end == size and b"meta" in kinds and not kinds.isdisjoint({b"mdat", b"idat"})


_CHECKS: Final[dict[Format, Callable[[BinaryIO, int], bool]]] = {
    Format.JPEG: _jpeg_has_end,
    Format.PNG: _png_has_end,
    Format.WEBP: _riff_has_end,
    Format.HEIF: _boxes_have_end,
    Format.AVIF: _boxes_have_end,
}


def _jpeg_end(stream: BinaryIO, size: int) -> int:
    heads = list(takewhile(lambda segment: segment.marker != SOS, segments(stream)))
    ends = [pictures_end(stream, size, segment) for segment in heads if segment.marker == APP2]
    texts = [segment_data(stream, segment) for segment in heads if segment.marker == APP1]
    packets = [text[len(XMP_HEAD) :] for text in texts if text.startswith(XMP_HEAD)][:_MAX_PACKETS]
    behind = max(map(bytes_behind, packets), default=0)
    if behind:
        ends.append(picture_end(stream, 0) + behind)
    return max(ends, default=0)


def _webp_end(stream: BinaryIO, size: int) -> int:
    """Where the chunks of a WebP end, each filled up to an even length; chunks behind the RIFF are not its own."""
    stream.seek(4)
    end = 8 + int.from_bytes(stream.read(4), "little")
    own = takewhile(lambda each: each.start < min(end, size) and _is_plausible(each.kind), riff_chunks(stream))
    return max([end, RIFF_HEAD_BYTES, *(chunk.end for chunk in own)])


def _is_plausible(kind: bytes) -> bool:
    """Whether these bytes can be the kind of a chunk: bytes that fill up a file cannot."""
    return kind.isascii() and bool(kind.strip(b"\0"))


def _raw_end(stream: BinaryIO, size: int) -> int:
    """Where a RAW file ends that is made like TIFF or, like CR3, of boxes."""
    stream.seek(4)
    return boxes_end(stream, size) if stream.read(4) == b"ftyp" else data_end(stream, size, values=False)


def _tiff_end(stream: BinaryIO, size: int) -> int:
    return data_end(stream, size, values=True)


def _jxl_end(stream: BinaryIO, size: int) -> int:
    """Where the boxes of a JPEG XL end; a bare codestream does not state its length."""
    stream.seek(4)
    return boxes_end(stream, size) if stream.read(4) == b"JXL " else 0


_ENDS: Final[dict[Format, Callable[[BinaryIO, int], int]]] = {
    Format.JPEG: _jpeg_end,
    Format.WEBP: _webp_end,
    Format.HEIF: items_end,
    Format.AVIF: items_end,
    Format.TIFF: _tiff_end,
    Format.RAW: _raw_end,
    Format.JXL: _jxl_end,
}
