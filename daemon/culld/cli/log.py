"""`culld log`: past decisions with their reasons."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from culld.app.decision_json import decision_json
from culld.app.decisions import LogRequest, past_decisions
from culld.cli import configuration, exit_codes
from culld.records import display_path

if TYPE_CHECKING:
    import argparse

    from culld.records import RecordedDecision


def run(args: argparse.Namespace) -> int:
    """Print the selected decisions, the oldest first."""
    decisions = past_decisions(configuration.state(args), LogRequest(args.limit, args.since, args.verdict))
    for decision in reversed(decisions):
        print(json.dumps(decision_json(decision)) if args.json else as_text(decision))
    return exit_codes.FINE


def as_text(decision: RecordedDecision) -> str:
    """Return a decision as one line."""
    extras = [
        decision.note,
        f"not done: {decision.fault}" if decision.fault else "",
        f"restored {decision.restored_at.astimezone():%Y-%m-%d %H:%M}" if decision.restored_at else "",
    ]
    at, path = f"{decision.made_at.astimezone():%Y-%m-%d %H:%M:%S}", display_path(decision.place.relative)
    return "; ".join([f"{at}  {decision.verdict:<10}  {path}  {decision.reason}", *filter(None, extras)])
