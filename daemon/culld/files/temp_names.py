"""The hidden names of culld's temporary files, and of files that culld sets aside before it unlinks them."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import PurePath
from typing import Final

_OWN_TEMP = re.compile(r"\.culld-[0-9a-f]{16}\.tmp")
_ASIDE = re.compile(r"\.culld-[0-9a-f]{16}~(.+)", re.DOTALL)
_NAME_MAX = 255  # bytes in a name on Linux file systems (NAME_MAX of limits.h)

CLAIM: Final = b"culld reserves this name for a file that it moves here. Remove this file if culld does not run.\n"
"""The bytes of a file that reserves a name where the file system has no other way (see `rename_noreplace`)."""


def temp_name() -> str:
    """Return a new random name for a file that is not finished yet."""
    return f".culld-{secrets.token_hex(8)}.tmp"


def is_own_temp(name: str) -> bool:
    """Whether this is the name of a temporary file of culld; such a file is never the only copy of anything."""
    return _OWN_TEMP.fullmatch(name) is not None


def aside_name(name: str) -> str:
    """Return a new hidden name for a file that is set aside before it is unlinked; it contains the file's own name.

    Unlike a temporary file, a file under such a name may be the only copy of a photo. If the own name is
    too long, the end of its stem is cut off.
    """
    return f".culld-{secrets.token_hex(8)}~{told_name(name)}"


def name_of_aside(name: str) -> str | None:
    """Return the own name, as `told_name` returns it, of a file that was set aside; None for any other `name`."""
    found = _ASIDE.fullmatch(name)
    return found[1] if found is not None else None


def told_name(name: str) -> str:
    """Return a file's name, cut to the length that the name under which it is set aside has room for."""
    return _cut(name, _NAME_MAX - len(".culld-0123456789abcdef~"))


def marked_name(name: str) -> str:
    """Return a new visible name such as `a~3fa9c2d4.jpg`, for a file whose own name is taken."""
    path, mark = PurePath(name), f"~{secrets.token_hex(4)}"
    stem = _cut(path.stem, _NAME_MAX - len(os.fsencode(path.suffix + mark)))
    return f"{stem}{mark}{path.suffix}"


def _cut(name: str, most: int) -> str:
    """Return the name, with the end of its stem cut off until it has at most `most` bytes."""
    path = PurePath(name)
    stem, suffix = path.stem, path.suffix
    while stem and len(os.fsencode(stem + suffix)) > most:
        stem = stem[:-1]
    return stem + suffix
