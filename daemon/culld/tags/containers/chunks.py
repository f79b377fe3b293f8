"""The chunks of PNG and RIFF files, read from a stream without their data (PNG 3, 5.3; RFC 9649, 2.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PNG_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
RIFF_HEAD_BYTES: Final = 12
"""`RIFF`, the length of what follows, and the kind of the file."""

_HEAD_BYTES: Final = 8
_CRC_BYTES: Final = 4
_MAX_CHUNKS: Final = 100_000


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk: its head at `start`, its data from `body` to `end`, and the offset of the `next` chunk."""

    kind: bytes
    start: int
    body: int
    end: int
    next: int


def png_chunks(stream: BinaryIO) -> Iterator[Chunk]:
    """Yield the chunks of a PNG, also those behind IEND; the last may end outside of the file. Raises OSError.

    Four bytes of CRC stand between `end` and `next`.
    """
    return _chunks(
        stream, len(PNG_SIGNATURE), lambda head: (head[4:], int.from_bytes(head[:4], "big")), lambda _: _CRC_BYTES
    )


def riff_chunks(stream: BinaryIO) -> Iterator[Chunk]:
    """Yield the chunks of a RIFF file, also those behind its stated end; the last may end outside. Raises OSError.

    A byte of padding stands behind data of odd length.
    """
    return _chunks(
        stream, RIFF_HEAD_BYTES, lambda head: (head[:4], int.from_bytes(head[4:], "little")), lambda length: length % 2
    )


def _chunks(
    stream: BinaryIO, position: int, parse: Callable[[bytes], tuple[bytes, int]], trailer: Callable[[int], int]
) -> Iterator[Chunk]:
    """Yield the chunks from `position` on; `parse` gives kind and length of a head, `trailer` what follows the data."""
    for _ in range(_MAX_CHUNKS):
        stream.seek(position)
        head = stream.read(_HEAD_BYTES)
        if len(head) < _HEAD_BYTES:
            return
        kind, length = parse(head)
        body = position + _HEAD_BYTES
        yield Chunk(kind, position, body, body + length, body + length + trailer(length))
        position = body + length + trailer(length)
