"""`culld log`: what was decided, and why."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from culld.app.decisions import past_decisions
from culld.cli import configuration, exit_codes
from culld.journal.history import Filter
from culld.records import display_path

if TYPE_CHECKING:
    import argparse

    from culld.journal.history import Decision


def run(args: argparse.Namespace) -> int:
    """Print decisions, the oldest of the chosen ones first, as in a log."""
    decisions = past_decisions(configuration.state(args), Filter(args.limit, args.since, args.verdict))
    for decision in reversed(decisions):
        print(json.dumps(as_json(decision)) if args.json else as_text(decision))
    return exit_codes.FINE


def as_json(decision: Decision) -> dict[str, object]:
    """A decision with the keys of `culld score`, and what came of it."""
    scores = decision.scores
    return {
        "at": decision.at.isoformat(timespec="seconds"),
        "path": display_path(decision.place.path),
        "blur": scores and scores.blur,
        "under": scores and scores.under,
        "over": scores and scores.over,
        "verdict": decision.verdict,
        "reason": decision.reason,
        "model": decision.model,
        "policy": decision.policy,
        "state": decision.state,
        "now": decision.now_place and display_path(decision.now_place.path),
        "note": decision.note,
        "fault": decision.fault,
        "restored": decision.restored and decision.restored.isoformat(timespec="seconds"),
    }


def as_text(decision: Decision) -> str:
    """A decision in one line."""
    extras = [
        decision.note,
        f"not done: {decision.fault}" if decision.fault else "",
        f"restored {decision.restored.astimezone():%Y-%m-%d %H:%M}" if decision.restored else "",
    ]
    line = (
        f"{decision.at.astimezone():%Y-%m-%d %H:%M:%S}  {decision.verdict:<10}  {display_path(decision.place.relative)}"
    )
    return "; ".join([f"{line}  {decision.reason}", *filter(None, extras)])
