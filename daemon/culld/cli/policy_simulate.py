"""`culld policy simulate`: print which judged photos another policy would move or restore."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from typing import TYPE_CHECKING

from culld.app.policy_simulate import SimulateRequest, apply_simulation, simulate
from culld.cli import exit_codes
from culld.cli.terminal import terminal_of
from culld.records import display_path
from culld.stages.decide.replay import ReplayAction

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from culld.app.policy_simulate import Simulated
    from culld.cli.terminal import Terminal

_SHOWN = 20


def run(args: argparse.Namespace) -> int:
    """Print the changes, and with `--apply` carry them out; return 1 if a photo was not changed."""
    request = SimulateRequest(args.file, args.since)
    if args.apply:
        return _apply(args, request)
    found = simulate(request, os.environ)
    _print(args, found)
    if found.observes and not args.json:
        print("\npolicy.mode is observe: no photo is moved until the file sets enforce")
    return exit_codes.FINE


def _apply(args: argparse.Namespace, request: SimulateRequest) -> int:
    applied = apply_simulation(request, os.environ, lambda found: _print(args, found))
    for path, fault in applied.faults.items():
        print(f"not done  {display_path(path)}: {fault}", file=sys.stderr)
    if not args.json:
        print(f"\ndone: {applied.moved} moved, {applied.came_back} came back")
    return exit_codes.SOME_FAILED if applied.faults else exit_codes.FINE


def _print(args: argparse.Namespace, found: Simulated) -> None:
    for line in _as_json(found) if args.json else _as_text(found, terminal_of(sys.stdout, os.environ)):
        print(line)


def _as_json(found: Simulated) -> Iterator[str]:
    for change in found.changes:
        scores = change.case.stack.primary.result
        yield json.dumps(
            {
                "path": display_path(change.case.stack.primary.photo.place.path),
                "now": display_path(change.case.now.path),
                "would": change.action,
                "was": change.case.verdict,
                "rule": change.decision.rule,
                "reason": change.decision.reason,
                **{name: getattr(scores, name, None) for name in ("blur", "under", "over")},
            }
        )


def _as_text(found: Simulated, terminal: Terminal) -> Iterator[str]:
    counts = Counter(change.action for change in found.results)
    yield f"policy {found.policy} on {len(found.results)} photos that were judged before"
    yield from (f"  {('would ' + action):<26}{counts[action]:>8}" for action in ReplayAction)
    rules = Counter((change.action, change.decision.rule or "no reject rule") for change in found.changes)
    if rules:
        yield ""
        yield from (f"  {action:<10}  {count:>6}  by {rule}" for (action, rule), count in rules.most_common())
        yield ""
    for change in found.changes[:_SHOWN]:
        photo = display_path(change.case.stack.primary.photo.place.path)
        yield terminal.row(f"  {change.action:<10}  ", photo, terminal.short(f"({change.decision.reason})"))
    if len(found.changes) > _SHOWN:
        yield f"  ... and {len(found.changes) - _SHOWN} more; --json lists all"
