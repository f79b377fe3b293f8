"""What is told of each photo: one line for the log and for people."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from culld.records import Defect, Scores, Verdict, display_path
from culld.system.journald import FIELDS

if TYPE_CHECKING:
    from culld.records import Outcome

log = logging.getLogger("culld.imaging")


def log_line(outcome: Outcome) -> str:
    """One photo in one line: verdict, where it is, scores, and the reason."""
    plan = outcome.plan
    result = plan.stack.primary.result
    scores = f"  {result}" if isinstance(result, Scores) else ""
    told = f"{plan.verdict:<10}{scores}  {display_path(plan.photo.place.relative)}"
    if plan.verdict is not Verdict.KEEP:  # there the scores are the reason
        told = f"{told}  ({plan.reason})"
    extras = [*plan.notes, outcome.note, f"not done: {outcome.fault}" if outcome.fault else ""]
    return "; ".join([told, *filter(None, extras)])


def report(outcome: Outcome) -> None:
    """Log one outcome: what went wrong as a warning, what changed as news, what was kept as a detail."""
    bad = outcome.fault or outcome.plan.verdict is Verdict.UNREADABLE
    log.log(logging.WARNING if bad else logging.INFO, "%s", log_line(outcome), extra={FIELDS: journal_fields(outcome)})


def journal_fields(outcome: Outcome) -> dict[str, str]:
    """What the journal of systemd can be searched for: `journalctl VERDICT=quarantine`."""
    plan, scores = outcome.plan, outcome.plan.stack.primary.result
    found = {
        "PHOTO": display_path(plan.photo.place.path),
        "NOW": display_path(outcome.now.path),
        "VERDICT": plan.verdict.value,
        "RULE": plan.rule,
        "POLICY": plan.policy,
        "FAULT": outcome.fault or "",
    }
    if isinstance(scores, Scores):
        found |= {defect.name: f"{scores.of(defect):.4f}" for defect in Defect}
    return {name: value for name, value in found.items() if value}
