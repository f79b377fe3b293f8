"""Replacing a file with a new one without destroying what another program saves at the same time.

Where the kernel can exchange two names (renameat2 with RENAME_EXCHANGE), the old file gets a hidden name of culld's
own, and is checked there: if it is not the one that was judged, or a program has opened it for writing, it gets its
name back. NFS and FUSE cannot exchange. There the new file is renamed over the old one right after the last check, and
a save by another program between these two system calls is lost.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from culld.errors import PhotoChangedError
from culld.files.open_beneath import sync_folder
from culld.files.rename_noreplace import exchange, give_back
from culld.files.temp_names import aside_name
from culld.records import FileStat, display_path

if TYPE_CHECKING:
    from culld.files.lease import Lease
    from culld.files.tempfile import TempFile


@dataclass(frozen=True, slots=True)
class Swap:
    """A finished new file, and the old one that it replaces: its name, its stat when it was read, a lease on it."""

    new: TempFile
    name: str
    old: os.stat_result
    lease: Lease

    def carry_out(self) -> FileStat:
        """Put the new file in place, durably, and return its stat.

        Raises PhotoChangedError if the old file was replaced, or is open for writing; it then has its name and its
        bytes. Raises OSError.
        """
        folder, own = self.new.folder, aside_name(self.name)
        self.new.rename(own)
        self._require_unchanged()
        self.new.placed = True  # from here on the hidden name may be that of the old file
        try:
            exchanged = exchange(folder, own, self.name)
            if not exchanged:
                os.rename(own, self.name, src_dir_fd=folder, dst_dir_fd=folder)
        except OSError:
            self.new.placed = False
            raise
        if exchanged:
            self._unlink_old(own)
        else:
            sync_folder(folder)
        return FileStat.of(os.fstat(self.new.descriptor))

    def _require_unchanged(self) -> None:
        found = os.stat(self.name, dir_fd=self.new.folder, follow_symlinks=False)
        if FileStat.of(found) != FileStat.of(self.old):
            raise changed(self.lease)
        self.lease.require_no_writer()

    def _unlink_old(self, own: str) -> None:
        """Unlink the old file once the new name is durable, if it is the judged one and no program writes to it.

        On any failure the two files exchange their names again.
        """
        gone = False
        try:
            sync_folder(self.new.folder)
            if not same_file(os.stat(own, dir_fd=self.new.folder, follow_symlinks=False), self.old):
                raise changed(self.lease)
            self.lease.confirm()
            os.unlink(own, dir_fd=self.new.folder)
            gone = True
        finally:
            if not gone:
                self._put_back(own)

    def _put_back(self, own: str) -> None:
        """Exchange the names again; if the new file was replaced since, both files of the other program are kept."""
        folder = self.new.folder
        exchange(folder, own, self.name)
        if os.path.samestat(os.stat(own, dir_fd=folder, follow_symlinks=False), os.fstat(self.new.descriptor)):
            os.unlink(own, dir_fd=folder)
        else:
            exchange(folder, own, self.name)
            give_back(folder, own, self.name)


def same_file(found: os.stat_result, judged: os.stat_result) -> bool:
    """Whether this is the inode that was judged, with the same size and mtime; a rename changes only the ctime."""
    unchanged = (found.st_size, found.st_mtime_ns) == (judged.st_size, judged.st_mtime_ns)
    return os.path.samestat(found, judged) and unchanged


def changed(lease: Lease) -> PhotoChangedError:
    """Return the error for a file that another program saved during the change."""
    return PhotoChangedError(f"{display_path(lease.path)} changed while it was being rewritten; culld tries again")
