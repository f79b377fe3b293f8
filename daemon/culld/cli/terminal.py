"""Text for a terminal: never wider than it, with verdicts in colour; elsewhere text stays whole and plain."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TextIO

if TYPE_CHECKING:
    from collections.abc import Mapping

_ELLIPSIS: Final = "…"
_KEY: Final = re.compile(r" \(policy\.[\w.]+\)")
_COLOURS: Final = {"keep": "32", "tag": "33", "trim": "33", "review": "33", "quarantine": "31", "unreadable": "35"}
"""The SGR codes of ECMA-48 by verdict: green, yellow, red, magenta."""


@dataclass(frozen=True, slots=True)
class Terminal:
    """How text is shown: `width` in columns (None: nothing is cut), and whether verdicts have a colour."""

    width: int | None = None
    colours: bool = False

    def cut(self, text: str) -> str:
        """Return a text in one line, with an ellipsis at its end if it is too wide."""
        return text if self.width is None else cut_end(text, self.width)

    def row(self, start: str, path: str, end: str) -> str:
        """Return three texts in one line; a long path loses its beginning, but never more than half of the room."""
        if self.width is None:
            return f"{start}{path}  {end}"
        room = max(0, self.width - _columns(start) - 2)
        kept = max(room - _columns(end), room // 2)
        return self.cut(f"{start}{cut_start(path, kept)}  {end}".rstrip())

    def short(self, reason: str) -> str:
        """Return a reason without the keys of the policy, which `culld why` names; elsewhere it is whole."""
        return reason if self.width is None else _KEY.sub("", reason).replace(" is at least ", " ≥ ")

    def labelled(self, label: str, text: str) -> list[str]:
        """Return a label and a text, which is broken at spaces and stands in a column beside the label.

        It stands below a label that takes more than half of the width.
        """
        if self.width is None:
            return [label + text]
        if _columns(label) > self.width // 2:
            return [self.cut(label.rstrip()), *self.labelled("    ", text)]
        from rich.console import Console  # noqa: PLC0415 (takes 0.1 s to import, and only terminals need it)
        from rich.text import Text  # noqa: PLC0415

        room = max(2, self.width - _columns(label))  # a Chinese character takes two
        lines = [line.plain for line in Text(text).wrap(Console(width=room), room)] or [""]
        return [f"{label if number == 0 else ' ' * _columns(label)}{line}" for number, line in enumerate(lines)]

    def coloured(self, line: str, verdict: str) -> str:
        """Return a line with the first occurrence of a verdict, of a photo or a clip, in its colour."""
        return line.replace(verdict, f"\x1b[{_COLOURS[verdict]}m{verdict}\x1b[0m", 1) if self.colours else line


def terminal_of(stream: TextIO, environ: Mapping[str, str]) -> Terminal:
    """Return how text is shown on a stream; $NO_COLOR and TERM=dumb turn colours off (no-color.org)."""
    if not stream.isatty():
        return Terminal()
    is_plain = bool(environ.get("NO_COLOR")) or environ.get("TERM") == "dumb"
    return Terminal(shutil.get_terminal_size().columns, not is_plain)


def cut_end(text: str, width: int) -> str:
    """Return a text of at most `width` columns, with an ellipsis in place of its end."""
    from rich.cells import set_cell_size  # noqa: PLC0415 (takes 25 ms to import, and only terminals need it)

    return text if _columns(text) <= width else set_cell_size(text, max(0, width - 1)).rstrip() + _ELLIPSIS[:width]


def cut_start(text: str, width: int) -> str:
    """Return a text of at most `width` columns, with an ellipsis in place of its beginning."""
    return text if _columns(text) <= width else cut_end(text[::-1], width)[::-1]


def _columns(text: str) -> int:
    """Return the columns of a text on a terminal; a Chinese character takes two."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # noqa: PLC0415

    return cell_len(text)
