"""The locks of processes on folders; the kernel releases them when a process ends, also if it is killed."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from culld.errors import SystemFaultError
from culld.files.open_beneath import folder
from culld.files.os_errors import translate_errors
from culld.files.root_owner import Owner, Role, is_watched, open_anchor, read_owner, write_owner
from culld.records import display_path
from culld.retry import LOCK_RETRY_AFTER_S, LOCK_TRIES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

log = logging.getLogger(__name__)


@contextmanager
def state_lock(state: Path) -> Iterator[None]:
    """Hold the lock of the only daemon on the folder `state`, which is created if it is missing.

    Raises SystemFaultError, which names the other process, if there is one.
    """
    file = state / "daemon.lock"
    descriptor = _opened(file)
    # The file is not removed: another process could lock a new file of that name at the same time.
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


def lock_holder(state: Path) -> str:
    """Return the id of the process that holds the lock of `state`; empty if there is none, or it cannot be read."""
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


class RootLocks:
    """The locks of this process on the anchors of the folders that it uses; `close` releases them.

    The lock of a watched folder is exclusive, that of a quarantine shared with other processes that use it as a
    quarantine. With `state`, the folder of this culld's journal, the anchor also holds the owner of the folder, for
    the time that no culld runs. A folder that is missing, or has no anchor, belongs to no culld.
    """

    def __init__(self, state: Path | None = None) -> None:
        """Hold no lock yet."""
        self._state = state
        self._held: dict[Path, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release all locks."""
        for descriptor in self._held.values():
            os.close(descriptor)
        self._held.clear()

    def acquire_all(self, roots: Sequence[Path], quarantine: Path | None = None) -> None:
        """Lock these folders; raises SystemFaultError if another process uses one of them, or one above a root."""
        for root in roots:
            if why := self.acquire(root):
                raise SystemFaultError(f"{display_path(root)} {why}")
        if quarantine is not None and (why := self.quarantine_refused(quarantine)):
            raise SystemFaultError(f"the quarantine {display_path(quarantine)} {why}")

    def acquire(self, root: Path) -> str:
        """Lock a watched folder; return an empty text, or why it is refused: another culld uses it, or one above it."""
        return self._claim(root, Role.WATCHED)

    def quarantine_refused(self, quarantine: Path) -> str:
        """Lock a quarantine; return as a clause that another process watches this folder, or an empty text.

        It may lie below a folder that another culld watches: that culld skips it.
        """
        return self._claim(quarantine, Role.QUARANTINE)

    def _claim(self, folder: Path, role: Role) -> str:
        descriptor, held = open_anchor(folder), self._held.get(folder)
        if descriptor is None:
            return self._above(folder, role)
        if held is not None and os.path.sameopenfile(held, descriptor):
            os.close(descriptor)
            return ""
        if why := self._above(folder, role) or _lock(folder, descriptor, role):
            os.close(descriptor)
            return why
        self._held[folder] = descriptor
        if held is not None:
            os.close(held)
        self._write_owner(folder, descriptor, role)
        return ""

    def _above(self, root: Path, role: Role) -> str:
        """Return as a clause that another culld uses a folder above a watched one; a quarantine may lie below one."""
        for above in root.parents if role is Role.WATCHED else ():
            anchor = open_anchor(above)
            if anchor is None:
                continue
            try:
                owner = read_owner(anchor)
                if is_watched(anchor):
                    return f"lies in {display_path(above)}, which another culld watches; {_STOP}"
                if owner is not None and owner.role is Role.QUARANTINE and owner.state != self._name:
                    return f"lies in {display_path(above)}, which {owner}; {_STOP}"
            finally:
                os.close(anchor)
        return ""

    @property
    def _name(self) -> str:
        return "" if self._state is None else display_path(self._state)

    def _write_owner(self, folder: Path, anchor: int, role: Role) -> None:
        """Write the owner to the anchor; processes that share a quarantine leave it as it is."""
        owner, before = Owner(role, self._name), read_owner(anchor)
        is_shared = role is Role.QUARANTINE and before is not None and before.role is role
        if self._state is None or owner == before or is_shared:
            return
        try:
            write_owner(anchor, owner)
        except OSError as error:
            log.info("the owner of %s cannot be written to its .culld folder: %s", display_path(folder), error)


_STOP: Final = "stop that one, or take the folder out of one configuration"


def _lock(folder: Path, descriptor: int, role: Role) -> str:
    """Lock an open anchor; a process that only asks whether it is locked has it for a moment, so there are tries."""
    for _ in range(LOCK_TRIES):
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_EX if role is Role.WATCHED else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(LOCK_RETRY_AFTER_S)
            continue
        except OSError as error:  # a file system without locks, such as some network shares
            log.warning("%s cannot be locked (%s): make sure that no other culld uses it", display_path(folder), error)
        return ""
    return f"is used by another culld; {_STOP}"


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
        running = f"culld is already running on {display_path(state)} (process {_written_by(descriptor)})"
        text = f"{running}; stop it first (Ctrl-C, or `systemctl stop culld`)"
        raise SystemFaultError(text) from error


def _written_by(descriptor: int) -> str:
    """Return the process id in a lock file."""
    return os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "unknown"


def _broken(file: Path, done: str, error: OSError) -> str:
    advice = "set `state` to a folder on a local disk that this user can write to"
    return f"{display_path(file)} cannot be {done} ({error.strerror}); {advice}"


# NFS emulates flock with record locks, which need a descriptor open for writing; a folder cannot be opened for writing.
_NO_LOCKS = {errno.EBADF, errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL}


@contextmanager
def folder_lock(root: Path) -> Iterator[None]:
    """Wait for, and hold, the lock of a configured folder, so that the daemon and `culld restore` do not overlap.

    On file systems without locks the block runs without one.
    """
    with folder(root, Path()) as descriptor:
        with translate_errors(root, "lock the folder"):
            _flock(descriptor)
        yield  # closing the descriptor frees the lock


def _flock(descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
