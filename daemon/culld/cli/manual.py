"""`culld manual`: the manual pages in man(7) markup, built from the parser and from config.example.yaml."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING

from culld import __version__
from culld.cli import build_parser, exit_codes
from culld.system.data_files import example_config

if TYPE_CHECKING:
    from collections.abc import Iterator

_ABOUT = "culls photos: finds blurred and badly exposed ones, tags them, and quarantines by policy"


def run(args: argparse.Namespace) -> int:
    """Print a page; `culld manual 1 | man -l -` displays it."""
    lines = commands(build_parser()) if args.section == "1" else configuration(example_config().read_text())
    print("\n".join(lines))
    return exit_codes.FINE


def commands(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Yield the lines of culld(1)."""
    yield f'.TH CULLD 1 "" "culld {__version__}" "User Commands"'
    yield f".SH NAME\nculld \\- {_ABOUT}"
    yield ".SH SYNOPSIS\n.B culld\n.I COMMAND\n[\\fIOPTION\\fR]..."
    yield f".SH DESCRIPTION\n{_plain(parser.description or '')}"
    yield ".SH COMMANDS"
    yield from _subcommands(parser, "culld")
    yield f".SH EXIT STATUS\n{_plain((parser.epilog or '').removeprefix('exit codes: '))}"
    yield (
        ".SH FILES\n~/.config/culld/config.yaml, /etc/culld/config.yaml: the configuration, see\n.BR culld.yaml (5)\n"
        ".PP\n~/.local/state/culld, /var/lib/culld: the journal of every decision"
    )


def configuration(example: str) -> Iterator[str]:
    """Yield the lines of culld.yaml(5): every key of the example configuration with its default and its comment."""
    yield f'.TH CULLD.YAML 5 "" "culld {__version__}" "File Formats"'
    yield ".SH NAME\nculld.yaml \\- the configuration of culld\n.SH DESCRIPTION"
    comment: list[str] = []
    for line in example.splitlines():
        if line.strip().startswith("#"):
            comment.append(line.strip().lstrip("# "))
            continue
        if comment:
            yield ".PP\n" + _plain(" ".join(comment))
            comment = []
        if line.strip():
            yield f".PP\n.nf\n.B {_plain(line)}\n.fi"


def _subcommands(parser: argparse.ArgumentParser, above: str) -> Iterator[str]:
    for action in parser._actions:  # noqa: SLF001 (argparse has no public access)
        if not isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            continue
        helps = {choice.dest: choice.help or "" for choice in action._choices_actions}  # noqa: SLF001
        for name, below in action.choices.items():
            yield f".SS {above} {name}\n{_plain(helps.get(name, ''))}"
            yield from _options(below)
            yield from _subcommands(below, f"{above} {name}")


def _options(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:  # noqa: SLF001
        if isinstance(action, argparse._HelpAction | argparse._SubParsersAction):  # noqa: SLF001
            continue
        value = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
        name = ", ".join(f"\\fB{_plain(each)}\\fR" for each in action.option_strings)
        takes = f"\\fI{_plain(value)}\\fR" if action.nargs != 0 else ""
        yield f".TP\n{' '.join(filter(None, (name, takes)))}\n{_plain(action.help or '')}"


def _plain(text: str) -> str:
    """Escape the characters that are markup in man(7)."""
    text = re.sub(r"([\\-])", r"\\\1", text).replace("\\\\", "\\e")
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.MULTILINE)
