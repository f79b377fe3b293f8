"""The log line of each photo."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from culld.records import Outcome, Stack, Verdict
from culld.stages.report import log_line
from harness import factories


def outcome(**changes: object) -> Outcome:
    """A photo with some blur that was tagged."""
    plan = replace(factories.plan(Stack(factories.assessment(blur=0.969)), Verdict.TAG), notes=("a note",))
    return replace(Outcome(plan, plan.photo.place, plan.photo.stamp, plan.photo.digest), **changes)


def test_a_line_has_verdict_scores_name_reason_and_notes() -> None:
    """Scores are cut, not rounded, so that they never seem to reach a threshold that they missed."""
    assert log_line(outcome()) == "tag         blur 0.96  under 0.00  over 0.00  a.jpg  (because); a note"


def test_a_fault_is_logged() -> None:
    """A change that failed is named in the same line."""
    told = log_line(outcome(fault="the disk is full", retry_after=timedelta(minutes=1)))

    assert told.endswith("; not done: the disk is full")


def test_names_cannot_forge_lines() -> None:
    """Line feeds and escape codes in a file name are shown, not obeyed."""
    told = log_line(outcome(plan=factories.plan(Stack(factories.assessment("a\n\x1b[31mb.jpg")), Verdict.KEEP)))

    assert told.endswith(r"a\n\x1b[31mb.jpg")
