"""Progress bars on a terminal; log lines and results are printed above a bar, and never into its line."""

from __future__ import annotations

import contextlib
import logging
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.progress import TaskID

BAR_COLUMNS: Final = 20


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar, or without a terminal nothing; `doing` is shown from the first step on."""

    doing: str = ""
    _progress: Progress | None = None
    _task: TaskID | None = None

    def advance(self, count: float) -> None:
        """Show that so much more is done."""
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, advance=count, description=self.doing)

    def set(self, done: float) -> None:
        """Show how much is done by now."""
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, completed=done, description=self.doing)


@contextlib.contextmanager
def progress_bar(doing: str, total: float, *, at_first: str = "", as_share: bool = False) -> Iterator[Bar]:
    """Show a bar for `total` photos on a terminal, or a share; `at_first` is shown until the first step."""
    if total == 0 or not sys.stderr.isatty():
        yield Bar()
        return
    figures = TaskProgressColumn() if as_share else MofNCompleteColumn()
    columns = (TextColumn("{task.description}"), BarColumn(BAR_COLUMNS), figures, TimeRemainingColumn())
    # Results that go elsewhere than to the terminal must not be drawn above the bar.
    with (
        Progress(*columns, console=Console(stderr=True), redirect_stdout=sys.stdout.isatty()) as progress,
        _log_above(),
    ):
        yield Bar(doing, progress, progress.add_task(at_first or doing, total=total))


@contextlib.contextmanager
def photo_bar(total: int, doing: str) -> Iterator[Callable[[int], None]]:
    """Show a bar for so many photos, and give the function that advances it; files settle before they are culled."""
    with progress_bar(doing, total, at_first="settling" if doing == "culling" else "") as bar:
        yield bar.advance


@contextlib.contextmanager
def _log_above() -> Iterator[None]:
    """Let log lines go to the present standard error, which rich has replaced while a bar is shown."""
    handlers = [each for each in logging.getLogger().handlers if isinstance(each, logging.StreamHandler)]
    before = [(each, each.setStream(sys.stderr)) for each in handlers]
    try:
        yield
    finally:
        for handler, stream in before:
            handler.setStream(stream or sys.stderr)
