"""The command line: one file per command, imported only when that command runs."""

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
    "run": "watch, judge, tag and quarantine until stopped",
    "once": "process what is there, then exit",
    "score": "say what is wrong with photos, and what the policy would do (read-only)",
    "status": "queue, folders, last decisions with their reasons",
    "log": "the last decisions, and why",
    "why": "why a photo was kept, tagged or moved: scores, facts, rule, history",
    "report": "false rejects per defect, camera and rule, by what you did with them",
    "restore": "bring photos back from quarantine; they are never taken again",
    "resume": "move photos again after the brake stopped it",
    "journal": "make the journal again after it was lost",
    "policy": "check a policy before it acts",
    "service": "run culld as a systemd service: install, uninstall, status",
    "doctor": "check folders, permissions, file systems, limits, model; say the fix",
    "model": "train, measure and list models",
    "completion": "print the completion script of a shell: bash, zsh, fish",
    "manual": "print a manual page: 1 is culld(1), 5 is culld.yaml(5)",
}
"""The commands, each with its line in `culld --help`."""

# What the system refuses to the process as a whole; every other OSError has been turned into an error of culld.
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
    words = sys.argv[1:] if argv is None else argv
    arguments = build_parser([word for word in words if word in COMMANDS][:1]).parse_args(words)
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
    except BrokenPipeError:  # the reader of our output has seen enough, as `head` does
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
    """Return the command line; it names every command, and knows the options of `commands`."""
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
    """Open each closed standard stream on the null device, and let the others escape what their encoding lacks.

    A program that starts with a closed descriptor 0, 1 or 2 gives that number to the next file that it opens: a
    worker's pipe then takes the place of standard error. Not every encoding has a form for every name.
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
    """Return what the system refused to the process as a whole, and what to do."""
    if error.errno in _TOO_MANY_FILES:
        limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return f"too many open files; the limit is {limit}, raise it (ulimit -n 1024, LimitNOFILE= in a unit)"
    return f"{_REFUSALS[error.errno or 0]}: {error.strerror}"


def _discard_output() -> None:
    """Let the interpreter's last flush at exit succeed: what is left cannot be written."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)
