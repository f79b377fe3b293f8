"""Alerts to the user, by the configured command or webhook; without either they are only logged.

Each alert is sent by a process of its own, which is killed at a deadline: the answer of a server, or the time that its
name takes to be looked up, can hold nothing else up. A thread starts these processes one after the other.
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
        """Send an alert soon; returns at once. Of more than eight that wait, the oldest is dropped."""
        if not self._command and self._webhook is None:
            return
        with self._changed:
            self._waiting.append({"subject": subject, "text": text, **more})
            if len(self._waiting) > _MOST_WAITING:
                log.warning("too many alerts wait, so this one is not sent: %s", self._waiting.popleft()["subject"])
            if not self._is_sending and not self._is_closed:
                self._start()

    def close(self, patience_s: float) -> None:
        """Wait up to a time-out for the alerts that are left, then kill the one being sent and drop the rest."""
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
        while (told := self._next()) is not None:
            if self._command:
                self._run(self._command, told)
            if self._webhook is not None:
                self._post(self._webhook, told)

    def _next(self) -> dict[str, object] | None:
        with self._changed:
            if self._waiting and not self._is_closed:
                return self._waiting.popleft()
            self._is_sending = False
            self._changed.notify_all()
            return None

    def _run(self, command: tuple[str, ...], told: dict[str, object]) -> None:
        try:
            self._finish(command, json.dumps(told).encode(), subprocess.DEVNULL)
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            self._complain(f"the alert command {command[0]} did not work: {_words(error)}")

    def _post(self, address: str, told: dict[str, object]) -> None:
        asked = json.dumps({"address": address, "told": told, "patience_s": self._patience_s}).encode()
        try:
            self._finish(_POSTING, asked, subprocess.PIPE)
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            self._complain(f"the alert could not be posted: {_words(error)}")

    def _complain(self, text: str) -> None:
        if not self._is_closed:  # then what was ended said so, and this is only its consequence
            log.warning("%s", text)

    def _finish(self, command: tuple[str, ...], told: bytes, output: int) -> None:
        """Run a command to its end; raises OSError, ValueError or SubprocessError if it fails or takes too long."""
        # It gets a session of its own, so that what it has started in turn is killed with it.
        with subprocess.Popen(  # noqa: S603 (the configuration names the command, no shell reads it)
            command, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.DEVNULL, start_new_session=True
        ) as process:
            self._begun(process)
            try:
                answer, _ = process.communicate(told, self._patience_s)
            finally:
                with self._changed:
                    self._process = None
                _kill(process)
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command, answer)

    def _begun(self, process: subprocess.Popen[bytes]) -> None:
        with self._changed:
            self._process = process
            if self._is_closed:  # meanwhile
                _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process that still runs, and the processes that it started."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _words(error: Exception) -> str:
    if isinstance(error, subprocess.TimeoutExpired):
        return f"it took longer than {error.timeout:g} s"
    if isinstance(error, subprocess.CalledProcessError):
        told = (error.output or b"").decode(errors="replace").strip()
        return told or f"it ended with {error.returncode}"
    return str(error)
