"""`culld policy suggest`: propose thresholds that reach a precision, from the user's feedback on rejects."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from culld.app.report import LEAST_ANSWERS, SuggestRequest, suggest_thresholds
from culld.cli import configuration, exit_codes

if TYPE_CHECKING:
    import argparse

    from culld.app.report import SuggestedThreshold


def run(args: argparse.Namespace) -> int:
    """Print a threshold per defect, with the expected number of right and wrong rejects."""
    _, config = configuration.load(args)
    for found in suggest_thresholds(config, SuggestRequest(args.precision, args.since)):
        print(json.dumps(_as_json(found)) if args.json else _as_text(found, args.precision))
    if not args.json:
        print(
            "no file was changed: to use a threshold, write it into the policy, and test it with culld policy simulate"
        )
    return exit_codes.FINE


def _as_json(suggested: SuggestedThreshold) -> dict[str, object]:
    found = suggested.suggestion
    return {
        "defect": found.defect,
        "now": suggested.now.reject,
        "suggested": found.threshold,
        "answers": found.known,
        "false_now": found.false,
        "false_then": found.still_false,
        "right_now": found.known - found.false,
        "right_then": found.still_right,
    }


def _as_text(suggested: SuggestedThreshold, precision: float) -> str:
    now, found = suggested.now.reject, suggested.suggestion
    key = f"policy.defects.{found.defect}.reject: {'never' if now is None else format(now, 'g')} now"
    if found.known < LEAST_ANSWERS:
        return f"{key}; {found.known} answers so far, {LEAST_ANSWERS} are needed to suggest another"
    if found.threshold is None:
        wrong = f"{found.false} of {found.known} answered rejects were wrong"
        return f"{key}; {wrong}, and no threshold reaches a precision of {precision:g}: never is safest"
    return (
        f"{key}, {found.threshold:g} suggested: of {found.known} answered rejects it would have moved"
        f" {found.still_right} rightly and {found.still_false} wrongly, instead of {found.known - found.false}"
        f" and {found.false}"
    )
