"""The use cases `report` and `policy suggest`: the feedback of the user on the photos that culld moved.

The feedback comes from the journal and from the files that are in quarantine now.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from culld.app.model_files import resolve_policies
from culld.app.returned import is_gone
from culld.app.startup import open_journal_readonly
from culld.records import BY_PERSON, Defect
from culld.stages.decide.feedback import QuarantinedFeedback, defect_of, feedback_counts, feedback_for, suggest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from culld.config import Config
    from culld.journal.store import SqliteJournal
    from culld.records import Threshold, Verdict
    from culld.stages.decide.feedback import FeedbackCounts, Suggestion

LEAST_ANSWERS: Final = 20
"""The number of rejects of a defect with feedback that a suggested threshold needs at least."""


@dataclass(frozen=True, slots=True)
class RejectReport:
    """The feedback on rejects in groups by `defect`, `camera` and `rule`.

    `decisions` holds the number of decisions per verdict, `held` the number of photos that matched the reject rules but
    were not moved because of the mode or the brake.
    """

    groups: Mapping[str, list[FeedbackCounts]]
    decisions: Mapping[Verdict, int]
    held: int


@dataclass(frozen=True, slots=True)
class SuggestRequest:
    """The share of right rejects that a threshold should reach (0 to 1), by the rejects since `since` (None: all)."""

    precision: float
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class SuggestedThreshold:
    """The configured threshold of a defect, and the suggestion."""

    now: Threshold
    suggestion: Suggestion


def report_rejects(state: Path, since: datetime | None) -> RejectReport:
    """Count the feedback on rejects since a moment (None: all); raises SystemFaultError if culld has not run yet."""
    with open_journal_readonly(state) as journal:
        answered = feedback_of_people(journal, since)
        groups = {
            "defect": feedback_counts(answered, defect_of),
            "camera": feedback_counts(answered, lambda reject: reject.photo.camera.model or "unknown"),
            "rule": feedback_counts(answered, lambda reject: reject.rule or "unknown"),
        }
        return RejectReport(groups, journal.counts(since), journal.unwanted(since))


def suggest_thresholds(config: Config, request: SuggestRequest) -> list[SuggestedThreshold]:
    """Suggest a threshold for each defect; the configuration is not changed.

    Raises ConfigError if a threshold cannot be resolved, SystemFaultError if culld has not run yet.
    """
    policy = resolve_policies(config).default
    with open_journal_readonly(config.state) as journal:
        answered = feedback_of_people(journal, request.since)
    return [
        SuggestedThreshold(policy.of(defect), suggest(answered, defect, request.precision, LEAST_ANSWERS))
        for defect in Defect
    ]


def feedback_of_people(journal: SqliteJournal, since: datetime | None) -> list[QuarantinedFeedback]:
    """Return every reject of the policy since a moment (None: all) with its feedback; the quarantine is checked now."""
    confirmed = journal.confirmed()
    return [
        QuarantinedFeedback(
            reject,
            feedback_for(
                reject,
                gone=not (reject.restored or reject.released) and is_gone(reject.now),
                confirmed=reject.plan in confirmed,
            ),
        )
        for reject in journal.rejects(since)
        if reject.rule != BY_PERSON
    ]
