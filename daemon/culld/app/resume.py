"""The use case `resume`: release the brake, so that photos are moved again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from culld.app.startup import open_journal_without_replay
from culld.clock import SystemClock
from culld.stages.decide.brake import resume

if TYPE_CHECKING:
    from culld.config import Config


def release_brake(config: Config) -> bool:
    """Release the brake, and return whether it was active; a running daemon checks it at its next decision."""
    with open_journal_without_replay(config) as journal:
        return resume(journal, SystemClock())
