"""`culld init`: write a first configuration for the folders to watch, and print the next commands."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Final

from culld.app.init import FirstConfig, free_file, propose, refusal, write
from culld.cli import exit_codes
from culld.config import in_home, user_config
from culld.errors import ConfigError
from culld.records import display_path

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

_SUGGESTED: Final = "~/Pictures/Import"
_WIDEST: Final = 100


def run(args: argparse.Namespace) -> int:
    """Write the configuration; raises ConfigError with what is wrong with the folders."""
    free_file(os.environ, args.out)
    asks = sys.stdin.isatty() and sys.stdout.isatty()
    folders = args.folders or (asked_folders(_ask, _say) if asks else [])
    if not folders:
        raise ConfigError(("name the folders to watch: culld init FOLDER ...",))
    first = propose(folders, os.environ, out=args.out, quarantine=args.quarantine)
    for remark in first.remarks:
        _say(f"note: {remark}")
    if first.remarks and not args.yes and not (asks and is_yes(_ask("Write the configuration all the same? [y/N] "))):
        raise ConfigError(("nothing was written; with --yes the configuration is written in spite of the notes",))
    write(first, os.environ)
    print("\n".join(_report(first)))
    return exit_codes.FINE


def asked_folders(ask: Callable[[str], str], say: Callable[[str], None]) -> list[Path]:
    """Return the folders that a person names, one an answer, until an empty one; a refused one is asked for again."""
    suggested = os.path.isdir(_at_home(_SUGGESTED))  # noqa: PTH112 (a text)
    first = f"Folder that new photos arrive in{f' [{_SUGGESTED}]' if suggested else ''}: "
    found: list[Path] = []
    while answer := ask("Another folder, or Enter for no more: " if found else first) or (
        _SUGGESTED if suggested and not found else ""
    ):
        folder = Path(os.path.realpath(_at_home(answer)))
        if why := refusal(folder, found, os.environ):
            say(why)
        else:
            found.append(folder)
    return found


def is_yes(answer: str) -> bool:
    """Return whether an answer is yes; no answer is no."""
    return answer.lower() in {"y", "yes"}


def _at_home(answer: str) -> str:
    return os.path.expanduser(answer)  # noqa: PTH111 (a name of a user who does not exist stays as it is)


def _ask(question: str) -> str:
    try:
        return input(question).strip()
    except EOFError as error:
        print()
        raise ConfigError(("nothing was written: the question was not answered",)) from error


def _say(text: str) -> None:
    width = min(shutil.get_terminal_size().columns, _WIDEST)
    print(textwrap.fill(text, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False))


def _report(first: FirstConfig) -> Iterator[str]:
    yield f"wrote {_shown(first.file)} (observe: photos are tagged, none is moved)"
    names = ["watch"] * len(first.watched) + ["quarantine", "state"]
    for name, folder in zip(names, (*first.watched, first.quarantine, first.state), strict=True):
        yield f"  {name:<11} {_shown(folder)}"
    named = "" if _is_found(first.file) else f" --config {shlex.quote(display_path(first.file))}"
    yield "\nnext:"
    yield f"  culld once{named}           # judges the photos that are there"
    yield f"  culld report{named}         # counts those that would be moved"
    yield f"  culld web --open{named}     # shows them; `culld run` goes on watching"


def _shown(path: Path) -> str:
    return display_path(Path(in_home(path, os.environ)))


def _is_found(file: Path) -> bool:
    """Whether culld uses this file without --config."""
    return file == Path(os.environ.get("CULLD_CONFIG") or user_config(os.environ)).absolute()
