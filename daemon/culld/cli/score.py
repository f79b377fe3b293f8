"""`culld score`: print the scores of photos and clips, and their verdict; only `--plot` writes a file."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from culld.app.clip import ClipResult
from culld.app.clip_json import clip_json
from culld.app.decision_json import scores_json, subject_json
from culld.app.score import find, score_files
from culld.cli import configuration, exit_codes
from culld.cli.photo_files import json_path, print_missing, write_picture
from culld.cli.terminal import terminal_of
from culld.imaging.clip_containers import is_clip_name
from culld.records import Verdict, display_path
from culld.segment.clips.judge import scores_of
from culld.segment.clips.plot import plot

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from culld.app.score import ScoreResult
    from culld.cli.terminal import Terminal


_NO_SCORES = "blur   -   under   -   over   - "


def run(args: argparse.Namespace) -> int:
    """Score every photo and clip of the paths, in order; return 1 if a path is missing or a file is unreadable."""
    if args.plot is not None and not (len(args.paths) == 1 and is_clip_name(args.paths[0].name)):
        print("culld: --plot needs one clip, and nothing else, as PATH", file=sys.stderr)
        return exit_codes.USAGE
    config = configuration.load_or_default(args)
    found, missing = find(args.paths)
    print_missing(missing)
    terminal = terminal_of(sys.stdout, os.environ)
    counts: Counter[str] = Counter()
    for result in score_files(config, found):
        if isinstance(result, ClipResult) and args.plot is not None and result.judgement is not None:
            write_picture(args.plot, plot(result.judgement), result.path)
        row = _clip_row(result) if isinstance(result, ClipResult) else _row(result)
        counts[row.verdict] += 1
        print(json.dumps(_as_json(result)) if args.json else row.text(terminal), flush=True)
    if not args.json and (terminal.width is not None or not found):
        print(", ".join(f"{count} {verdict}" for verdict, count in counts.items()) or "no photo to score")
    failed = missing or counts[Verdict.UNREADABLE]
    return exit_codes.SOME_FAILED if failed else exit_codes.FINE


@dataclass(frozen=True, slots=True)
class _Row:
    """What is shown about one file."""

    path: Path
    verdict: str
    numbers: str
    reason: str

    def text(self, terminal: Terminal) -> str:
        start = f"{self.verdict:<10}  {self.numbers}  "
        row = terminal.row(start, display_path(self.path), terminal.short(f"({self.reason})") if self.reason else "")
        return terminal.coloured(row.rstrip(), self.verdict)


def _row(result: ScoreResult) -> _Row:
    numbers = str(result.scores) if result.scores else _NO_SCORES
    return _Row(result.path, result.verdict, numbers, "" if result.verdict is Verdict.KEEP else result.reason)


def _clip_row(result: ClipResult) -> _Row:
    judged = result.judgement
    if judged is None:
        return _Row(result.path, Verdict.UNREADABLE, _NO_SCORES, result.fault)
    return _Row(result.path, judged.verdict, str(scores_of(judged)), judged.sentence)


def _as_json(result: ScoreResult | ClipResult) -> dict[str, object]:
    if isinstance(result, ClipResult):
        return {"path": json_path(result.path), **clip_json(result)}
    return {
        "path": json_path(result.path),
        **scores_json(result.scores),
        **subject_json(result.subject),
        "verdict": result.verdict,
        "reason": result.reason,
        "model": result.model,
    }
