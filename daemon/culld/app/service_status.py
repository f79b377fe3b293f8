"""The reports of the daemon to the service manager: heartbeats while there is progress, and a status line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from culld.ports import Clock
    from culld.system.sd_notify import Notifier


@dataclass(slots=True)
class ServiceStatus:
    """Sends heartbeats and status lines; the manager expects a heartbeat every `watchdog_s` seconds (None: never)."""

    notifier: Notifier
    watchdog_s: float | None
    clock: Clock
    _last_heartbeat: float = float("-inf")
    _last_status: str = ""

    @property
    def watchdog_half_s(self) -> float:
        """How long the loop may sleep between two heartbeats, in seconds; infinite without a watchdog."""
        return self.watchdog_s / 2 if self.watchdog_s else float("inf")

    def heartbeat(self) -> None:
        """Send a heartbeat, unless the last one is younger than a quarter of the watchdog interval."""
        now = self.clock.monotonic()
        if self.watchdog_s and now - self._last_heartbeat >= self.watchdog_s / 4:
            self._last_heartbeat = now
            self.notifier.watchdog()

    def set_status(self, text: str) -> bool:
        """Send a status line if it is not the last one that was sent, and return whether it was sent."""
        changed = text != self._last_status
        if changed:
            self._last_status = text
            self.notifier.status(text)
        return changed

    def ready(self) -> None:
        """Report that start or reload is complete."""
        self.notifier.ready(self._last_status)
