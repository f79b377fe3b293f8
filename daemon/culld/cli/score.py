"""`culld score`: print the scores of photos and the verdict of the policy; no file is written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from culld.app.decision_json import scores_json, subject_json
from culld.app.score import find, score_files
from culld.cli import configuration, exit_codes
from culld.cli.photo_files import json_path, print_missing
from culld.records import Verdict, display_path

if TYPE_CHECKING:
    import argparse

    from culld.app.score import ScoreResult


def run(args: argparse.Namespace) -> int:
    """Score every photo of the paths, in order; return 1 if a path is missing or a photo is unreadable."""
    config = configuration.load_or_default(args)
    found, missing = find(args.paths)
    print_missing(missing)
    failed = bool(missing)
    for result in score_files(config, found):
        failed = failed or result.verdict is Verdict.UNREADABLE
        print(json.dumps(_as_json(result)) if args.json else _as_text(result), flush=True)
    return exit_codes.SOME_FAILED if failed else exit_codes.FINE


def _as_json(result: ScoreResult) -> dict[str, object]:
    return {
        "path": json_path(result.path),
        **scores_json(result.scores),
        **subject_json(result.subject),
        "verdict": result.verdict,
        "reason": result.reason,
        "model": result.model,
    }


def _as_text(result: ScoreResult) -> str:
    numbers = str(result.scores) if result.scores else "blur   -   under   -   over   - "
    line = f"{result.verdict:<10}  {numbers}  {display_path(result.path)}"
    return line if result.verdict is Verdict.KEEP else f"{line}  ({result.reason})"
