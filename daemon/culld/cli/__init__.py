"""The command line: one module per command, imported only when that command runs."""

from __future__ import annotations

import argparse
import errno
import importlib
import logging
import os
import resource
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Final

from culld import __version__
from culld.cli.exit_codes import FINE, INTERRUPTED, SYSTEM_FAULT, USAGE
from culld.cli.options import add_options
from culld.errors import ConfigError, SystemFaultError

if TYPE_CHECKING:
    from collections.abc import Collection

COMMANDS: Final = {
    "init": "write a first configuration for the folders to watch",
    "run": "watch, judge, tag and quarantine until stopped",
    "once": "process the photos that are there, then exit",
    "score": "print the scores of photos and the verdict of the policy (read-only)",
    "status": "print the queue, the folders and the last decisions",
    "log": "print the last decisions with their reasons",
    "why": "explain why a photo was kept, tagged or moved: scores, facts, rule, history",
    "explain": "show where in a photo a defect is seen: a sentence, JSON, a picture (read-only)",
    "compare": "show what differs between two photos of one scene: sharpness, light, content (read-only)",
    "enhance": "write repaired copies of badly exposed or compressed photos, where they are better",
    "segment": "show which regions of a photo are blurred, clipped, noisy or blocky: contours, JSON (read-only)",
    "archive": "score millions of photos into Parquet on this machine with Ray, and apply the scores",
    "report": "count false rejects per defect, camera and rule, from your restores and deletions",
    "restore": "move photos back from quarantine; they are never moved again",
    "web": "serve the review page to the browser of this machine",
    "resume": "move photos again after the brake stopped moving",
    "journal": "rebuild the journal after it was lost",
    "policy": "check, simulate and tune a policy",
    "service": "run culld as a systemd service: install, uninstall, status",
    "doctor": "check folders, permissions, file systems, limits, model; suggest fixes",
    "model": "train, measure and list models",
    "completion": "print the completion script of a shell: bash, zsh, fish",
    "manual": "print a manual page: 1 for culld(1), 5 for culld.yaml(5)",
}
"""The commands, each with its line in `culld --help`."""

# The errors that concern the whole process; every other OSError has been turned into an error of culld.
_REFUSALS: Final = {
    errno.ENOMEM: "there is too little memory",
    errno.EAGAIN: "no process can be started",
    errno.ENOSPC: "the output cannot be written",
}
_TOO_MANY_FILES: Final = {errno.EMFILE, errno.ENFILE}

_EPILOG = "exit codes: 0 fine, 1 some photos failed, 2 usage or configuration, 3 system fault, 130 interrupted"


def main(argv: list[str] | None = None) -> int:
    """Run `culld` with these arguments (those of the process if None) and return its exit code."""
    _open_standard_streams()
    given = sys.argv[1:] if argv is None else argv
    arguments = build_parser([word for word in given if word in COMMANDS][:1]).parse_args(given)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    try:
        _require_current_folder()
        code = int(importlib.import_module(f"culld.cli.{arguments.module}").run(arguments))
        sys.stdout.flush()
    except ConfigError as error:
        print(error, file=sys.stderr)
        return USAGE
    except SystemFaultError as error:
        print(f"culld: {error}", file=sys.stderr)
        return SYSTEM_FAULT
    except KeyboardInterrupt:
        print("culld: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of the output has closed it, as `head` does
        sys.stderr.close()
        return FINE
    except OSError as error:
        if error.errno not in {*_REFUSALS, *_TOO_MANY_FILES}:
            raise
        print(f"culld: {_refusal(error)}", file=sys.stderr)
        _discard_output()
        return SYSTEM_FAULT
    return code


def build_parser(commands: Collection[str] = tuple(COMMANDS)) -> argparse.ArgumentParser:
    """Return the parser with every command, and with the options of `commands` only."""
    parser = argparse.ArgumentParser(
        prog="culld", description="Culls photos: finds blurred and badly exposed ones.", epilog=_EPILOG
    )
    parser.add_argument("--version", action="version", version=f"culld {__version__}")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, help_line in COMMANDS.items():
        command = subparsers.add_parser(name, help=help_line)
        if name in commands:
            add_options(name, command)
    return parser


def _open_standard_streams() -> None:
    """Open each closed standard stream on the null device; escape characters that the output's encoding lacks.

    If descriptor 0, 1 or 2 is closed, the next opened file gets its number: a worker's pipe would replace standard
    error. Not every encoding can represent every file name.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # open takes the lowest number, which is this one
    sys.stdin = sys.stdin or os.fdopen(0, "r", closefd=False)
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _require_current_folder() -> None:
    try:
        Path.cwd()
    except FileNotFoundError as error:
        raise SystemFaultError("the current folder no longer exists; change to another one (cd ~)") from error


def _refusal(error: OSError) -> str:
    """Return the message for an error that concerns the whole process, with the remedy."""
    if error.errno in _TOO_MANY_FILES:
        limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return f"too many open files; the limit is {limit}, raise it (ulimit -n 1024, LimitNOFILE= in a unit)"
    return f"{_REFUSALS[error.errno or 0]}: {error.strerror}"


def _discard_output() -> None:
    """Redirect standard output to the null device, so that the interpreter's flush at exit succeeds."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)
