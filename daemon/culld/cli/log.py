"""`culld log`: past decisions with their reasons."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

from culld.app.decision_json import decision_json
from culld.app.decisions import LogRequest, past_decisions
from culld.cli import configuration, exit_codes
from culld.cli.terminal import Terminal, terminal_of
from culld.errors import NotRunYetError
from culld.records import Scores, Verdict, display_path
from culld.stages.decide.decide import NO_DEFECT
from culld.stages.decide.thresholds import format_probability

if TYPE_CHECKING:
    import argparse

    from culld.records import RecordedDecision


def run(args: argparse.Namespace) -> int:
    """Print the selected decisions, the oldest first; on a terminal one line each, as wide as it is."""
    try:
        decisions = past_decisions(configuration.state(args), LogRequest(args.limit, args.since, args.verdict))
    except NotRunYetError as error:
        decisions, nothing = [], str(error)
    else:
        nothing = _nothing(args)
    terminal = terminal_of(sys.stdout, os.environ)
    for decision in reversed(decisions):
        print(json.dumps(decision_json(decision)) if args.json else as_row(decision, terminal))
    if not decisions and not args.json:
        print("\n".join(terminal.labelled("", nothing)))
    return exit_codes.FINE


def _nothing(args: argparse.Namespace) -> str:
    kind = f"{args.verdict} " if args.verdict else ""
    since = f" since {args.since.astimezone():%Y-%m-%d %H:%M}" if args.since else ""
    return f"no {kind}decision{since}"


def as_row(decision: RecordedDecision, terminal: Terminal, indent: str = "") -> str:
    """Return a decision as one line: whole, or on a terminal as wide as that, without the keys of the policy."""
    if terminal.width is None:
        return indent + as_text(decision)
    at, path = f"{decision.made_at.astimezone():%Y-%m-%d %H:%M}", display_path(decision.place.relative)
    start = f"{indent}{at}  {decision.verdict:<10}  "
    return terminal.coloured(terminal.row(start, path, _short(decision, terminal)), decision.verdict)


def _short(decision: RecordedDecision, terminal: Terminal) -> str:
    """Return why, as short as it can be: of a photo that reaches no threshold its probabilities."""
    if decision.verdict is Verdict.KEEP and decision.reason.startswith(NO_DEFECT):
        return _highest(decision)
    fault = f"not done: {decision.fault}; " if decision.fault else ""
    restored = "restored; " if decision.restored_at else ""
    return fault + restored + terminal.short(decision.reason)


def _highest(decision: RecordedDecision) -> str:
    """Return the most probable defect with its probability."""
    scores = decision.stack.primary.result
    if not isinstance(scores, Scores):
        return ""
    defect = max(scores.known, key=scores.of)
    return f"{defect} {format_probability(scores.of(defect))}"


def as_text(decision: RecordedDecision) -> str:
    """Return a decision as one whole line."""
    extras = [
        decision.note,
        f"not done: {decision.fault}" if decision.fault else "",
        f"restored {decision.restored_at.astimezone():%Y-%m-%d %H:%M}" if decision.restored_at else "",
    ]
    at, path = f"{decision.made_at.astimezone():%Y-%m-%d %H:%M:%S}", display_path(decision.place.relative)
    return "; ".join([f"{at}  {decision.verdict:<10}  {path}  {decision.reason}", *filter(None, extras)])
