"""`culld log`: what was decided, and why."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

from culld.cli import config_option, exit_codes, since_option
from culld.records import Verdict, display_path

if TYPE_CHECKING:
    import argparse

    from culld.records import RecordedDecision


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Offer the command."""
    parser = subparsers.add_parser("log", help="the last decisions, and why")
    config_option.add_option(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("-n", "--limit", type=int, default=50, metavar="N", help="at most so many (50)")
    parser.add_argument(
        "--since", type=since_option.parse_since, metavar="T", help="only since then: 2h, 7d, 2026-05-01"
    )
    parser.add_argument("--verdict", type=Verdict, choices=list(Verdict), help="only these")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print decisions, the oldest of the chosen ones first, as in a log."""
    from culld.app.startup import open_journal_readonly  # noqa: PLC0415

    with contextlib.closing(open_journal_readonly(config_option.state(args))) as journal:
        decisions = journal.decisions(args.limit, args.since, args.verdict)
    for decision in reversed(decisions):
        print(json.dumps(as_json(decision)) if args.json else as_text(decision))
    return exit_codes.FINE


def as_json(decision: RecordedDecision) -> dict[str, object]:
    """A decision with the keys of `culld score`, and what came of it."""
    scores = decision.scores
    return {
        "at": decision.made_at.isoformat(timespec="seconds"),
        "path": display_path(decision.place.path),
        "blur": scores and scores.blur,
        "under": scores and scores.under,
        "over": scores and scores.over,
        "verdict": decision.verdict,
        "reason": decision.reason,
        "model": decision.model,
        "policy": decision.policy,
        "state": decision.state,
        "now": display_path(decision.now.path) if decision.ended or decision.restored else None,
        "note": decision.note,
        "fault": decision.fault,
        "restored": decision.restored_at and decision.restored_at.isoformat(timespec="seconds"),
    }


def as_text(decision: RecordedDecision) -> str:
    """A decision in one line."""
    extras = [
        decision.note,
        f"not done: {decision.fault}" if decision.fault else "",
        f"restored {decision.restored_at.astimezone():%Y-%m-%d %H:%M}" if decision.restored_at else "",
    ]
    at, path = f"{decision.made_at.astimezone():%Y-%m-%d %H:%M:%S}", display_path(decision.place.relative)
    return "; ".join([f"{at}  {decision.verdict:<10}  {path}  {decision.reason}", *filter(None, extras)])
