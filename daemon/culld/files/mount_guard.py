"""Which of the configured folders may be used now: those that are the very ones of the last time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from culld.files.mount_marker import FolderState, Unreachable, inspect, unavailable_reason, write_marker

if TYPE_CHECKING:
    from pathlib import Path


class Devices(Protocol):
    """The journal as this module sees it."""

    def device_of(self, folder: Path) -> int | None:
        """The device that a folder was on when it was last used; None if that is not known."""

    def remember_device(self, folder: Path, device: int) -> None:
        """A folder is on this device."""


@dataclass(frozen=True, slots=True)
class MountGuard:
    """Looks at folders, leaves an anchor in those that are right, and remembers where they were."""

    devices: Devices

    def unavailable_reason(self, folder: Path) -> str:
        """Why a folder must not be used now, as a clause; empty if it may be."""
        return self._checked(folder, inspect(folder))

    def check(self, folder: Path) -> str:
        """As `away`, changing nothing."""
        return unavailable_reason(folder, inspect(folder), self.devices.device_of(folder))

    def ensure(self, folder: Path) -> str:
        """As `away`, for a folder of culld's own, which is made if it is missing and its disk is there."""
        if inspect(folder) is not None:
            return self.unavailable_reason(folder)
        near, ground = next((above, found) for above in folder.parents if (found := inspect(above)) is not None)
        if isinstance(ground, Unreachable):
            return f"cannot be made: {unavailable_reason(near, ground, None)}"
        missing = unavailable_reason(folder, FolderState(ground.device, anchored=False), self.devices.device_of(folder))
        if not missing:
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                return f"cannot be made ({error.strerror}): make it for the user that runs culld"
            return self.unavailable_reason(folder)
        return missing

    def _checked(self, folder: Path, ground: FolderState | Unreachable | None) -> str:
        known = self.devices.device_of(folder)
        missing = unavailable_reason(folder, ground, known)
        if (
            not missing
            and isinstance(ground, FolderState)
            and (ground.anchored or write_marker(folder))
            and known != ground.device
        ):
            self.devices.remember_device(folder, ground.device)
        return missing
