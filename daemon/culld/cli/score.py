"""`culld score`: look at photos and say what the policy would do; nothing is written."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

from culld.app.engine_pool import open_pool
from culld.app.score import find, score
from culld.cli import exit_codes
from culld.config import built_in_config, find_config, load_config
from culld.errors import ConfigError
from culld.records import Verdict, display_path

if TYPE_CHECKING:
    import argparse

    from culld.app.score import ScoreResult
    from culld.config import Config


def run(args: argparse.Namespace) -> int:
    """Score every photo of the paths, in order."""
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
