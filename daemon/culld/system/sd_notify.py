"""The service manager's notification socket: what `sd_notify(3)` sends, over a plain datagram socket.

Without $NOTIFY_SOCKET (not under systemd) messages are discarded.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

log = logging.getLogger(__name__)

_MAX_STATUS: Final = 400
# A manager that does not read must not block the loop that sends WATCHDOG.
_SEND_TIMEOUT_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Notifier:
    """Reports the daemon's state to the service manager; `address` is None where there is no manager."""

    address: str | None = None

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Notifier:
        """Return the notifier for the socket that this environment names."""
        address = environ.get("NOTIFY_SOCKET", "")
        # Other address families (vsock, for virtual machines) are not used for services.
        return cls(address if address.startswith(("/", "@")) else None)

    def ready(self, status: str) -> None:
        """Report that the start or the reload is complete; `systemctl status` shows `status`."""
        self._send("READY=1", _status(status))

    def status(self, text: str) -> None:
        """Show one line in `systemctl status`."""
        self._send(_status(text))

    def reloading(self) -> None:
        """Report that a reload begins; a call of `ready` must follow.

        The time is part of the protocol: without it `systemctl reload` of a notify-reload unit fails.
        """
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def watchdog(self) -> None:
        """Report that the daemon makes progress; only the loop that makes it may call this."""
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """Report that the daemon is shutting down."""
        self._send("STOPPING=1")

    def _send(self, *lines: str) -> None:
        if self.address is None:
            return
        # A leading @ stands for the zero byte of Linux's abstract addresses.
        address = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                sender.settimeout(_SEND_TIMEOUT_S)
                sender.sendto("\n".join(lines).encode("utf-8", "backslashreplace"), os.fsencode(address))
        except OSError as error:
            # The daemon goes on: if WATCHDOG does not arrive, the manager restarts the daemon by itself.
            log.warning("%s cannot be sent to the service manager: %s", lines[0], error)


def watchdog_seconds(environ: Mapping[str, str], pid: int) -> float | None:
    """Return the seconds within which the manager expects `watchdog`; None if it does not watch the process `pid`.

    $WATCHDOG_USEC and $WATCHDOG_PID are described in sd_watchdog_enabled(3), which advises to call at half that time.
    """
    try:
        micros = int(environ["WATCHDOG_USEC"])
        watched = int(environ.get("WATCHDOG_PID", pid))
    except (KeyError, ValueError):
        return None
    return micros / 1e6 if micros > 0 and watched == pid else None


def _status(text: str) -> str:
    # A line break would begin another message.
    return f"STATUS={' '.join(text.split())[:_MAX_STATUS]}"
