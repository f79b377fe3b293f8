"""`culld score`: print the scores of photos and clips, and their verdict; only `--plot` writes a file."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from culld.app.clip import ClipResult
from culld.app.clip_json import clip_json
from culld.app.decision_json import scores_json, subject_json
from culld.app.score import find, score_files
from culld.cli import configuration, exit_codes
from culld.cli.photo_files import json_path, print_missing, write_picture
from culld.imaging.clip_containers import is_clip_name
from culld.records import Verdict, display_path
from culld.segment.clips.judge import scores_of
from culld.segment.clips.plot import plot

if TYPE_CHECKING:
    import argparse

    from culld.app.score import ScoreResult


_NO_SCORES = "blur   -   under   -   over   - "


def run(args: argparse.Namespace) -> int:
    """Score every photo and clip of the paths, in order; return 1 if a path is missing or a file is unreadable."""
    if args.plot is not None and not (len(args.paths) == 1 and is_clip_name(args.paths[0].name)):
        print("culld: --plot needs one clip, and nothing else, as PATH", file=sys.stderr)
        return exit_codes.USAGE
    config = configuration.load_or_default(args)
    found, missing = find(args.paths)
    print_missing(missing)
    failed = bool(missing)
    for result in score_files(config, found):
        if isinstance(result, ClipResult):
            failed = failed or result.judgement is None
            if args.plot is not None and result.judgement is not None:
                write_picture(args.plot, plot(result.judgement), result.path)
            values, text = {"path": json_path(result.path), **clip_json(result)}, _clip_text(result)
        else:
            failed = failed or result.verdict is Verdict.UNREADABLE
            values, text = _as_json(result), _as_text(result)
        print(json.dumps(values) if args.json else text, flush=True)
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
    numbers = str(result.scores) if result.scores else _NO_SCORES
    line = f"{result.verdict:<10}  {numbers}  {display_path(result.path)}"
    return line if result.verdict is Verdict.KEEP else f"{line}  ({result.reason})"


def _clip_text(result: ClipResult) -> str:
    judged = result.judgement
    verdict, numbers, reason = (
        (Verdict.UNREADABLE, _NO_SCORES, result.fault)
        if judged is None
        else (judged.verdict, str(scores_of(judged)), judged.sentence)
    )
    return f"{verdict:<10}  {numbers}  {display_path(result.path)}  ({reason})"
