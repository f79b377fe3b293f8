"""`culld run`: the daemon, in the foreground."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from culld.app.run import serve
from culld.cli import configuration, exit_codes
from culld.cli.terminal import terminal_of
from culld.records import Mode, display_path
from culld.system.journald import FIELDS, log_to_journald

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from culld.cli.terminal import Terminal
    from culld.config import Config

_MODES: Final = {Mode.ENFORCE: "rejected photos are moved", Mode.OBSERVE: "photos are tagged, none is moved"}


def run(args: argparse.Namespace) -> int:
    """Run the daemon until SIGTERM or Ctrl-C."""
    path, config = configuration.load(args)
    if not log_to_journald() and sys.stderr.isatty():
        logging.getLogger().handlers[0].setFormatter(TerminalFormatter())
    logging.getLogger().setLevel(config.log.level.upper())
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    if sys.stdout.isatty():
        print("\n".join(banner(path, config, terminal_of(sys.stdout, os.environ))))
    with contextlib.suppress(KeyboardInterrupt):  # Ctrl-C before the daemon handles SIGINT
        serve(path, config, os.environ)
    return exit_codes.FINE


class TerminalFormatter(logging.Formatter):
    """Formats log records for a terminal: the time, one line for a photo, and lines that fit for everything else."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines of a record; the terminal may have another size by now."""
        terminal = terminal_of(sys.stderr, os.environ)
        time, text = self.formatTime(record, "%H:%M:%S  "), super().format(record)
        verdict = getattr(record, FIELDS, {}).get("VERDICT")
        if verdict is None or record.levelno > logging.INFO:
            return "\n".join(line for each in text.splitlines() for line in terminal.labelled(time, each))
        return terminal.coloured(terminal.cut(time + text), verdict)


def banner(path: Path, config: Config, terminal: Terminal) -> Iterator[str]:
    """Yield the lines for a terminal: the watched folders, the quarantine, the policy file and the next commands."""
    file, command = display_path(path), display_path(Path(sys.argv[0]))
    yield "culld is starting."
    for watch in config.watch:
        mode = watch.mode or config.policy.mode
        yield from terminal.labelled("  watching    ", f"{display_path(watch.path)}   (mode {mode}: {_MODES[mode]})")
    yield from terminal.labelled("  quarantine  ", display_path(config.quarantine))
    yield from terminal.labelled("  policy      ", f"{file}   (save it to change it)")
    yield ""
    yield from terminal.labelled("", "Drop photos into the watched folder; each is judged seconds after its copy ends.")
    yield from terminal.labelled("In another terminal:  ", f"{command} status --config {file}")
    yield from terminal.labelled("Undo all moves:       ", f"{command} restore --all --config {file}")
    yield "Ctrl-C stops."
    yield ""
