"""What people did with the photos that were moved, by the journal and by what lies in quarantine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from culld.app.returned import is_gone
from culld.stages.decide.feedback import QuarantinedFeedback, feedback_for

if TYPE_CHECKING:
    from datetime import datetime

    from culld.journal.store import SqliteJournal


def feedback_of_people(journal: SqliteJournal, since: datetime | None) -> list[QuarantinedFeedback]:
    """Every reject since a moment with its answer; the quarantine is looked at now."""
    return [
        QuarantinedFeedback(
            reject, feedback_for(reject, gone=not (reject.restored or reject.released) and is_gone(reject.now))
        )
        for reject in journal.rejects(since)
    ]
