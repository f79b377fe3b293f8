"""`culld doctor`: check the installation, and print a fix for each problem."""

from __future__ import annotations

import dataclasses
import json
import os
from typing import TYPE_CHECKING

from culld.app.doctor import installation_checks
from culld.cli import exit_codes

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from culld.system.doctor.checks import Check

_LABELS = {"ok": "ok  ", "warn": "WARN", "bad": "BAD "}


def run(args: argparse.Namespace) -> int:
    """Print every check; return 3 if one of them is bad."""
    found_bad = False
    for check in installation_checks(args.config, os.environ):
        found_bad = found_bad or check.health == "bad"
        for line in [json.dumps(dataclasses.asdict(check))] if args.json else _lines(check):
            print(line, flush=True)
    return exit_codes.SYSTEM_FAULT if found_bad else exit_codes.FINE


def _lines(check: Check) -> Iterator[str]:
    yield f"{_LABELS[check.health]} {check.name}: {check.what}"
    if check.fix:
        yield f"     fix: {check.fix}"
