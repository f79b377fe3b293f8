"""The lock between processes on one state folder; the kernel frees it when a process ends, however it ends."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from culld.errors import SystemFaultError
from culld.records import printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def state_lock(state: Path) -> Iterator[None]:
    """Be the only daemon of the folder `state`, which is made if need be.

    Raises SystemFaultError, which names the other process, if there is one.
    """
    file = state / "daemon.lock"
    descriptor = _opened(file)
    # The file stays when it is free: a new one of its name could be locked beside this one.
    try:
        try:
            _take(descriptor, state)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        except OSError as error:
            raise SystemFaultError(_broken(file, "locked", error)) from error
        yield
    finally:
        os.close(descriptor)


def _opened(file: Path) -> int:
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise SystemFaultError(_broken(file, "opened", error)) from error


def _take(descriptor: int, state: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "unknown"
        text = (
            f"culld is already running on {printable(state)} (process {holder}); stop it, or set another `state` folder"
        )
        raise SystemFaultError(text) from error


def _broken(file: Path, done: str, error: OSError) -> str:
    advice = "set `state` to a folder on a local disk that this user can write to"
    return f"{printable(file)} cannot be {done} ({error.strerror}); {advice}"
