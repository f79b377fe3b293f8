"""The check that the disk of a configured folder is mounted.

Each configured folder holds a hidden folder `.culld`, the anchor. If the anchor exists, the folder is available, on any
device. If it is missing, the device decides: on the known one the anchor was removed by hand, on another one the disk
is not mounted.
"""

from __future__ import annotations

import errno
import os
import shlex
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from culld.records import display_path

if TYPE_CHECKING:
    from pathlib import Path

    Advice = tuple[str, str]
    """The problem of a folder, as a clause, and the remedy, in which `{}` stands for the folder."""


ANCHOR: Final = ".culld"


@dataclass(frozen=True, slots=True)
class FolderState:
    """The state of a folder: its device, and whether it holds the anchor."""

    device: int
    anchored: bool


@dataclass(frozen=True, slots=True)
class Unreachable:
    """A folder that cannot be inspected; `number` is the system's error (errno(3))."""

    number: int

    @property
    def what(self) -> str:
        """The problem, as a clause."""
        return _ADVICE[self.number][0] if self.number in _ADVICE else f"cannot be used ({os.strerror(self.number)})"

    def fix(self, folder: Path) -> str:
        """Return what to do about it."""
        advice = _ADVICE[self.number][1] if self.number in _ADVICE else "check the output of `ls -ld {}`"
        return advice.format(shlex.quote(display_path(folder)))


# A FUSE file system whose program has ended gives ENOTCONN, or ECONNABORTED where the kernel ended the connection; it
# stays mounted. A share whose server has forgotten the folder gives ESTALE.
_DEAD: Final[Advice] = ("cannot be used: its mount is dead", "umount -l {} and mount it again")
_ADVICE: Final[dict[int, Advice]] = {
    errno.ENOTCONN: _DEAD,
    errno.ECONNABORTED: _DEAD,
    errno.ESTALE: _DEAD,
    errno.EHOSTDOWN: _DEAD,
    errno.EIO: ("cannot be used: its disk reports an error", "check the disk and its cable, and mount {} again"),
    errno.EACCES: ("cannot be entered: permission denied", "give the user that runs culld access to {}"),
    errno.ENAMETOOLONG: ("cannot be used: its path is too long", "give the folders of {} shorter names"),
}
_NOT_THERE: Final = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}


def inspect(folder: Path) -> FolderState | Unreachable | None:
    """Return the state of the folder at this path; None if there is no folder."""
    try:
        found = folder.stat()
        if not stat.S_ISDIR(found.st_mode):
            return None
        return FolderState(found.st_dev, _is_anchored(folder))
    except OSError as error:
        return None if error.errno in _NOT_THERE else Unreachable(error.errno or 0)


def _is_anchored(folder: Path) -> bool:
    try:
        return stat.S_ISDIR((folder / ANCHOR).stat().st_mode)
    except OSError as error:
        if error.errno in _NOT_THERE | {errno.EACCES}:
            return False
        raise


def unavailable_reason(folder: Path, state: FolderState | Unreachable | None, known_device: int | None) -> str:
    """Return why a folder must not be used now, as a clause; empty if it may. `known_device` is its last device."""
    if state is None:
        return "is missing"
    if isinstance(state, Unreachable):
        return f"{state.what}; {state.fix(folder)}"
    if state.anchored or known_device in {None, state.device}:
        return ""
    anchor = display_path(folder / ANCHOR)
    return f"is on another disk than before: is its own not mounted? If this is its new place, run `mkdir {anchor}`"


def write_marker(folder: Path) -> bool:
    """Create the anchor; return whether that worked: a folder that cannot be written to stays without one."""
    try:
        (folder / ANCHOR).mkdir(mode=0o755, exist_ok=True)
    except OSError:
        return False
    return True


class Devices(Protocol):
    """The part of the journal that this module needs."""

    def device_of(self, folder: Path) -> int | None:
        """Return the device that a folder was on when it was last used; None if that is not known."""

    def remember_device(self, folder: Path, device: int) -> None:
        """Store the device that a folder is on."""


@dataclass(frozen=True, slots=True)
class MountGuard:
    """Checks folders, creates the anchor in those that are available, and stores their devices."""

    devices: Devices

    def unavailable_reason(self, folder: Path) -> str:
        """Return why a folder must not be used now, as a clause; empty if it may. Creates the anchor if it may."""
        return self._checked(folder, inspect(folder))

    def check(self, folder: Path) -> str:
        """Return the same as `unavailable_reason`, without creating the anchor or storing the device."""
        return unavailable_reason(folder, inspect(folder), self.devices.device_of(folder))

    def ensure(self, folder: Path) -> str:
        """Create a folder of culld if it is missing and its disk is mounted; return as `unavailable_reason`."""
        if inspect(folder) is not None:
            return self.unavailable_reason(folder)
        near, state = next((above, found) for above in folder.parents if (found := inspect(above)) is not None)
        if isinstance(state, Unreachable):
            return f"cannot be made: {unavailable_reason(near, state, None)}"
        missing = unavailable_reason(folder, FolderState(state.device, anchored=False), self.devices.device_of(folder))
        if not missing:
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                return f"cannot be made ({error.strerror}): make it for the user that runs culld"
            return self.unavailable_reason(folder)
        return missing

    def _checked(self, folder: Path, state: FolderState | Unreachable | None) -> str:
        known = self.devices.device_of(folder)
        missing = unavailable_reason(folder, state, known)
        if (
            not missing
            and isinstance(state, FolderState)
            and (state.anchored or write_marker(folder))
            and known != state.device
        ):
            self.devices.remember_device(folder, state.device)
        return missing
