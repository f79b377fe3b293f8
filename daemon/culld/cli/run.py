"""`culld run`: the daemon, in the foreground."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from culld.app.run import serve
from culld.cli import configuration, exit_codes
from culld.records import display_path
from culld.system.journald import log_to_journald

if TYPE_CHECKING:
    import argparse

    from culld.config import Config


def run(args: argparse.Namespace) -> int:
    """Run the daemon until SIGTERM or Ctrl-C."""
    path, config = configuration.load(args)
    log_to_journald()
    logging.getLogger().setLevel(config.log.level.upper())
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    if sys.stdout.isatty():
        print(banner(path, config))
    with contextlib.suppress(KeyboardInterrupt):  # Ctrl-C before the daemon handles SIGINT
        serve(path, config, os.environ)
    return exit_codes.FINE


def banner(path: Path, config: Config) -> str:
    """Return the text for a terminal: the watched folders, the quarantine, the policy file and the next commands."""
    watched = "\n".join(
        f"  watching    {display_path(watch.path)}   (mode {watch.mode or config.policy.mode})"
        for watch in config.watch
    )
    file, command = display_path(path), display_path(Path(sys.argv[0]))
    return (
        f"culld is starting.\n{watched}\n  quarantine  {display_path(config.quarantine)}\n"
        f"  policy      {file}   (save it to change it)\n\n"
        f"Drop photos into the watched folder; each is judged a few seconds after it is complete.\n"
        f"In another terminal:  {command} status --config {file}\n"
        f"                      {command} restore --all --config {file}   (moves all photos back)\n"
        f"Ctrl-C stops.\n"
    )
