"""Temporary files: written under a temporary name, verified, and then renamed to the final name."""

from __future__ import annotations

import io
import os
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from culld.errors import PhotoBlockedError
from culld.files.open_beneath import digest_of, sync_folder
from culld.files.rename_noreplace import rename_noreplace
from culld.files.temp_names import temp_name
from culld.records import FileStat

if TYPE_CHECKING:
    from collections.abc import Iterator

_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(slots=True)
class TempFile:
    """A temporary file of culld in an open folder; `placed` once it has its final name."""

    folder: int
    descriptor: int
    name: str = field(default_factory=temp_name)
    placed: bool = False

    def write(self, data: bytes) -> None:
        """Append all of `data`; raises OSError."""
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self.descriptor, rest) :]

    def verify(self, digest: str) -> None:
        """Make the bytes durable, and compare the SHA-256 of the bytes on the disk, read past the cache, with `digest`.

        Raises PhotoBlockedError if it differs, OSError if the disk fails.
        """
        os.fsync(self.descriptor)
        os.posix_fadvise(self.descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.lseek(self.descriptor, 0, os.SEEK_SET)
        with io.FileIO(self.descriptor, "r", closefd=False) as raw, io.BufferedReader(raw) as stream:
            found = digest_of(stream)
        if found != digest:
            raise PhotoBlockedError(
                "the disk returned other bytes than were written; nothing was changed; check this disk before you go on"
            )

    def rename(self, own: str) -> None:
        """Give the file another hidden name of culld's own."""
        os.rename(self.name, own, src_dir_fd=self.folder, dst_dir_fd=self.folder)
        self.name = own

    def commit(self, name: str) -> FileStat:
        """Give the file its final name, durably; raises FileExistsError if the name is taken."""
        rename_noreplace(self.folder, self.name, self.folder, name)
        self.placed = True
        sync_folder(self.folder)
        return FileStat.of(os.fstat(self.descriptor))

    def close(self) -> None:
        """Close the file; while it is open, no lease on it is granted."""
        os.close(self.descriptor)
        self.descriptor = -1


@contextmanager
def temp_file(folder: int, *, mode: int) -> Iterator[TempFile]:
    """Create a temporary file in an open folder; it is removed at the end of the block unless it was placed."""
    name = temp_name()
    made = TempFile(folder, os.open(name, _CREATE, mode, dir_fd=folder), name)
    try:
        yield made
    finally:
        if made.descriptor >= 0:
            made.close()
        if not made.placed:
            with suppress(FileNotFoundError):  # it was removed by hand
                os.unlink(made.name, dir_fd=folder)
