"""Where the log goes: to the journal of systemd with fields that can be searched for, as plain text everywhere else."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Final, Protocol

from logging_journald import JournaldTransport, check_journal_stream

if TYPE_CHECKING:
    from collections.abc import Iterable

FIELDS: Final = "fields"
"""The `extra` of a log call under which it may give such fields, as a mapping of upper-case names to texts."""

_PRIORITIES: Final = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}


class Transport(Protocol):
    """Sends one entry to the journal."""

    def send(self, pairs: Iterable[tuple[str, object]]) -> None:
        """Raises OSError if nobody listens."""


class JournaldHandler(logging.Handler):
    """Writes records to the journal of systemd."""

    def __init__(self, transport: Transport) -> None:
        """Speak through a transport that is open."""
        super().__init__()
        self._transport = transport

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record; what cannot be sent goes to standard error, which systemd keeps as well."""
        fields = getattr(record, FIELDS, {})
        priority = _PRIORITIES.get(record.levelno, 5)
        message = self.format(record)
        try:
            self._transport.send(
                [("MESSAGE", message), ("PRIORITY", priority), ("SYSLOG_IDENTIFIER", "culld"), *fields.items()]
            )
        except OSError:
            sys.stderr.write(message + "\n")


def log_to_journald() -> bool:
    """Log to the journal if that is where standard error goes; whether it is."""
    try:
        if not check_journal_stream():
            return False
        handler = JournaldHandler(JournaldTransport())
    except (OSError, ValueError):  # no such socket; a variable that somebody else set
        return False
    logging.getLogger().handlers[:] = [handler]
    return True
