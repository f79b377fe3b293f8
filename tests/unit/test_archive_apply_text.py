"""What `culld archive apply` prints: the page shows it, and it says how to go on."""

from __future__ import annotations

import argparse
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from culld.app.once_counts import Counts
from culld.app.taken_counts import Found, Taken
from culld.app.taken_scores import Origin
from culld.archive.apply import Applied, Rows
from culld.cli.archive_apply import advice, as_json, as_text
from culld.cli.terminal import Terminal
from culld.records import Plan, Stack, Verdict
from harness import factories

PAGE = Path(__file__).resolve().parents[2] / "docs" / "archive.md"
REASON = "blur 0.98 is at least 0.97 (policy.defects.blur.reject)"


def plan(name: str) -> Plan:
    """A reject for blur."""
    made = factories.plan(Stack(factories.assessment(f"2019/{name}")), Verdict.QUARANTINE)
    return replace(made, reason=REASON, rule="policy.defects.blur.reject", keywords=("defect:blur",), would_reject=True)


@pytest.fixture
def applied() -> Applied:
    """Of a million rows 1,000 photos are here, of which two are rejected and one is tagged."""
    taken = Taken(Found(1000, 1000, 7), Counts())
    taken.origins.update({Origin.TAKEN: 996, Origin.CHANGED: 3, Origin.UNSCORED: 1})
    taken.counts.verdicts |= {Verdict.KEEP: 996, Verdict.TAG: 1, Verdict.QUARANTINE: 2, Verdict.UNREADABLE: 1}
    blur = "policy.defects.blur"
    taken.rules = Counter({(Verdict.QUARANTINE, f"{blur}.reject"): 2, (Verdict.TAG, f"{blur}.tag"): 1})
    taken.keywords = Counter({(Verdict.QUARANTINE, "defect:blur"): 2, (Verdict.TAG, "defect:blur"): 1})
    tagged = replace(
        plan("c.jpg"), verdict=Verdict.TAG, reason="blur 0.71 is at least 0.5 (policy.defects.blur.tag)", rule="tag"
    )
    taken.examples = [plan("a.jpg"), plan("b.jpg"), tagged]
    return Applied(Rows("/photos", 1_000_000, 0), taken)


def arguments(*, dry_run: bool) -> argparse.Namespace:
    """Those of the command line that the advice needs."""
    return argparse.Namespace(file=Path("policy.yaml"), dry_run=dry_run)


def test_the_page_shows_what_a_dry_run_prints(applied: Applied) -> None:
    """Line by line."""
    section = PAGE.read_text().partition("\n## Apply\n")[2].partition("\n## ")[0]
    (shown,) = re.findall(r"^```text\n(.*?)^```", section, re.MULTILINE | re.DOTALL)

    assert [
        *as_text(applied, Terminal(), dry_run=True),
        *advice(applied, arguments(dry_run=True), Terminal()),
    ] == shown.splitlines()


def test_the_advice_after_the_brake_names_both_commands(applied: Applied) -> None:
    """A dry run says that the brake would stop moves."""
    applied.taken.brake = "12 of the last 20; check them, then run `culld resume`"
    applied.taken.held = 5

    told = "\n".join(
        [*as_text(applied, Terminal(), dry_run=False), *advice(applied, arguments(dry_run=False), Terminal())]
    )
    dry = "\n".join(
        [*as_text(applied, Terminal(), dry_run=True), *advice(applied, arguments(dry_run=True), Terminal())]
    )

    assert "5 rejected photos stay, for the mode or the brake" in told
    assert "the brake stopped moves: 12 of the last 20; check them, then run `culld resume`" in told
    assert "`culld policy simulate policy.yaml --apply` moves the photos that stayed" in told
    assert ("the brake would stop moves" in dry, "simulate" in dry) == (True, False)


def test_failures_are_named_and_counted(applied: Applied) -> None:
    """The first 20; a folder of which no photo has a row is doubted."""
    counts = applied.taken.counts
    counts.failures = {factories.place(f"{number:02}.jpg"): "it is locked" for number in range(25)}
    counts.unreadable_folders = {Path("/photos/locked"): "permission denied"}
    counts.unfinished = 1
    applied.taken.found = Found(0, 0, 3)

    lines = [*as_text(applied, Terminal(), dry_run=False), *advice(applied, arguments(dry_run=False), Terminal())]

    assert lines.count("  and 6 more") == 1
    assert "25 photos failed, 1 folders cannot be read" in lines
    assert "  /photos/00.jpg: it is locked" in lines
    assert "1 photos are still being written; run the command again" in lines
    assert "no photo here has a row; is PATH what --from says, and are its disks mounted?" in lines


def test_the_json_holds_all_counts(applied: Applied) -> None:
    """Numbers, rules, and the first photos with their reasons."""
    found = as_json(applied, dry_run=True)

    assert (found["rows"], found["without_file"], found["without_row"]) == (1_000_000, 999_000, 7)
    assert (found["keep"], found["tag"], found["quarantine"], found["unreadable"]) == (996, 1, 2, 1)
    assert found["scores"] == {"taken": 996, "changed": 3, "unscored": 1}
    assert found["rules"][0] == {"verdict": "quarantine", "rule": "policy.defects.blur.reject", "photos": 2}
    assert found["examples"][0] == {
        "path": "/photos/2019/a.jpg",
        "verdict": "quarantine",
        "rule": "policy.defects.blur.reject",
        "reason": REASON,
    }
