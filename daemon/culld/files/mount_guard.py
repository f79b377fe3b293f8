"""Which of the configured folders may be used now: those that are the very ones of the last time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from culld.files.mount_marker import Ground, Unreachable, away, drop, survey

if TYPE_CHECKING:
    from pathlib import Path


class Devices(Protocol):
    """The journal as this module sees it."""

    def device_of(self, folder: Path) -> int | None:
        """The device that a folder was on when it was last used; None if that is not known."""

    def remember_device(self, folder: Path, device: int) -> None:
        """A folder is on this device."""


@dataclass(frozen=True, slots=True)
class Anchors:
    """Looks at folders, leaves an anchor in those that are right, and remembers where they were."""

    devices: Devices

    def away(self, folder: Path) -> str:
        """Why a folder must not be used now, as a clause; empty if it may be."""
        return self._checked(folder, survey(folder))

    def glance(self, folder: Path) -> str:
        """As `away`, changing nothing."""
        return away(folder, survey(folder), self.devices.device_of(folder))

    def make(self, folder: Path) -> str:
        """As `away`, for a folder of culld's own, which is made if it is missing and its disk is there."""
        if survey(folder) is not None:
            return self.away(folder)
        near, ground = next((above, found) for above in folder.parents if (found := survey(above)) is not None)
        if isinstance(ground, Unreachable):
            return f"cannot be made: {away(near, ground, None)}"
        missing = away(folder, Ground(ground.device, anchored=False), self.devices.device_of(folder))
        if not missing:
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                return f"cannot be made ({error.strerror}): make it for the user that runs culld"
            return self.away(folder)
        return missing

    def _checked(self, folder: Path, ground: Ground | Unreachable | None) -> str:
        known = self.devices.device_of(folder)
        missing = away(folder, ground, known)
        if not missing and isinstance(ground, Ground) and (ground.anchored or drop(folder)) and known != ground.device:
            self.devices.remember_device(folder, ground.device)
        return missing
