"""Object storage behind a small Protocol, which has nothing that writes; `arrow_store` fulfils it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from culld.archive.objects.errors import TransientError
from culld.records import FileStat

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SECOND_NS: Final = 1_000_000_000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Waits:
    """Seconds to connect, seconds without a byte after which a request ends, and those before each other try."""

    connect_s: float = 10.0
    silent_s: float = 30.0
    pauses_s: tuple[float, ...] = (1.0, 4.0)


USUAL_WAITS: Final = Waits()


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object: bucket and key, and as stamp its size and mtime, which is in whole seconds.

    S3 gives no more than seconds in the answer that holds an object, and some servers more in a listing.
    """

    path: str
    stamp: FileStat

    @classmethod
    def of(cls, path: str, size: int, mtime_s: int) -> StoredObject:
        """Return an object; the fields of a stamp that only files have are 0."""
        return cls(path, FileStat(0, 0, size, mtime_s * SECOND_NS, 0))


class Kind(Enum):
    """What is at a path."""

    OBJECT = auto()
    PREFIX = auto()
    NOTHING = auto()


class ObjectStore(Protocol):
    """A bucket to read. Each method raises ObjectError, and StorageError if nothing in the bucket can be read."""

    def kind(self, path: str) -> Kind:
        """Return what is at a path."""

    def inside(self, path: str) -> list[StoredObject]:
        """Return the objects in a folder, without those in its folders."""

    def below(self, path: str) -> tuple[list[StoredObject], list[str]]:
        """Return objects below a prefix, and the prefixes below it that must be asked for the others."""

    def fetch(self, path: str, to: Path, most: int) -> StoredObject:
        """Write an object to a new file, and return it as it is now; raises TooLargeError above `most` bytes."""


@dataclass(slots=True)
class PatientStore:
    """Tries again what failed for a reason that may pass, after each of the pauses."""

    store: ObjectStore
    pauses_s: tuple[float, ...]
    sleep: Callable[[float], None] = time.sleep

    def kind(self, path: str) -> Kind:
        """Return what is at a path."""
        return self._patiently(lambda: self.store.kind(path))

    def inside(self, path: str) -> list[StoredObject]:
        """Return the objects in a folder."""
        return self._patiently(lambda: self.store.inside(path))

    def below(self, path: str) -> tuple[list[StoredObject], list[str]]:
        """Return objects and prefixes below a prefix."""
        return self._patiently(lambda: self.store.below(path))

    def fetch(self, path: str, to: Path, most: int) -> StoredObject:
        """Write an object to a new file."""
        return self._patiently(lambda: self.store.fetch(path, to, most))

    def _patiently(self, act: Callable[[], T]) -> T:
        for pause_s in self.pauses_s:
            try:
                return act()
            except TransientError:
                self.sleep(pause_s)
        try:
            return act()
        except TransientError as error:
            raise TransientError(f"{error} ({len(self.pauses_s) + 1} tries)") from error
