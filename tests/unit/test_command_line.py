"""The command line as a whole: what is imported to answer, and that every command has a module that runs it."""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from culld.cli import COMMANDS, build_parser

HEAVY = {"tensorflow", "keras", "PIL", "sqlite3", "pydantic", "yaml", "numpy", "rich"}
LOADED = """
import json, sys
from culld.cli import main
try:
    main(sys.argv[1:])
finally:
    print("\\0" + json.dumps(sorted(sys.modules)))
"""


def modules_after(*arguments: str) -> set[str]:
    """The modules that a fresh interpreter has loaded once `culld` has answered."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments], capture_output=True, text=True, check=False, timeout=60
    )
    return set(json.loads(done.stdout.rpartition("\0")[2]))


def modules_named_by(parser: argparse.ArgumentParser) -> Iterator[str]:
    """The module of each command and action."""
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    for action in below:
        for choice in action.choices.values():
            yield str(choice.get_default("module") or parser.get_default("module"))
            yield from modules_named_by(choice)


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], *([name, "--help"] for name in COMMANDS)], ids=" ".join
)
def test_help_loads_no_heavy_library(arguments: list[str]) -> None:
    """`--help` answers at once, also on a machine where a library is broken."""
    assert modules_after(*arguments) & HEAVY == set()


def test_only_the_module_of_the_command_is_imported() -> None:
    """A broken module stops one command only."""
    loaded = modules_after("completion", "bash")
    others = {f"culld.cli.{name}" for name in COMMANDS} - {"culld.cli.completion"}

    assert "culld.cli.completion" in loaded
    assert loaded & others == set()


def test_every_command_and_action_is_run_by_a_module() -> None:
    """The options name it, so a name that is mistyped there would be found by the first user only."""
    names = set(modules_named_by(build_parser()))

    assert names >= {"run", "policy", "policy_simulate", "policy_suggest", "service", "manual"}
    assert [name for name in names if not callable(importlib.import_module(f"culld.cli.{name}").run)] == []


def test_an_option_of_a_command_that_is_not_run_is_not_known() -> None:
    """The parser of one command names the others, for `--help`, without their options."""
    parser = build_parser(["status"])

    assert parser.parse_args(["status", "--json"]).json is True
    with pytest.raises(SystemExit):
        parser.parse_args(["log", "--json"])
