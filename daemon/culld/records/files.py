"""Where a file is, its identity, its state at a scan, and why it could not be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os
    from datetime import timedelta
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class RootedPath:
    """Where a file is: a configured root folder and the path below it."""

    root: Path
    relative: Path

    @property
    def path(self) -> Path:
        """The whole path."""
        return self.root / self.relative

    def beside(self, name: str) -> RootedPath:
        """Return the path of the file `name` in the same folder."""
        return RootedPath(self.root, self.relative.with_name(name))


@dataclass(frozen=True, slots=True)
class FileStat:
    """The identity fields of lstat(2): if two stamps of a file are equal, no program wrote to it in between."""

    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int

    @classmethod
    def of(cls, stat: os.stat_result) -> FileStat:
        """Return the stamp of a stat result."""
        return cls(stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)


@dataclass(frozen=True, slots=True)
class FileSnapshot:
    """A file at the time of a scan: its path and its stamp."""

    place: RootedPath
    stamp: FileStat


@dataclass(frozen=True, slots=True)
class ReadFailure:
    """A file that failed in a stage, the reason, and the wait before the next try; unless `steady`, the waits grow.

    After `tries` failures the file is not read again until it changes; None means no limit.
    """

    snapshot: FileSnapshot
    reason: str
    retry_after: timedelta
    steady: bool = False
    tries: int | None = None
