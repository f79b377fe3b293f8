"""The names of culld's own temporary files."""

from __future__ import annotations

import re
import secrets

_OWN_TEMP = re.compile(r"\.culld-[0-9a-f]{16}\.tmp")


def temp_name() -> str:
    """A fresh name for a file that is not finished yet."""
    return f".culld-{secrets.token_hex(8)}.tmp"


def is_own_temp(name: str) -> bool:
    """Whether this is the name of a temporary file of culld; such a file is never the only copy of anything."""
    return _OWN_TEMP.fullmatch(name) is not None
