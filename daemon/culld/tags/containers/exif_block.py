"""An EXIF block, read down to its last entry; one that is not wholly understood is refused.

A block is a small TIFF file (TIFF 6.0; tags and directories from EXIF 2.32, section 4.6). Every offset in it counts
from its start. Nothing is repaired: an entry that points outside the block or has an unknown type is refused, and so
is a circle of directories.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from culld.errors import TagRefusedError
from culld.tags.containers.ifd import ENTRY_BYTES, NUMBER_CODES, ORDERS, TYPE_BYTES, Entry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_POINTER_TYPES = frozenset({4, 13})
_SUBDIRECTORIES = {"IFD0": {0x8769: "Exif", 0x8825: "GPS"}, "Exif": {0xA005: "Interop"}}
_SUB_IFDS = 0x014A
_DATA_AND_LENGTH = ((0x0201, 0x0202), (0x0111, 0x0117))  # a thumbnail as JPEG; as strips


@dataclass(frozen=True, slots=True)
class Directory:
    """One IFD; `next` is the offset of the one that follows it (0: none, or not looked at)."""

    offset: int
    entries: tuple[Entry, ...]
    next: int

    @property
    def end(self) -> int:
        """Where its entries end; in IFD0 and IFD1 four bytes with `next` follow."""
        return self.offset + 2 + ENTRY_BYTES * len(self.entries)

    def get(self, tag: int) -> Entry | None:
        """The entry of a tag; a tag that occurs twice is refused."""
        found = [entry for entry in self.entries if entry.tag == tag]
        if len(found) > 1:
            _refuse(f"tag {tag:#06x} occurs twice")
        return found[0] if found else None


@dataclass(frozen=True, slots=True)
class Block:
    """A whole EXIF block; `order` is `<` or `>`, `directories` are those of IFD0, IFD1, Exif, GPS, Interop present."""

    data: bytes
    order: str
    directories: Mapping[str, Directory]

    def value(self, entry: Entry) -> bytes:
        """The bytes of an entry's value."""
        return self.data[entry.start : entry.end]


def read_block(data: bytes) -> Block:
    """Parse every directory of an EXIF block; raises TagRefusedError with what in it is not as it should be."""
    order = ORDERS.get(data[:4])
    if order is None or len(data) < 8:
        _refuse("it does not begin like TIFF")
    walk = _Walk(data, order)
    walk.take("IFD0", walk.number("I", 4))
    following = walk.found["IFD0"].next
    if following:
        walk.take("IFD1", following)
        if walk.found["IFD1"].next:
            _refuse("it holds a third directory")
    return Block(data, order, walk.found)


class _Walk:
    """Goes from directory to directory and keeps those found."""

    def __init__(self, data: bytes, order: str) -> None:
        self.found: dict[str, Directory] = {}
        self._data = data
        self._order = order

    def number(self, kind: str, offset: int) -> int:
        """The unsigned number at an offset."""
        if not 0 <= offset <= len(self._data) - struct.calcsize(kind):
            _refuse("it is cut short")
        number: int = struct.unpack_from(self._order + kind, self._data, offset)[0]
        return number

    def take(self, name: str, offset: int) -> None:
        """Read a directory and those it points to."""
        if offset < 8 or offset in {directory.offset for directory in self.found.values()}:
            _refuse(f"the offset of {name} is impossible or leads in a circle")
        count = self.number("H", offset)
        entries = tuple(self._entry(offset + 2 + ENTRY_BYTES * index) for index in range(count))
        end = offset + 2 + ENTRY_BYTES * count
        directory = Directory(offset, entries, self.number("I", end) if name in {"IFD0", "IFD1"} else 0)
        self.found[name] = directory
        if directory.get(_SUB_IFDS):
            _refuse("it holds SubIFDs")
        self._check_pictures(directory)
        for tag, child in _SUBDIRECTORIES.get(name, {}).items():
            pointer = directory.get(tag)
            if pointer:
                self.take(child, self._single(pointer))

    def _entry(self, offset: int) -> Entry:
        """The entry at an offset, once its value is known to lie in the block."""
        raw = self._data[offset : offset + ENTRY_BYTES]
        if len(raw) < ENTRY_BYTES:
            _refuse("it is cut short")
        entry = Entry.parse(self._order, raw, offset)
        if entry.type not in TYPE_BYTES:
            _refuse(f"tag {entry.tag:#06x} has the unknown type {entry.type}")
        if entry.start < 8 or entry.end > len(self._data):
            _refuse(f"the value of tag {entry.tag:#06x} lies outside")
        return entry

    def _single(self, entry: Entry) -> int:
        """The value of an entry that must be one pointer."""
        if entry.type not in _POINTER_TYPES or entry.end - entry.start != 4:
            _refuse(f"tag {entry.tag:#06x} is no pointer")
        return self.number("I", entry.start)

    def _numbers(self, entry: Entry) -> Iterator[int]:
        """The values of an entry of type SHORT or LONG."""
        kind = NUMBER_CODES.get(entry.type)
        if kind is None:
            _refuse(f"tag {entry.tag:#06x} is no number")
        for offset in range(entry.start, entry.end, struct.calcsize(kind)):
            yield self.number(kind, offset)

    def _check_pictures(self, directory: Directory) -> None:
        """A thumbnail must lie in the block as well."""
        for where, length in _DATA_AND_LENGTH:
            offsets, lengths = directory.get(where), directory.get(length)
            if offsets is None and lengths is None:
                continue
            if offsets is None or lengths is None:
                _refuse("its thumbnail has no offset or no length")
            pairs = zip(self._numbers(offsets), self._numbers(lengths), strict=False)
            if any(start < 8 or start + size > len(self._data) for start, size in pairs):
                _refuse("its thumbnail lies outside")


def _refuse(reason: str) -> NoReturn:
    raise TagRefusedError(reason, "the EXIF block")
