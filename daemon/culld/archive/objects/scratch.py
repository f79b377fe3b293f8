"""Private temporary folders for copies of objects; those that killed runs left are removed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_PREFIX: Final = "culld-objects-"
_LOCK: Final = "culld.lock"


@contextlib.contextmanager
def scratch_folder(temp: Path | None = None) -> Iterator[Path]:
    """Make a folder that only this user can read, below TMPDIR or `temp`; it is removed at the end. Raises OSError."""
    parent = temp or Path(tempfile.gettempdir())
    remove_left_copies(parent)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
    new = folder / f"{_LOCK}.new"
    lock = os.open(new, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        new.rename(folder / _LOCK)  # only now another process takes it for a lock
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def remove_left_copies(temp: Path | None = None) -> None:
    """Remove the folders of this user whose process has ended."""
    parent = temp or Path(tempfile.gettempdir())
    for lock in parent.glob(f"{_PREFIX}*/{_LOCK}"):
        with contextlib.suppress(OSError):  # it is in use, or belongs to another user
            if lock.parent.lstat().st_uid != os.geteuid():
                continue
            with lock.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(lock.parent, ignore_errors=True)
