"""The text of a first configuration, with comments, as `culld init` writes it; pure."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from culld.config import types
from culld.errors import ConfigError
from culld.records import display_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_PLAIN: Final = re.compile(r"[~/][\w./+@-]*")
"""Paths that YAML reads as text without quotes."""

_TEXT: Final = """\
# The configuration of culld, written by `culld init`. A running culld reloads the
# policy when this file is saved. `culld policy check FILE` finds mistakes, and
# `culld manual 5` shows all other keys, with their defaults.

# The folders to watch, with all folders below them.
watch:
{watch}

# Rejected photos are moved to this folder; `culld restore` moves them back.
quarantine: {quarantine}

# The journal of all decisions: on a local disk, outside of the folders above.
state: {state}

policy:
  # observe: tag photos, move none. Write enforce when `culld report` shows that
  # the photos that would be moved are the right ones.
  mode: observe

  # For each defect the probability (0 to 1) from which a photo is tagged, and the
  # one from which it is moved. never: such photos are only tagged.
  defects:
    blur: {{tag: 0.5, reject: 0.97}}
    under: {{tag: 0.6, reject: never}}
    over: {{tag: 0.6, reject: never}}
    # The main face is out of focus.
    focus: {{tag: 0.7, reject: never}}
"""


def first_config(watched: Sequence[Path], quarantine: Path, state: Path, environ: Mapping[str, str]) -> str:
    """Return the configuration for these folders, in mode `observe`, with the default thresholds.

    Raises ConfigError for a path that is not UTF-8, because a configuration cannot hold it.
    """
    for path in (*watched, quarantine, state):
        _require_text(path)
    watch = "\n".join(f"  - path: {_scalar(in_home(folder, environ))}" for folder in watched)
    places = (_scalar(in_home(folder, environ)) for folder in (quarantine, state))
    return _TEXT.format(watch=watch, **dict(zip(("quarantine", "state"), places, strict=True)))


def in_home(path: Path, environ: Mapping[str, str]) -> str:
    """Return a path as the configuration has it: below the home folder with `~`."""
    home = types.home(environ)
    return f"~/{path.relative_to(home)}" if path != home and path.is_relative_to(home) else str(path)


def _require_text(path: Path) -> None:
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise ConfigError(
            (f"{display_path(path)}: its name is not UTF-8; rename it, or watch another folder",)
        ) from error


def _scalar(text: str) -> str:
    """Return a text as YAML reads it back: in double quotes, with JSON's escapes, unless it is plain."""
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)
