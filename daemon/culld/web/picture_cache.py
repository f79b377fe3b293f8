"""The folder of made pictures, by the digest of their photo; the ones that were not used for the longest time go."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LOW_WATER: Final = 0.9
_FRESH_S: Final = 3600.0  # the time of use is stored at most this often
_SWEEP_SHARE: Final = 0.02  # of the limit may be written before the next look at the folder


@dataclass(slots=True)
class PictureCache:
    """Files below `folder`, at most `limit` bytes and little more; a full disk or a lost folder costs only speed."""

    folder: Path
    limit: int
    _written: int | None = field(default=None)

    def get(self, digest: str, name: str) -> bytes | None:
        """Return a picture; None if it is not there."""
        file = self._file(digest, name)
        try:
            with file.open("rb") as stream:
                data = stream.read()
                if time.time() - os.fstat(stream.fileno()).st_mtime > _FRESH_S:
                    os.utime(file)
        except OSError:
            return None
        return data or None

    def has(self, digest: str, name: str) -> bool:
        """Return whether a picture is there."""
        return self._file(digest, name).exists()

    def put(self, digest: str, name: str, data: bytes) -> None:
        """Store a picture, so that it is there whole or not at all."""
        file = self._file(digest, name)
        part = file.with_name(f".{secrets.token_hex(8)}.part")
        with contextlib.suppress(OSError):
            file.parent.mkdir(0o700, parents=True, exist_ok=True)
            try:
                part.write_bytes(data)
                part.rename(file)
            except OSError:
                part.unlink(missing_ok=True)
                raise
            self._note(len(data))

    def sweep(self) -> int:
        """Remove unfinished files and, above the limit, the least recently used ones; return the bytes left."""
        found = sorted(self._files())
        total = sum(size for _, size, _ in found)
        goal = self.limit if total <= self.limit else int(_LOW_WATER * self.limit)
        for _, size, file in found:
            if total <= goal:
                break
            with contextlib.suppress(OSError):
                file.unlink()
                total -= size
        return total

    def _note(self, size: int) -> None:
        written = self.limit if self._written is None else self._written + size
        self._written = written
        if written > _SWEEP_SHARE * self.limit:
            self._written = 0
            self.sweep()

    def _files(self) -> Iterator[tuple[float, int, Path]]:
        for file in self.folder.glob("??/*"):
            with contextlib.suppress(OSError):
                found = file.stat(follow_symlinks=False)
                if file.name.startswith(".") and time.time() - found.st_mtime > _FRESH_S:
                    file.unlink()
                else:
                    yield found.st_mtime, found.st_size, file

    def _file(self, digest: str, name: str) -> Path:
        if not digest.isalnum() or not name.replace("-", "").replace(".", "").isalnum():
            raise ValueError(f"{digest!r} and {name!r} make no file name")
        return self.folder / digest[:2] / f"{digest[2:]}-{name}"
