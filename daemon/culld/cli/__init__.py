"""The command line: one file per command, and nothing heavy imported before a command runs."""

from __future__ import annotations

import argparse
import importlib
import logging
import sys

from culld import __version__
from culld.cli.codes import FINE, SYSTEM_FAULT, USAGE
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

_EPILOG = "exit codes: 0 fine, 1 some photos failed, 2 usage or configuration, 3 system fault"


def main(argv: list[str] | None = None) -> int:
    """Run `culld` with these arguments (those of the process if None) and return its exit code."""
    arguments = build_parser().parse_args(argv)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    try:
        return int(arguments.run(arguments))
    except ConfigError as error:
        print(error, file=sys.stderr)
        return USAGE
    except SystemFaultError as error:
        print(f"culld: {error}", file=sys.stderr)
        return SYSTEM_FAULT
    except KeyboardInterrupt:
        return FINE
    except BrokenPipeError:  # the reader of our output has seen enough, as `head` does
        sys.stderr.close()
        return FINE


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
