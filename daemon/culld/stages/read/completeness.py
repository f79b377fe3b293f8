"""Check whether a file is complete: decoders accept truncated files, but a photo that is still being copied must wait.

`is_complete` checks the container for the end of the main image; the image data are not decoded. `missing_part`
compares the size of the file with the sizes that its structure states, which extend beyond the main image: phones
append a gain map, a second image or a movie.
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
    """Return whether the main image has its end; True for formats that do not state it (TIFF, RAW). Raises OSError."""
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
    RAW formats made like it. Nothing is missing from a file whose structure cannot be parsed. Raises OSError.
    """
    size = stream.seek(0, os.SEEK_END)
    needed = _ENDS[format_](stream, size) if format_ in _ENDS else 0
    if needed <= size:
        return ""
    return f"its structure needs {needed:,} bytes or more, but the file has {size:,}"


def _jpeg_has_end(stream: BinaryIO, size: int) -> bool:
    """Return whether EOI ends the file or, with more bytes after it (a movie, a gain map, zeros), the main image.

    An EOI before the image data may be that of a thumbnail; the image data hold no EOI but the last.
    """
    stream.seek(max(0, size - 2))
    ends = stream.read(2) == b"\xff\xd9"
    return any(
        segment.marker == EOI or (segment.marker == SOS and ends and segment.end < size) for segment in segments(stream)
    )


def _png_has_end(stream: BinaryIO, size: int) -> bool:
    """Return whether the file holds every chunk up to IEND in full length."""
    return any(chunk.kind == b"IEND" and chunk.next <= size for chunk in png_chunks(stream))


def _riff_has_end(stream: BinaryIO, size: int) -> bool:
    return size >= 8 + int.from_bytes(stream.read(8)[4:], "little")


def _boxes_have_end(stream: BinaryIO, size: int) -> bool:
    """Return whether the boxes (ISO/IEC 14496-12, 4.2) end with the file, and include `meta` and image data."""
    end, kinds = 0, set()
    for box in boxes(stream, size):
        kinds.add(box.kind)
        end = box.end
        if box.kind == b"meta" and end - box.start < _MAX_META_BYTES:  # `idat` (ISO/IEC 14496-12) can be inside it
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
    """Return where the chunks of a WebP end, each padded to an even length; chunks after the RIFF do not count."""
    stream.seek(4)
    end = 8 + int.from_bytes(stream.read(4), "little")
    own = takewhile(lambda each: each.start < min(end, size) and _is_plausible(each.kind), riff_chunks(stream))
    return max([end, RIFF_HEAD_BYTES, *(chunk.end for chunk in own)])


def _is_plausible(kind: bytes) -> bool:
    """Return whether these bytes can be the type of a chunk; padding with zeros cannot."""
    return kind.isascii() and bool(kind.strip(b"\0"))


def _raw_end(stream: BinaryIO, size: int) -> int:
    """Return where a RAW file ends that is structured like TIFF or, as CR3 is, in boxes."""
    stream.seek(4)
    return boxes_end(stream, size) if stream.read(4) == b"ftyp" else data_end(stream, size, values=False)


def _tiff_end(stream: BinaryIO, size: int) -> int:
    return data_end(stream, size, values=True)


def _jxl_end(stream: BinaryIO, size: int) -> int:
    """Return where the boxes of a JPEG XL end; 0 for a bare codestream, which does not state its length."""
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
