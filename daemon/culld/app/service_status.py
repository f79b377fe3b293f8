"""What the service manager hears: a beat while there is progress, and one line of status when it has changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from culld.ports import Clock
    from culld.system.sd_notify import Notifier


@dataclass(slots=True)
class ServiceStatus:
    """The daemon's voice; the manager wants to hear of progress every `watchdog_s` seconds (None: never)."""

    notifier: Notifier
    watchdog_s: float | None
    clock: Clock
    _last_heartbeat: float = float("-inf")
    _last_status: str = ""

    @property
    def watchdog_half_s(self) -> float:
        """How long the loop may sleep between two beats, in seconds."""
        return self.watchdog_s / 2 if self.watchdog_s else float("inf")

    def heartbeat(self) -> None:
        """There was progress; told a few times within each watchdog interval, not at every step."""
        now = self.clock.monotonic()
        if self.watchdog_s and now - self._last_heartbeat >= self.watchdog_s / 4:
            self._last_heartbeat = now
            self.notifier.watchdog()

    def set_status(self, text: str) -> bool:
        """Show this line as the status; returns whether it is another one than before."""
        changed = text != self._last_status
        if changed:
            self._last_status = text
            self.notifier.status(text)
        return changed

    def ready(self) -> None:
        """Start or reload is complete."""
        self.notifier.ready(self._last_status)
