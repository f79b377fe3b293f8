"""`culld archive score`: write the scores of photos as Parquet, and print the counts."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from culld.archive.objects.uri import shown
from culld.archive.records import ScoreRequest, SharpnessChoice, Status
from culld.archive.score import score_archive
from culld.cli import configuration, exit_codes
from culld.cli.progress import BAR_COLUMNS

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from rich.progress import TaskID

    from culld.archive.records import Tally
    from culld.archive.score import Result

_MOST_NAMED: Final = 20
_LINE_EVERY_S: Final = 60.0


def run(args: argparse.Namespace) -> int:
    """Score, with a progress bar on a terminal; return 1 if a photo has no scores or a path is missing."""
    config = configuration.load_or_default(args)
    workers = args.workers or (None if args.address else config.worker_count)
    sharpness = SharpnessChoice(args.sharpness)
    request = ScoreRequest(tuple(args.uris), args.out, workers, args.shard_size, sharpness, args.address)
    result = score_archive(config, request, _progress, _tell)
    print(json.dumps(_counts(result)) if args.json else "\n".join([_summary(result), *_named(result)]))
    bad = result.tally.errors or result.missing or result.unreadable
    return exit_codes.SOME_FAILED if bad else exit_codes.FINE


def _tell(sentence: str) -> None:
    print(f"culld: {sentence}", file=sys.stderr, flush=True)


def _counts(result: Result) -> dict[str, object]:
    return {
        **{str(status): result.tally.rows.get(status, 0) for status in Status},
        "kept": result.kept,
        "losses": result.tally.losses,
        "seconds": round(result.seconds, 3),
        "missing": result.missing,
        "unread": {shown(folder): why for folder, why in result.unreadable.items()},
    }


def _summary(result: Result) -> str:
    rows = result.tally.rows
    parts = [f"{rows[status]} {status}" for status in Status if rows.get(status)]
    parts += [f"{result.kept} kept from an interrupted run"] if result.kept else []
    parts += [f"{result.tally.losses} workers were lost"] if result.tally.losses else []
    if not parts:
        return "nothing new"
    speed = f"; {result.tally.photos / result.seconds:.1f} photos a second" if result.seconds else ""
    return ", ".join(parts) + speed


def _named(result: Result) -> list[str]:
    lines = [f"  {path}: is not there, or no photo" for path in result.missing]
    lines += [f"  {shown(folder)}: {why}" for folder, why in result.unreadable.items()]
    more = len(lines) - _MOST_NAMED
    return [*lines[:_MOST_NAMED], f"  and {more} more"] if more > 0 else lines


@contextlib.contextmanager
def _progress(total: int) -> Iterator[_Bar | _Lines]:
    """Show a progress bar on a terminal, else a line each minute."""
    if not sys.stderr.isatty():
        yield _Lines(total)
        return
    columns = (
        TextColumn("scoring"),
        BarColumn(BAR_COLUMNS),
        MofNCompleteColumn(),
        TextColumn("{task.fields[speed]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[errors]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        yield _Bar(progress, progress.add_task("", total=total, speed="", errors=""))


@dataclass(slots=True)
class _Bar:
    """The bar: photos, photos a second, the remaining time, errors."""

    progress: Progress
    task: TaskID
    begun: float = field(default_factory=time.monotonic)

    def update(self, photos: int, tally: Tally) -> None:
        """Show the present counts."""
        speed, errors = _speed(photos, self.begun), _errors(tally)
        self.progress.update(self.task, completed=photos, speed=speed, errors=errors)


@dataclass(slots=True)
class _Lines:
    """A line on standard error each minute, for logs."""

    total: int
    begun: float = field(default_factory=time.monotonic)
    _next: float = field(default_factory=lambda: time.monotonic() + _LINE_EVERY_S)

    def update(self, photos: int, tally: Tally) -> None:
        """Print the present counts if a minute has passed."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _LINE_EVERY_S
        speed = photos / (time.monotonic() - self.begun)
        left = f", {(self.total - photos) / speed / 60:.0f} min left" if speed else ""
        print(f"{photos} of {self.total} photos, {speed:.1f}/s{left}, {_errors(tally)}", file=sys.stderr, flush=True)


def _speed(photos: int, begun: float) -> str:
    return f"{photos / max(time.monotonic() - begun, 1e-9):.1f}/s"


def _errors(tally: Tally) -> str:
    return f"{tally.errors} errors"
