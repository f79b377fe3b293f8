"""The use case `resume`: photos are moved again after the brake stopped it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from culld.app.startup import open_journal_without_replay
from culld.clock import SystemClock
from culld.stages.decide.brake import resume

if TYPE_CHECKING:
    from culld.config import Config


def release_brake(config: Config) -> bool:
    """Release the brake, and return whether it was on; a running daemon notices with its next decision."""
    with open_journal_without_replay(config) as journal:
        return resume(journal, SystemClock())
