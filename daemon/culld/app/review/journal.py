"""Opening the journal for the review page, while the daemon runs and while it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from culld.app.startup import JOURNAL
from culld.clock import SystemClock
from culld.journal.review import ReviewReader

if TYPE_CHECKING:
    from pathlib import Path


def open_review(state: Path) -> ReviewReader:
    """Return the journal in a state folder; raises SystemFaultError if there is none."""
    return ReviewReader.open(state / JOURNAL, SystemClock())
