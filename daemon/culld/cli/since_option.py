"""Moments as people write them on a command line."""

from __future__ import annotations

import argparse
import re
from datetime import UTC, datetime, timedelta

_AGO = re.compile(r"(\d+) ?([smhd])")
_MOST_SHOWN = 40
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse_since(text: str) -> datetime:
    """Return the moment `2h` ago, or a date or time such as `2026-05-01` or `2026-05-01T18:30` (local), in UTC.

    Raises argparse.ArgumentTypeError for any other text, and for a moment outside of the calendar.
    """
    ago = _AGO.fullmatch(text)
    try:
        if ago:
            return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        shown = text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."
        raise argparse.ArgumentTypeError(f"{shown!r}: write 30m, 2h, 7d, or a date such as 2026-05-01") from error
