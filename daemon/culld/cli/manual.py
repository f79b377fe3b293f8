"""`culld manual`: the manual pages in man(7) markup, built from the parser and from config.example.yaml."""

from __future__ import annotations

import argparse
import re
from itertools import groupby
from typing import TYPE_CHECKING, Final

from culld import __version__
from culld.cli import build_parser, exit_codes
from culld.system.data_files import example_config

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

EXAMPLES: Final = {
    "culld init ~/Pictures/Import": "write a first policy, which moves nothing",
    "culld once": "judge the photos that are there, then exit",
    "culld score ~/Desktop/IMG_1.jpg": "print the probabilities of one photo; nothing is changed",
    "culld why ~/Pictures/Import/IMG_1.jpg": "explain what was decided about it",
    "culld restore --all": "bring every photo back from quarantine",
    "culld policy simulate new.yaml": "show what another policy would change",
    "culld service install --user": "run culld in the background from now on",
}
"""What people do first, with what it does."""
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
    yield ".SH EXAMPLES"
    for command, does in EXAMPLES.items():
        yield f".TP\n.B {_plain(command)}\n{_plain(does)}"
    yield f".SH EXIT STATUS\n{_plain((parser.epilog or '').removeprefix('exit codes: '))}"
    yield (
        ".SH FILES\n~/.config/culld/config.yaml, /etc/culld/config.yaml: the configuration, see\n.BR culld.yaml (5)\n"
        ".PP\n~/.local/state/culld, /var/lib/culld: the journal of every decision"
    )


def configuration(example: str) -> Iterator[str]:
    """Yield the lines of culld.yaml(5): every key of the example configuration with its default and its comment.

    Keys and examples keep their nesting.
    """
    yield f'.TH CULLD.YAML 5 "" "culld {__version__}" "File Formats"'
    yield ".SH NAME\nculld.yaml \\- the configuration of culld\n.SH DESCRIPTION"
    for kind, lines in groupby(example.splitlines(), _kind):
        if kind == "comment":
            yield from _comment(list(lines))
        elif kind == "key":
            yield from _verbatim(lines)


def _kind(line: str) -> str:
    text = line.strip()
    return "comment" if text.startswith("#") else "key" if text else "nothing"


def _comment(lines: list[str]) -> Iterator[str]:
    """Yield a comment as paragraphs, as deep as its key; lines that are indented in it are an example."""
    depth = len(lines[0]) - len(lines[0].lstrip())
    texts = [line.lstrip().removeprefix("#").removeprefix(" ") for line in lines]
    yield f".RS {depth}n"
    for kind, part in groupby(texts, lambda text: "" if not text else "example" if text[0] == " " else "text"):
        if kind == "text":
            yield ".PP\n" + _plain("\n".join(part))
        elif kind == "example":
            yield from _verbatim(part)
    yield ".RE"


def _verbatim(lines: Iterable[str]) -> Iterator[str]:
    yield "\n".join([".PP\n.EX", *(f"\\fB{_plain(line)}\\fR" for line in lines), ".EE"])


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
