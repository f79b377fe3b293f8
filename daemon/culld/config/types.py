"""Values as people write them that pydantic has no type for: durations, sizes, addresses, conditions, paths.

The functions take what YAML gave and raise ValueError with a text for the person who wrote the file. They are strict on
purpose, as the fields of pydantic's own types are: YAML reads `no` as false, and a lax reader would take it for 0.
Pydantic's ByteSize is no size here: it takes `yes` for one byte and `8kbit` for a size. Its HttpUrl is no address: it
rewrites what it is given, and allows a password that would not be sent and a port that cannot be reached.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from culld.rules import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from urllib.parse import SplitResult

AUTO: Final = "auto"
"""The word for a choice that is left to culld."""

NEVER: Final = "never"
"""The word for a threshold that no score reaches."""

FOREVER: Final = "forever"
"""The word for a time without end."""

PRINTABLE: Final = r"^(?:[^\p{C}\p{Z}]| )+$"
"""A text on one line, as pydantic's regular expressions spell it: no control characters, no space but U+0020."""

_IN_KEYWORDS: Final = r"[^\p{C}\p{Z};,|<>&]"
KEYWORD_START: Final = rf"^(?:{_IN_KEYWORDS}(?:{_IN_KEYWORDS}| )*)?$"
"""The beginning of a keyword, which may be empty; characters that separate keywords in other programs are refused."""

_DURATION: Final = re.compile(r"(\d{1,9}(?:\.\d{1,9})?) ?(ms|s|m|h|d)")
_DURATION_UNITS: Final = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}
_SIZE: Final = re.compile(r"(\d{1,15}(?:\.\d{1,9})?) ?([kKMGT]i?B|B)")
_SIZE_UNITS: Final = {"B": 1, "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12} | {
    "kiB": 2**10,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
}
_SHOWN_LENGTH: Final = 60


@dataclass(frozen=True, slots=True)
class PathBase:
    """Where relative paths of a file start (its folder), and the environment that gives home and state."""

    folder: Path
    environ: Mapping[str, str]


def format_value(value: object) -> str:
    """Return the value for a message: on one line, 60 characters at most."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = repr(value)
    return text if len(text) <= _SHOWN_LENGTH else text[: _SHOWN_LENGTH - 3] + "..."


def duration(at_least: str, at_most: str) -> Callable[[object], timedelta]:
    """Return a reader of durations such as `500ms`, `2s`, `5m`, `12h`, `30d` within bounds, ends included."""
    lowest, highest = _seconds(at_least), _seconds(at_most)

    def read(value: object) -> timedelta:
        allowed = f"write a duration from {at_least} to {at_most}, such as 500ms, 2s, 5m, 12h or 30d"
        found = _seconds(value)
        if found is None:
            raise ValueError(f"{format_value(value)} is not a duration; {allowed}")
        if lowest is not None and highest is not None and not lowest <= found <= highest:
            raise ValueError(f"{value} is out of range; {allowed}")
        return found

    return read


def _seconds(value: object) -> timedelta | None:
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    return None if match is None else float(match[1]) * _DURATION_UNITS[match[2]]


def size(at_least: str) -> Callable[[object], int]:
    """Return a reader of sizes such as `200MB` (millions) or `512MiB` (binary), in bytes; a bare number is bytes."""
    lowest = _bytes(at_least) or 0

    def read(value: object) -> int:
        allowed = f"write a size of at least {at_least}, such as 512MB or 2GB"
        found = _bytes(value)
        if found is None:
            raise ValueError(f"{format_value(value)} is not a size; {allowed}")
        if found < lowest:
            raise ValueError(f"{value} is too little; {allowed}")
        return found

    return read


def _bytes(value: object) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    match = _SIZE.fullmatch(value) if isinstance(value, str) else None
    return None if match is None else int(float(match[1]) * _SIZE_UNITS[match[2]])


VERSION: Final = 1
"""The version of the file format; a change that needs a message for older files raises it."""


def version(value: object) -> int:
    """Return the version of the format, which must be `VERSION`; there is no older one so far."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{format_value(value)} is no version; write {VERSION}, or leave the line out")
    if value > VERSION:
        raise ValueError(
            f"the file is written for a newer culld (its version {value}, known here {VERSION}); upgrade culld"
        )
    return value


