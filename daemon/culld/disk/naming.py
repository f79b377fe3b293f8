"""The names of culld's own temporary files, and how any name is shown to people."""

from __future__ import annotations

import os
import re
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_OWN_TEMP = re.compile(r"\.culld-[0-9a-f]{16}\.tmp")


def temp_name() -> str:
    """A fresh name for a file that is not finished yet."""
    return f".culld-{secrets.token_hex(8)}.tmp"


def is_own_temp(name: str) -> bool:
    """Whether this is the name of a temporary file of culld; such a file is never the only copy of anything."""
    return _OWN_TEMP.fullmatch(name) is not None


def shown(path: Path) -> str:
    """The path as one printable line: bytes that are no UTF-8 and control characters are escaped."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
