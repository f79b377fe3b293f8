"""Repaired copies that culld wrote beside photos: they are never judged.

A copy is known by its name as long as its photo is beside it. When the photo was moved away, the copy stays, and is
known by what culld wrote into it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from culld.imaging.formats import EXTENSIONS, RAW_EXTENSIONS
from culld.tags.names import stem_of_parent
from culld.tags.own_properties import NAMESPACE, PARENT_DIGEST

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from culld.records import FileStat

_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_HEAD_BYTES: Final = 192 << 10
"""EXIF and XMP stand first in a copy, with at most 64 KiB each."""
_MOST_KNOWN: Final = 100_000


@dataclass(frozen=True, slots=True)
class Copies:
    """Tells copies from photos; it remembers the files that it has read."""

    _read: dict[FileStat, bool] = field(default_factory=dict)

    def among(self, files: Iterable[tuple[str, FileStat]], names: Iterable[str], folder: int) -> frozenset[str]:
        """Return those of the files, each with its stamp, that are copies; `names` are all in the open `folder`."""
        stems = stems_of_photos(names)
        return frozenset(name for name, stamp in files if self._is_copy(name, stamp, stems, folder))

    def _is_copy(self, name: str, stamp: FileStat, stems: Collection[str], folder: int) -> bool:
        stem = stem_of_parent(name)
        return stem is not None and (stem in stems or self._is_marked(name, stamp, folder))

    def _is_marked(self, name: str, stamp: FileStat, folder: int) -> bool:
        if stamp not in self._read:
            if len(self._read) >= _MOST_KNOWN:
                self._read.clear()
            self._read[stamp] = is_marked(head_of(folder, name))
        return self._read[stamp]


def stems_of_photos(names: Iterable[str]) -> frozenset[str]:
    """Return the stems of the names that are those of photos, RAW files among them."""
    parts = (os.path.splitext(name) for name in names)  # noqa: PTH122 (a Path for each name of a folder is slow)
    return frozenset(stem for stem, suffix in parts if suffix.lower() in EXTENSIONS or suffix.lower() in RAW_EXTENSIONS)


def is_marked(head: bytes) -> bool:
    """Whether the first bytes of a file hold the XMP that culld writes into a copy."""
    return NAMESPACE.encode() in head and PARENT_DIGEST.encode() in head


def head_of(folder: int, name: str) -> bytes:
    """Return the first bytes of a file in an open folder; none if it cannot be read."""
    try:
        descriptor = os.open(name, _READ, dir_fd=folder)
        try:
            return os.pread(descriptor, _HEAD_BYTES, 0)
        finally:
            os.close(descriptor)
    except OSError:  # it is judged as a photo, and its error is reported then
        return b""
