"""The locks between processes on one folder; the kernel frees them when a process ends, however it ends."""

from __future__ import annotations

import fcntl
import logging
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from culld.disk.anchor import ANCHOR
from culld.errors import SystemFaultError
from culld.records import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

log = logging.getLogger(__name__)


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


def holder(state: Path) -> str:
    """The process that has the folder `state`, as text; empty if none has, or nobody may ask."""
    try:
        descriptor = os.open(state / "daemon.lock", os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return ""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _written_by(descriptor)
    finally:
        os.close(descriptor)
    return ""


class Claims:
    """The watched folders that this process has for itself, by a lock on the anchor in each; `close` frees them.

    A folder that is not there, or has no anchor, is nobody's.
    """

    def __init__(self) -> None:
        """Nothing is claimed yet."""
        self._held: dict[Path, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give every folder free."""
        for descriptor in self._held.values():
            os.close(descriptor)
        self._held.clear()

    def require(self, roots: Sequence[Path]) -> None:
        """Claim these folders; raises SystemFaultError if another process has one of them."""
        for root in roots:
            if why := self.refused(root):
                raise SystemFaultError(f"{printable(root)} {why}")

    def refused(self, root: Path) -> str:
        """Claim a folder; if another process has it, that as a clause, else nothing."""
        try:
            descriptor = os.open(root / ANCHOR, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            return ""
        held = self._held.get(root)
        if held is not None and os.path.sameopenfile(held, descriptor):
            os.close(descriptor)
            return ""
        return self._lock(root, descriptor)

    def _lock(self, root: Path, descriptor: int) -> str:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return "is worked on by another culld; stop that one, or take the folder out of one configuration"
        except OSError as error:  # a file system without locks, such as some network shares
            log.warning("%s cannot be locked (%s): see that no other culld works on it", printable(root), error)
        before, self._held[root] = self._held.get(root), descriptor
        if before is not None:
            os.close(before)
        return ""


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
        running = f"culld is already running on {printable(state)} (process {_written_by(descriptor)})"
        text = f"{running}; stop it, or set another `state` folder"
        raise SystemFaultError(text) from error


def _written_by(descriptor: int) -> str:
    """The process whose number stands in a lock file."""
    return os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "unknown"


def _broken(file: Path, done: str, error: OSError) -> str:
    advice = "set `state` to a folder on a local disk that this user can write to"
    return f"{printable(file)} cannot be {done} ({error.strerror}); {advice}"
