"""`culld enhance`: repaired copies beside photos, kept only where they are better; the photos are only read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from culld.app.enhance import enhance_photos
from culld.app.enhance_messages import Enhanced, Repair, as_json
from culld.app.score import find
from culld.cli import configuration, exit_codes
from culld.cli.photo_files import json_path, print_missing
from culld.cli.progress import progress_bar
from culld.records import display_path

if TYPE_CHECKING:
    import argparse

    from culld.app.enhance_messages import EnhanceResult


def run(args: argparse.Namespace) -> int:
    """Repair the photos in order; return 1 if a path is missing, or a photo cannot be read or its copy not written."""
    config = configuration.load_or_default(args)
    photos, missing = find(args.paths)
    print_missing(missing)
    failed = bool(missing)
    with progress_bar("repairing", len(photos)) as bar:
        for number, result in enumerate(enhance_photos(config, photos, Repair(args.repair), bar.set)):
            failed = failed or not isinstance(result.found, Enhanced)
            print(json.dumps(_as_json(result)) if args.json else _as_text(result), flush=True)
            bar.set(number + 1)
    return exit_codes.SOME_FAILED if failed else exit_codes.FINE


def _as_json(result: EnhanceResult) -> dict[str, object]:
    return as_json(result, json_path(result.path), None if result.copy is None else json_path(result.copy))


def _as_text(result: EnhanceResult) -> str:
    if not isinstance(result.found, Enhanced):
        return f"failed   {display_path(result.path)}: {result.found}"
    if result.copy is None:
        return f"no copy  {display_path(result.path)}: {result.found.reason}"
    return f"copy     {display_path(result.copy)}: {result.found.reason}"
