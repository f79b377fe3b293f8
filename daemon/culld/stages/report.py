"""The stage `report`: one log line for each outcome."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from culld.records import Scores, Verdict, display_path
from culld.system.journald import FIELDS

if TYPE_CHECKING:
    from culld.records import Outcome

log = logging.getLogger("culld.imaging")


def log_line(outcome: Outcome) -> str:
    """Return an outcome in one line: verdict, scores, path, reason, notes and fault."""
    plan = outcome.plan
    result = plan.stack.primary.result
    scores = f"  {result}" if isinstance(result, Scores) else ""
    line = f"{plan.verdict:<10}{scores}  {display_path(plan.photo.place.relative)}"
    if plan.verdict is not Verdict.KEEP:  # the scores are the reason of a keep
        line = f"{line}  ({plan.reason})"
    extras = [*plan.notes, outcome.note, f"not done: {outcome.fault}" if outcome.fault else ""]
    return "; ".join([line, *filter(None, extras)])


def report(outcome: Outcome) -> None:
    """Log an outcome: a fault or an unreadable photo as a warning, any other as information."""
    bad = outcome.fault or outcome.plan.verdict is Verdict.UNREADABLE
    log.log(logging.WARNING if bad else logging.INFO, "%s", log_line(outcome), extra={FIELDS: journal_fields(outcome)})


def journal_fields(outcome: Outcome) -> dict[str, str]:
    """Return the fields by which the systemd journal can be searched: `journalctl VERDICT=quarantine`."""
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
        found |= {defect.name: f"{scores.of(defect):.4f}" for defect in scores.known}
    return {name: value for name, value in found.items() if value}