def command(value: object) -> tuple[str, ...]:
    """Return a program with its arguments, a list of texts; no shell interprets it."""
    if not isinstance(value, list) or not all(isinstance(part, str) and part and "\0" not in part for part in value):
        raise ValueError(f'{format_value(value)} is no command; write a list, such as ["notify-send", "culld"], or []')
    return tuple(value)


_HOST: Final = re.compile(
    r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::[1-9][0-9]{0,4})?|\[[0-9a-f:.]{2,45}\](?::[1-9][0-9]{0,4})?"
)


def hosts(value: object) -> tuple[str, ...]:
    """Return names of this machine as browsers send them: `nas.local`, `nas.local:8466`, `[fd00::1]`, in lower case."""
    if not isinstance(value, list):
        raise ValueError(f"{format_value(value)} is no list; write one, such as [nas.local], or []")  # noqa: TRY004
    for name in value:
        if not isinstance(name, str) or not _HOST.fullmatch(name.lower()):
            raise ValueError(f"{format_value(name)} is no host; write a name or an address, such as nas.local")
    return tuple(name.lower() for name in value)


def address(value: object) -> str | None:
    """Return an http or https address, or None for `never`."""
    if value == NEVER:
        return None
    if not isinstance(value, str) or not value.lower().startswith(("https://", "http://")):
        raise ValueError(
            f"{format_value(value)} is no address; write one that begins with https:// or http://, or {NEVER}"
        )
    if not all("!" <= letter <= "~" for letter in value):
        raise ValueError(
            f"{format_value(value)} has a letter that an address cannot have; write other letters than A to Z as %.., "
            "and a host in its ASCII form xn--..."
        )
    try:
        _require_reachable(urlsplit(value))
    except ValueError as error:  # also raised by urlsplit for brackets and ports, and by the codec of a host
        raise ValueError(f"{format_value(value)} is no address that can be reached: {error}") from None
    return value


def _require_reachable(parts: SplitResult) -> None:
    if parts.username is not None or parts.password is not None:
        raise ValueError("a user or password in it would not be sent; use an address with a token instead")
    if not parts.hostname:
        raise ValueError("it names no host")
    parts.hostname.encode("idna")  # which raises UnicodeError for empty and long labels
    if parts.port == 0:
        raise ValueError("a port is a number from 1 to 65535")


def condition(value: object) -> str:
    """Return the condition of a rule, checked by `rules.parse`."""
    if not isinstance(value, str):
        raise ValueError(f"{format_value(value)} is no condition; write one such as blur > 0.8 and iso < 6400")  # noqa: TRY004
    return parse(value).text


def path(value: object, base: PathBase) -> Path:
    """Return a real path: `~` is home, and a relative path starts at the file's folder.

    Links are resolved, so that two names of one folder are recognised as one folder.
    """
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError(
            f"{format_value(value)} is not a path; write the path of a folder, in quotes if it is a number"
        )
    return Path(os.path.realpath(base.folder / _at_home(value, base.environ)))


def _at_home(value: str, environ: Mapping[str, str]) -> str:
    if not value.startswith("~"):
        return value
    if value == "~" or value.startswith("~/"):
        return str(home(environ)) + value[1:]
    expanded = os.path.expanduser(value)  # noqa: PTH111 - pathlib raises a RuntimeError that names no user
    if expanded == value:
        raise ValueError(f"{format_value(value)} names a user who does not exist; write the whole path")
    return expanded


def home(environ: Mapping[str, str]) -> Path:
    """Return the home folder: $HOME, else that of the system's user database."""
    return Path(environ["HOME"]) if environ.get("HOME") else Path.home()


def state(value: object, base: PathBase) -> Path:
    """Return a real path; `auto` is systemd's $STATE_DIRECTORY, else `culld` in the XDG state folder."""
    return path(_auto_state(base.environ) if value == AUTO else value, base)


def _auto_state(environ: Mapping[str, str]) -> str:
    # systemd gives several folders separated by colons if a unit names several.
    if given := environ.get("STATE_DIRECTORY", "").split(":")[0]:
        return given
    xdg = environ.get("XDG_STATE_HOME", "")
    # The XDG base directory specification has relative values ignored.
    return str((Path(xdg) if xdg.startswith("/") else home(environ) / ".local" / "state") / "culld")
