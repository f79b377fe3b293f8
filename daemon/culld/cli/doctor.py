"""`culld doctor`: check the installation, and print a fix for each problem."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from typing import TYPE_CHECKING, Final

from culld.app.doctor import installation_checks
from culld.cli import exit_codes
from culld.cli.terminal import terminal_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from culld.cli.terminal import Terminal
    from culld.system.doctor.checks import Check

_LABELS: Final = {"bad": "BAD  ", "warn": "WARN ", "note": "note ", "ok": "ok   "}
"""The labels by health, the worst first."""


def run(args: argparse.Namespace) -> int:
    """Print every problem, and the other checks in one line or with `--verbose` each; return 3 if one is bad."""
    checks = list(installation_checks(args.config, os.environ))
    if args.json:
        lines: Iterator[str] = (json.dumps(dataclasses.asdict(check)) for check in checks)
    else:
        lines = _lines(checks, terminal_of(sys.stdout, os.environ), fold=not args.verbose)
    for line in lines:
        print(line)
    return exit_codes.SYSTEM_FAULT if any(check.health == "bad" for check in checks) else exit_codes.FINE


def _lines(checks: Sequence[Check], terminal: Terminal, *, fold: bool) -> Iterator[str]:
    """Yield the checks, the worst first; with `fold` those without a problem in one line at the end."""
    fine = sum(check.health == "ok" for check in checks)
    for health, label in _LABELS.items():
        for check in checks:
            if check.health == health and not (fold and health == "ok"):
                yield from terminal.labelled(label, f"{check.name}: {check.what}")
                yield from terminal.labelled("     fix: ", check.fix) if check.fix else ()
    if fold and fine:
        found = f"{fine} checks found no problem; `culld doctor --verbose` prints each"
        yield from terminal.labelled(_LABELS["ok"], found)
