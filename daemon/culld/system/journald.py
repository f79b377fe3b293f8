"""Logging to the journal of systemd, with searchable fields, when standard error is connected to it."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Final, Protocol

from logging_journald import JournaldTransport, check_journal_stream

if TYPE_CHECKING:
    from collections.abc import Iterable

FIELDS: Final = "fields"
"""The key in `extra` of a log call for these fields: a mapping of upper-case names to texts."""

_PRIORITIES: Final = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}


class Transport(Protocol):
    """Sends one entry to the journal."""

    def send(self, pairs: Iterable[tuple[str, object]]) -> None:
        """Send one entry; raises OSError if there is no receiver."""


class JournaldHandler(logging.Handler):
    """Writes records to the journal of systemd."""

    def __init__(self, transport: Transport) -> None:
        """Use a transport that is open."""
        super().__init__()
        self._transport = transport

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record; if that fails, write it to standard error, which systemd keeps as well."""
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
    """Log to the journal if standard error is connected to it; return whether it is."""
    try:
        if not check_journal_stream():
            return False
        handler = JournaldHandler(JournaldTransport())
    except (OSError, ValueError):  # no such socket, or $JOURNAL_STREAM was set by another program
        return False
    logging.getLogger().handlers[:] = [handler]
    return True
