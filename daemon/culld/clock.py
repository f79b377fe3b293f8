"""The clocks of the operating system."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

_UPTIME: Final = Path("/proc/uptime")
_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")


class SystemClock:
    """The wall clock, the monotonic clock and the boot clock of the machine."""

    def now(self) -> datetime:
        """Return the current time, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never decrease."""
        return time.monotonic()

    def uptime(self) -> float:
        """Return the seconds since boot, sleep included; setting the wall clock does not change them.

        They come from /proc/uptime (proc(5)), or from CLOCK_BOOTTIME where there is no /proc.
        """
        try:
            return float(_UPTIME.read_text(encoding="ascii").split()[0])
        except (OSError, ValueError, IndexError):
            return time.clock_gettime(time.CLOCK_BOOTTIME)

    def boot(self) -> str:
        """Return the identifier of this boot, from random(4); empty where there is no /proc."""
        try:
            return _BOOT.read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            return ""
