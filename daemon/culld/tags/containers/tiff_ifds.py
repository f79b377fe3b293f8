"""The directories (IFDs) of a TIFF file, and where the picture data that they name end (TIFF 6.0, sections 2, 8, 15).

Nothing is decoded, and directories that are not plainly understood say nothing: RAW files of many makers are TIFF too.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_ORDERS: Final = {b"II*\0": "<", b"MM\0*": ">"}
_ENTRY_BYTES: Final = 12
_SIZES: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_LETTERS: Final = {3: "H", 4: "I", 13: "I"}
_SUB_IFDS: Final = 330
_DATA: Final = ((273, 279), (324, 325), (513, 514))
"""Offsets and byte counts: of strips, of tiles, of a JPEG (a preview)."""

_UNKNOWN: Final = 0xFFFFFFFF
_MOST_DIRECTORIES: Final = 2000
_MOST_ENTRIES: Final = 1000
_MOST_NUMBERS: Final = 4_000_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a directory: its type, the count of its values, and where in the file they stand."""

    kind: int
    count: int
    start: int

    @property
    def end(self) -> int:
        """The first byte behind the values."""
        return self.start + self.count * _SIZES.get(self.kind, 0)


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
        order = _ORDERS.get(stream.read(4))
        return None if order is None else cls(stream, size, order)

    def directories(self) -> Iterator[dict[int, Entry]]:
        """Yield the entries of each directory by tag: the first ones, those that follow, and their SubIFDs.

        Raises OSError.
        """
        waiting = [*self.numbers(Entry(4, 1, 4))]
        while waiting and len(self._seen) < _MOST_DIRECTORIES:
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
            waiting += self.numbers(Entry(4, 1, offset + 2 + _ENTRY_BYTES * self._count(offset)))
            yield entries

    def numbers(self, entry: Entry) -> tuple[int, ...]:
        """The values of an entry with unsigned whole numbers; none if it lies outside of the file, or has another type.

        Raises OSError.
        """
        letter = _LETTERS.get(entry.kind)
        self._numbers += entry.count
        if letter is None or entry.end > self.size or self._numbers > _MOST_NUMBERS:
            return ()
        self.stream.seek(entry.start)
        data = self.stream.read(entry.end - entry.start)
        return struct.unpack(f"{self.order}{entry.count}{letter}", data)

    def number_in(self, data: bytes, position: int) -> int:
        """The unsigned 32-bit number at a position of some bytes, in the byte order of the file."""
        number: int = struct.unpack_from(self.order + "I", data, position)[0]
        return number

    def _count(self, offset: int) -> int:
        found = self.numbers(Entry(3, 1, offset))
        return found[0] if found else 0

    def _entries(self, offset: int) -> dict[int, Entry] | None:
        """The entries of the directory at an offset; None if there is none, or none that a picture file would have."""
        count = self._count(offset)
        if not 0 < count <= _MOST_ENTRIES:
            return None
        self.end = max(self.end, offset + 2 + _ENTRY_BYTES * count + 4)
        self.stream.seek(offset + 2)
        data = self.stream.read(_ENTRY_BYTES * count)
        found: dict[int, Entry] = {}
        for index in range(len(data) // _ENTRY_BYTES):
            tag, kind, number = struct.unpack_from(self.order + "HHI", data, index * _ENTRY_BYTES)
            inside = number * _SIZES.get(kind, 0) <= 4
            where = index * _ENTRY_BYTES + 8
            (value,) = struct.unpack_from(self.order + "I", data, where)
            found.setdefault(tag, Entry(kind, number, offset + 2 + where if inside else value))
        return found


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
    if offsets.kind not in _LETTERS or counts.kind not in _LETTERS or offsets.count != counts.count:
        return 0
    if (lists := max(offsets.end, counts.end)) > ifds.size:
        return lists
    pairs = zip(ifds.numbers(offsets), ifds.numbers(counts), strict=False)
    return max((start + count for start, count in pairs if start and 0 < count < _UNKNOWN), default=0)
