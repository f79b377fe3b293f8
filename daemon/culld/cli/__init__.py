"""The command line: one file per command, and nothing heavy imported before a command runs."""

from __future__ import annotations

import argparse
import errno
import importlib
import logging
import os
import resource
import sys
from pathlib import Path

from culld import __version__
from culld.cli.exit_codes import FINE, INTERRUPTED, SYSTEM_FAULT, USAGE
from culld.cli.streams import open_standard_streams
from culld.errors import ConfigError, SystemFaultError

_COMMANDS = (
    "run",
    "once",
    "score",
    "status",
    "log",
    "why",
    "report",
    "restore",
    "resume",
    "journal",
    "policy",
    "service",
    "doctor",
    "model",
    "completion",
    "manual",
)

# What the system refuses to the process as a whole; every other OSError has been turned into an error of culld.
_REFUSALS = {
    errno.EMFILE: "too many open files",
    errno.ENFILE: "too many open files",
    errno.ENOMEM: "there is too little memory",
    errno.EAGAIN: "no process can be started",
    errno.ENOSPC: "the output cannot be written",
}

_EPILOG = "exit codes: 0 fine, 1 some photos failed, 2 usage or configuration, 3 system fault, 130 interrupted"


def main(argv: list[str] | None = None) -> int:
    """Run `culld` with these arguments (those of the process if None) and return its exit code."""
    open_standard_streams()
    arguments = build_parser().parse_args(argv)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    try:
        _require_current_folder()
        code = int(arguments.run(arguments))
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
        if error.errno not in _REFUSALS:
            raise
        print(f"culld: {_refusal(error)}", file=sys.stderr)
        _discard_output()
        return SYSTEM_FAULT
    return code


def _require_current_folder() -> None:
    try:
        Path.cwd()
    except FileNotFoundError as error:
        raise SystemFaultError("the current folder no longer exists; change to another one (cd ~)") from error


def _refusal(error: OSError) -> str:
    """Return what the system refused to the process as a whole, and what to do."""
    if error.errno in {errno.EMFILE, errno.ENFILE}:
        limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return f"too many open files; the limit is {limit}, raise it (ulimit -n 1024, LimitNOFILE= in a unit)"
    return f"{_REFUSALS[error.errno or 0]}: {error.strerror}"


def _discard_output() -> None:
    """Let the interpreter's last flush at exit succeed: what is left cannot be written."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)


def build_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = argparse.ArgumentParser(
        prog="culld", description="Culls photos: finds blurred and badly exposed ones.", epilog=_EPILOG
    )
    parser.add_argument("--version", action="version", version=f"culld {__version__}")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for name in _COMMANDS:
        importlib.import_module(f"culld.cli.{name}").add(subparsers)
    return parser
