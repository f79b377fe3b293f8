"""`culld score`: look at photos and say what the policy would do; nothing is written."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from culld.cli import config_option, exit_codes
from culld.errors import ConfigError
from culld.records import Verdict, display_path

if TYPE_CHECKING:
    import argparse

    from culld.app.score import ScoreResult
    from culld.config import Config


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Offer the command."""
    parser = subparsers.add_parser(
        "score", help="say what is wrong with photos, and what the policy would do (read-only)"
    )
    config_option.add_option(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="photos, or folders with photos")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Score every photo of the paths, in order."""
    from culld.app.engine_pool import open_pool  # noqa: PLC0415
    from culld.app.score import find, score  # noqa: PLC0415

    config = _config(args)
    found, missing = find(args.paths)
    for path in missing:
        print(f"culld: {display_path(path)} is not there, or no plain file or folder", file=sys.stderr)
    failed = bool(missing)
    with open_pool(config) as pool:
        for judgement in score(found, config, pool):
            failed = failed or judgement.verdict is Verdict.UNREADABLE
            print(json.dumps(_as_json(judgement)) if args.json else _as_text(judgement), flush=True)
    return exit_codes.SOME_FAILED if failed else exit_codes.FINE


def _config(args: argparse.Namespace) -> Config:
    """The configuration in force; without any, the defaults serve, for nothing is written."""
    from culld.config import built_in_config, find_config, load_config  # noqa: PLC0415

    try:
        path = find_config(args.config, os.environ)
    except ConfigError:
        if args.config is not None or os.environ.get("CULLD_CONFIG"):
            raise
        return built_in_config(os.environ)
    return load_config(path, os.environ)


def _as_json(judgement: ScoreResult) -> dict[str, object]:
    scores = judgement.scores
    chances = {
        "blur": round(scores.blur, 4) if scores else None,
        "under": round(scores.under, 4) if scores else None,
        "over": round(scores.over, 4) if scores else None,
    }
    path = os.fsencode(judgement.path).decode("utf-8", "backslashreplace")
    return {"path": path, **chances, "verdict": judgement.verdict, "reason": judgement.reason, "model": judgement.model}


def _as_text(judgement: ScoreResult) -> str:
    numbers = str(judgement.scores) if judgement.scores else "blur   -   under   -   over   - "
    told = f"{judgement.verdict:<10}  {numbers}  {display_path(judgement.path)}"
    return told if judgement.verdict is Verdict.KEEP else f"{told}  ({judgement.reason})"
