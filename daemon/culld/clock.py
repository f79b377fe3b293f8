"""The real clocks."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

_UPTIME: Final = Path("/proc/uptime")
_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")


class SystemClock:
    """The machine's wall clock and its steady clocks."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        return time.monotonic()

    def uptime(self) -> float:
        """Seconds since the start of the machine, sleep included; nothing that sets the wall clock changes them.

        By proc(5), the first number of /proc/uptime; where there is no /proc, by CLOCK_BOOTTIME, which is the same.
        """
        try:
            return float(_UPTIME.read_text(encoding="ascii").split()[0])
        except (OSError, ValueError, IndexError):
            return time.clock_gettime(time.CLOCK_BOOTTIME)

    def boot(self) -> str:
        """The identifier of this start of the machine, by random(4); empty where there is no /proc."""
        try:
            return _BOOT.read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            return ""
