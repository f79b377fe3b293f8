"""One at a time: the daemon and `culld restore` take turns in a folder."""

from __future__ import annotations

import errno
import fcntl
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from culld.files.open_beneath import folder
from culld.files.os_errors import translate_errors

if TYPE_CHECKING:
    from collections.abc import Iterator

# NFS emulates flock with record locks, which need a descriptor open for writing: there are none of folders.
_NO_LOCKS = {errno.EBADF, errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL}


@contextmanager
def folder_lock(root: Path) -> Iterator[None]:
    """Wait for, and hold, the only turn in a configured folder; file systems without locks grant it at once."""
    with folder(root, Path()) as descriptor:
        with translate_errors(root, "lock the folder"):
            _lock(descriptor)
        yield  # closing the descriptor gives the turn back


def _lock(descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
