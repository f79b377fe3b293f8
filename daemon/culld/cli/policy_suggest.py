"""`culld policy suggest`: thresholds that would have been right often enough, by what people did with the rejects."""

from __future__ import annotations

import argparse
import contextlib
import json
from typing import TYPE_CHECKING

from culld.cli import config_option, exit_codes, since_option
from culld.records import Defect

if TYPE_CHECKING:
    from culld.records import Threshold
    from culld.stages.decide.feedback import Suggestion

_LEAST = 20


def add(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Offer the action."""
    parser = actions.add_parser(
        "suggest", help="propose thresholds from what you restored and deleted; changes nothing"
    )
    config_option.add_option(parser)
    parser.add_argument(
        "--precision", type=_share, default=0.98, metavar="P", help="how many of the rejects should be right (0.98)"
    )
    parser.add_argument(
        "--since", type=since_option.parse_since, metavar="T", help="only what was decided since then: 90d"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a defect")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Propose, with the numbers to expect."""
    from culld.app.feedback import feedback_of_people  # noqa: PLC0415
    from culld.app.model_files import resolve_policies  # noqa: PLC0415
    from culld.app.startup import open_journal_readonly  # noqa: PLC0415
    from culld.stages.decide.feedback import suggest  # noqa: PLC0415 (SQLite would slow `culld --help` down)

    _, config = config_option.load(args)
    rules = resolve_policies(config).default
    with contextlib.closing(open_journal_readonly(config.state)) as journal:
        answered = feedback_of_people(journal, args.since)
    for defect in Defect:
        found = suggest(answered, defect, args.precision, _LEAST)
        print(json.dumps(_as_json(found, rules.of(defect))) if args.json else _as_text(found, rules.of(defect), args))
    if not args.json:
        print("nothing was changed: write what you agree with into the policy, and try it with culld policy simulate")
    return exit_codes.FINE


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r}: write a share above 0 and up to 1, such as 0.98")
    return value


def _as_json(found: Suggestion, now: Threshold) -> dict[str, object]:
    return {
        "defect": found.defect,
        "now": now.reject,
        "suggested": found.threshold,
        "answers": found.known,
        "false_now": found.false,
        "false_then": found.still_false,
        "right_now": found.known - found.false,
        "right_then": found.still_right,
    }


def _as_text(found: Suggestion, now: Threshold, args: argparse.Namespace) -> str:
    reject = "never" if now.reject is None else f"{now.reject:g}"
    key = f"policy.defects.{found.defect}.reject"
    if found.known < _LEAST:
        return f"{key}: {reject} now; {found.known} answers so far, {_LEAST} are needed to suggest another"
    if found.threshold is None:
        wrong = f"{found.false} of {found.known} answered rejects were wrong"
        return (
            f"{key}: {reject} now; {wrong}, and no threshold reaches a precision of {args.precision:g}: never is safest"
        )
    return (
        f"{key}: {reject} now, {found.threshold:g} suggested: of {found.known} answered rejects it would have moved"
        f" {found.still_right} rightly and {found.still_false} wrongly, instead of {found.known - found.false}"
        f" and {found.false}"
    )
