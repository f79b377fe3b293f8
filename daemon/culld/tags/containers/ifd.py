"""The directories (IFDs) of TIFF files and EXIF blocks, read from a stream without picture data (TIFF 6.0, section 2).

A directory that is not plainly understood is passed over: the RAW files of many makers are built like TIFF, too. What
changes a file reads its directories by `exif_block`, which refuses such ones.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

ORDERS: Final = {b"II*\0": "<", b"MM\0*": ">"}
"""The byte order, as `struct` writes it, by the first four bytes."""

ENTRY_BYTES: Final = 12
TYPE_BYTES: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
"""The size in bytes of one value of each type."""

NUMBER_CODES: Final = {3: "H", 4: "I", 13: "I"}
"""The `struct` codes of the types of unsigned whole numbers: SHORT, LONG and IFD."""

BYTE: Final = 1
UNDEFINED: Final = 7
_SUB_IFDS: Final = 330
_DATA: Final = ((273, 279), (324, 325), (513, 514))
"""Offsets and byte counts: of strips, of tiles, of a JPEG (a preview)."""

_UNKNOWN: Final = 0xFFFFFFFF
_MAX_DIRECTORIES: Final = 2000
_MAX_ENTRIES: Final = 1000
_MAX_NUMBERS: Final = 4_000_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: its twelve bytes `raw`, the count of its values, and the offset at which its values `start`.

    Values of four bytes or less stand in the entry itself. A value of an unknown type has no length.
    """

    tag: int
    type: int
    count: int
    start: int
    raw: bytes = b""

    @classmethod
    def parse(cls, order: str, raw: bytes, offset: int) -> Entry:
        """The entry whose twelve bytes stand at `offset`."""
        tag, kind, count, value = struct.unpack(order + "HHII", raw)
        inside = count * TYPE_BYTES.get(kind, 0) <= 4
        return cls(tag, kind, count, offset + 8 if inside else value, raw)

    @property
    def end(self) -> int:
        """The first byte behind the values."""
        return self.start + self.count * TYPE_BYTES.get(self.type, 0)


@dataclass
class Ifds:
    """Reads the directories of a TIFF file; `end` is the furthest byte that any of them needs, so far."""

    stream: BinaryIO
    size: int
    order: str
    end: int = 8
    _numbers: int = 0
    _seen: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, stream: BinaryIO, size: int) -> Ifds | None:
        """The reader for a stream of `size` bytes; None if it does not begin like a classic TIFF. Raises OSError."""
        stream.seek(0)
        order = ORDERS.get(stream.read(4))
        return None if order is None else cls(stream, size, order)

    def directories(self) -> Iterator[dict[int, Entry]]:
        """Yield the entries of each directory by tag: the first ones, those that follow, and their SubIFDs.

        Raises OSError.
        """
        waiting = [*self.first_offset()]
        while waiting and len(self._seen) < _MAX_DIRECTORIES:
            offset = waiting.pop()
            if offset == 0 or offset in self._seen:
                continue
            self._seen.add(offset)
            self.end = max(self.end, offset + 2)
            entries = self._entries(offset)
            if entries is None:
                continue
            sub_ifds = entries.get(_SUB_IFDS)
            waiting += self.numbers(sub_ifds) if sub_ifds else ()
            waiting += self.numbers(_number_at(offset + 2 + ENTRY_BYTES * self._count(offset), 4))
            yield entries

    def first_offset(self) -> tuple[int, ...]:
        """The offset of the first directory, none if the file ends before. Raises OSError."""
        return self.numbers(_number_at(4, 4))

    def entries_at(self, offset: int) -> Iterator[Entry]:
        """Yield the entries of the directory at an offset, as many as the file holds. Raises OSError."""
        length = ENTRY_BYTES * self._count(offset)
        self.stream.seek(offset + 2)
        data = self.stream.read(length)
        for at in range(0, len(data) - ENTRY_BYTES + 1, ENTRY_BYTES):
            yield Entry.parse(self.order, data[at : at + ENTRY_BYTES], offset + 2 + at)

    def numbers(self, entry: Entry) -> tuple[int, ...]:
        """The values of an entry with unsigned whole numbers; none if it lies outside of the file, or has another type.

        Raises OSError.
        """
        code = NUMBER_CODES.get(entry.type)
        self._numbers += entry.count
        if code is None or entry.end > self.size or self._numbers > _MAX_NUMBERS:
            return ()
        self.stream.seek(entry.start)
        data = self.stream.read(entry.end - entry.start)
        return struct.unpack(f"{self.order}{entry.count}{code}", data)

    def value(self, entry: Entry) -> bytes | None:
        """The bytes of a value; None if it is empty or lies outside of the file. Raises OSError."""
        if not entry.start < entry.end <= self.size:
            return None
        self.stream.seek(entry.start)
        return self.stream.read(entry.end - entry.start)

    def number_in(self, data: bytes, position: int) -> int:
        """The unsigned 32-bit number at a position of some bytes, in the byte order of the file."""
        number: int = struct.unpack_from(self.order + "I", data, position)[0]
        return number

    def _count(self, offset: int) -> int:
        found = self.numbers(_number_at(offset, 3))
        return found[0] if found else 0

    def _entries(self, offset: int) -> dict[int, Entry] | None:
        """The entries of the directory at an offset; None if there is none, or none that a picture file would have."""
        count = self._count(offset)
        if not 0 < count <= _MAX_ENTRIES:
            return None
        self.end = max(self.end, offset + 2 + ENTRY_BYTES * count + 4)
        found: dict[int, Entry] = {}
        for entry in self.entries_at(offset):
            found.setdefault(entry.tag, entry)
        return found


def _number_at(offset: int, kind: int) -> Entry:
    """An offset or a count that stands outside of the entries, as an entry."""
    return Entry(0, kind, 1, offset)


def data_end(stream: BinaryIO, size: int, *, values: bool) -> int:
    """Where the directories of a TIFF file, and the strips, tiles and previews that they name, end; raises OSError.

    With `values` the values of all other tags count as well, as they should in a TIFF but not in a maker's RAW.
    """
    ifds = Ifds.of(stream, size)
    if ifds is None:
        return 0
    end = 0
    for entries in ifds.directories():
        for offset_tag, count_tag in _DATA:
            if offset_tag in entries and count_tag in entries:
                end = max(end, _array_end(ifds, entries[offset_tag], entries[count_tag]))
        if values:
            end = max([end, *(entry.end for entry in entries.values())])
    return max(end, ifds.end)


def _array_end(ifds: Ifds, offsets: Entry, counts: Entry) -> int:
    """Where the furthest piece of data ends, or the list of the pieces, if it is outside of the file."""
    if offsets.type not in NUMBER_CODES or counts.type not in NUMBER_CODES or offsets.count != counts.count:
        return 0
    if (lists := max(offsets.end, counts.end)) > ifds.size:
        return lists
    pairs = zip(ifds.numbers(offsets), ifds.numbers(counts), strict=False)
    return max((start + count for start, count in pairs if start and 0 < count < _UNKNOWN), default=0)
