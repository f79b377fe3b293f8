"""Locks between processes on one state folder; the kernel frees them when a process ends, however it ends."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from culld.errors import SystemFaultError
from culld.records import printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LOOK_AGAIN_S: Final = 0.05


@contextmanager
def state_lock(state: Path) -> Iterator[None]:
    """Be the only daemon of the folder `state`, which is made if need be.

    Raises SystemFaultError, which names the other process, if there is one.
    """
    busy = "culld is already running on {folder} (process {pid}); stop it, or set another `state` folder for this one"
    with _held(state / "daemon.lock", busy, wait_s=0):
        yield


@contextmanager
def changes_lock(state: Path, *, wait_s: float = 0) -> Iterator[None]:
    """Be the only one that changes files (daemon, once, restore), waiting up to `wait_s` seconds for another one.

    Raises SystemFaultError, which names the other process, if it is not done by then.
    """
    busy = "another culld is changing files (process {pid}, state {folder}); try again when it is done"
    with _held(state / "changes.lock", busy, wait_s):
        yield


@contextmanager
def _held(file: Path, busy: str, wait_s: float) -> Iterator[None]:
    descriptor = _opened(file)
    # The file stays when it is free: a new one of its name could be locked beside this one.
    try:
        try:
            _take(descriptor, file, busy, time.monotonic() + wait_s)
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


def _take(descriptor: int, file: Path, busy: str, until: float) -> None:
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() >= until:
                holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "unknown"
                raise SystemFaultError(busy.format(folder=printable(file.parent), pid=holder)) from error
        time.sleep(_LOOK_AGAIN_S)


def _broken(file: Path, done: str, error: OSError) -> str:
    advice = "set `state` to a folder on a local disk that this user can write to"
    return f"{printable(file)} cannot be {done} ({error.strerror}); {advice}"
