"""`culld enhance`: repaired copies beside photos, kept only where they are better; the photos are only read."""

from __future__ import annotations

import contextlib
import json
import sys
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from culld.app.enhance import enhance_photos
from culld.app.enhance_messages import Enhanced, Repair, as_json
from culld.app.score import find
from culld.cli import configuration, exit_codes
from culld.cli.photo_files import json_path, print_missing
from culld.records import display_path

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from culld.app.enhance_messages import EnhanceResult


def run(args: argparse.Namespace) -> int:
    """Repair the photos in order; return 1 if a path is missing, or a photo cannot be read or its copy not written."""
    config = configuration.load_or_default(args)
    photos, missing = find(args.paths)
    print_missing(missing)
    failed = bool(missing)
    with _progress_bar(len(photos)) as show:
        for number, result in enumerate(enhance_photos(config, photos, Repair(args.repair), show)):
            failed = failed or not isinstance(result.found, Enhanced)
            print(json.dumps(_as_json(result)) if args.json else _as_text(result), flush=True)
            show(number + 1)
    return exit_codes.SOME_FAILED if failed else exit_codes.FINE


def _as_json(result: EnhanceResult) -> dict[str, object]:
    return as_json(result, json_path(result.path), None if result.copy is None else json_path(result.copy))


def _as_text(result: EnhanceResult) -> str:
    if not isinstance(result.found, Enhanced):
        return f"failed   {display_path(result.path)}: {result.found}"
    if result.copy is None:
        return f"no copy  {display_path(result.path)}: {result.found.reason}"
    return f"copy     {display_path(result.copy)}: {result.found.reason}"


@contextlib.contextmanager
def _progress_bar(total: int) -> Iterator[Callable[[float], None]]:
    """Show a bar on a terminal, and give the function that sets how many photos are done, parts of one included."""
    if total == 0 or not sys.stderr.isatty():
        yield lambda _done: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # Results that go elsewhere than to the terminal must not be drawn above the bar.
    with Progress(*columns, console=Console(stderr=True), redirect_stdout=sys.stdout.isatty()) as progress:
        task = progress.add_task("repairing", total=total)
        yield lambda done: progress.update(task, completed=done)
