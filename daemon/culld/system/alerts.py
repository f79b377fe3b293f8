"""Alerts to the user, by the configured command or webhook; without either they are only logged.

Each alert is sent by a separate process, which is killed at a deadline, so that a slow server or name lookup delays
nothing else. A thread starts these processes one after the other.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

log = logging.getLogger(__name__)

TIMEOUT_S: Final = 10.0
"""How long culld waits for a command, or for the response to a post."""
_MOST_WAITING: Final = 8
_POSTING: Final = (sys.executable, "-P", "-m", "culld.system.webhook_post")


class Alerts:
    """Sends alerts as JSON, to the input of a command and to the address of a webhook; either may be left out.

    A failure is logged in one line and not tried again.
    """

    def __init__(
        self, command: Sequence[str] = (), webhook: str | None = None, *, patience_s: float = TIMEOUT_S
    ) -> None:
        """Start nothing yet."""
        self._command = tuple(command)
        self._webhook = webhook
        self._patience_s = patience_s
        self._changed = threading.Condition()
        self._waiting: deque[dict[str, object]] = deque()
        self._is_sending = False
        self._is_closed = False
        self._process: subprocess.Popen[bytes] | None = None

    def send(self, subject: str, text: str, **more: object) -> None:
        """Queue an alert, and return at once. If more than eight are waiting, the oldest is dropped."""
        if not self._command and self._webhook is None:
            return
        with self._changed:
            self._waiting.append({"subject": subject, "text": text, **more})
            if len(self._waiting) > _MOST_WAITING:
                log.warning("too many alerts wait, so this one is not sent: %s", self._waiting.popleft()["subject"])
            if not self._is_sending and not self._is_closed:
                self._start()

    def close(self, patience_s: float) -> None:
        """Wait up to `patience_s` seconds for the queued alerts, then end the current one and drop the rest."""
        with self._changed:
            self._changed.wait_for(lambda: not self._is_sending, patience_s)
            self._is_closed = True
            if self._process is not None:
                _kill(self._process)
            if self._is_sending:
                log.warning("stopped before all alerts were sent")

    def _start(self) -> None:
        try:
            threading.Thread(target=self._send_all, name="alerts", daemon=True).start()
        except RuntimeError as error:  # no more threads can be started; the next alert tries again
            log.warning("the alert cannot be sent yet: %s", error)
        else:
            self._is_sending = True

    def _send_all(self) -> None:
        while (alert := self._next()) is not None:
            if self._command:
                self._run(self._command, alert)
            if self._webhook is not None:
                self._post(self._webhook, alert)

    def _next(self) -> dict[str, object] | None:
        with self._changed:
            if self._waiting and not self._is_closed:
                return self._waiting.popleft()
            self._is_sending = False
            self._changed.notify_all()
            return None

    def _run(self, command: tuple[str, ...], alert: dict[str, object]) -> None:
        try:
            self._finish(command, json.dumps(alert).encode(), subprocess.DEVNULL)
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            self._warn(f"the alert command {command[0]} did not work: {_reason(error)}")

    def _post(self, address: str, alert: dict[str, object]) -> None:
        request = json.dumps({"address": address, "told": alert, "patience_s": self._patience_s}).encode()
        try:
            self._finish(_POSTING, request, subprocess.PIPE)
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            self._warn(f"the alert could not be posted: {_reason(error)}")

    def _warn(self, text: str) -> None:
        if not self._is_closed:  # after `close`, which has logged a warning, the failure is only its consequence
            log.warning("%s", text)

    def _finish(self, command: tuple[str, ...], content: bytes, output: int) -> None:
        """Run a command to its end with `content` as its input.

        Raises OSError, ValueError or SubprocessError if it fails or takes too long.
        """
        # In a session of its own, so that the processes which it starts are killed with it.
        with subprocess.Popen(  # noqa: S603 (the configuration names the command, no shell reads it)
            command, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.DEVNULL, start_new_session=True
        ) as process:
            self._begun(process)
            try:
                answer, _ = process.communicate(content, self._patience_s)
            finally:
                with self._changed:
                    self._process = None
                _kill(process)
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command, answer)

    def _begun(self, process: subprocess.Popen[bytes]) -> None:
        with self._changed:
            self._process = process
            if self._is_closed:  # `close` was called before the process existed
                _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process that still runs, with the processes that it started."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _reason(error: Exception) -> str:
    if isinstance(error, subprocess.TimeoutExpired):
        return f"it took longer than {error.timeout:g} s"
    if isinstance(error, subprocess.CalledProcessError):
        output = (error.output or b"").decode(errors="replace").strip()
        return output or f"it ended with {error.returncode}"
    return str(error)
