"""The text of the systemd units, with the paths of one installation: pure functions."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

from culld.errors import ConfigError
from culld.records import WISH_FOLDER, display_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

HEADER: Final = "# Written by `culld service install`; changes belong in a drop-in (systemctl edit culld).\n"
"""The first line of every file that an installation writes: only such files are removed again."""

WEB_FOLDER: Final = "web"
"""The folder, in the state folder, in which the review page keeps hashes of sessions, tokens and its password."""

_HIDDEN: Final = tuple(map(Path, ("/home", "/root", "/run/user", "/tmp", "/var/tmp")))  # noqa: S108 (by the unit)


class Scope(StrEnum):
    """Whether the service runs for one user or for the whole system."""

    USER = "user"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Installation:
    """The data of a unit: the command, its configuration, the folders that it may write to, and those of its code.

    `library` is the instance name where the system runs several services; empty for a single one.
    """

    scope: Scope
    command: Path
    config: Path
    writes: tuple[Path, ...]
    code: tuple[Path, ...]
    library: str = ""

    @property
    def unit(self) -> str:
        """The name of the service."""
        return f"culld@{self.library}" if self.library else "culld"


def render(template: str, found: Installation) -> str:
    """Return the unit for this installation; a minus before a folder allows it to be missing at the start.

    Raises ConfigError for a path that a unit file cannot hold.
    """
    text = _set(template, "ExecStart", f"{quoted(found.command)} run --config {_argument(found.config)}")
    if found.scope is Scope.SYSTEM:
        text = _set(text, "RequiresMountsFor", _mounts(found))
        text = _set(text, "ReadWritePaths", _writes(found))
        text = text.replace("ProtectHome=tmpfs\n", "\n".join(["ProtectHome=tmpfs", *_binds(found)]) + "\n")
    return HEADER + text


def render_web(template: str, found: Installation, state: Path) -> str:
    """Return the unit of the review page; `state` is the state folder of culld, which holds the folder of wishes.

    Photos, state and code are read-only for it. Raises ConfigError for a path that a unit file cannot hold.
    """
    idle = "--idle 15m"
    text = _set(template, "ExecStart", f"{quoted(found.command)} web --config {_argument(found.config)} {idle}")
    if found.scope is Scope.SYSTEM:
        text = _set(text, "RequiresMountsFor", _mounts(found))
        text = _set(text, "ReadWritePaths", f"-{quoted(state / WISH_FOLDER)} -{quoted(state / WEB_FOLDER)}")
        binds = [f"BindReadOnlyPaths=-{_source(path)}" for path in _hidden((*found.writes, *found.code, found.config))]
        text = text.replace("ProtectHome=tmpfs\n", "\n".join(["ProtectHome=tmpfs", *binds]) + "\n")
    return HEADER + text


def for_libraries(template: str, command: Path) -> str:
    """Return the template unit `culld@.service`, of which each library is an instance with its own drop-in."""
    text = _set(template, "ExecStart", f"{quoted(command)} run --config /etc/culld/%i.yaml")
    text = _set(text, "StateDirectory", "culld/%i")
    for key in ("RequiresMountsFor", "ReadWritePaths"):
        text = _set(text, key, "")
    return HEADER + text


def without_templates(found: Installation) -> str:
    """Return the drop-in of one library: the folders that it may write to, and the mounts that it waits for."""
    unit = ["[Unit]", f"RequiresMountsFor={_mounts(found)}"]
    service = ["[Service]", f"ReadWritePaths={_writes(found)}", *_binds(found)]
    return HEADER + "\n".join([*unit, *service, ""])


def _mounts(found: Installation) -> str:
    return " ".join(map(quoted, found.writes))


def _writes(found: Installation) -> str:
    return " ".join(f"-{quoted(path)}" for path in found.writes)


def _binds(found: Installation) -> list[str]:
    """Return the bind mounts into hidden folders: the photos writable, culld's own code read-only."""
    written = [f"BindPaths=-{_source(path)}" for path in _hidden(found.writes)]
    return written + [f"BindReadOnlyPaths=-{_source(path)}" for path in _hidden((*found.code, found.config))]


def quoted(path: Path) -> str:
    """Return a path as an item of a list in a unit file (systemd.syntax(7)): `%` escaped, in quotes if necessary.

    The program of ExecStart= is read in the same way. Raises ConfigError for a path that a unit file cannot hold.
    """
    text = str(path)
    if any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in text):
        why = "it has a control character or is not UTF-8"
        raise ConfigError((f"{display_path(path)}: a systemd unit cannot name it, because {why}; rename it",))
    text = text.replace("%", "%%")
    if re.fullmatch(r"[\w/.,:+@%$-]+", text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _argument(path: Path) -> str:
    """Return a path as an argument in ExecStart=, the only place where systemd replaces variables."""
    return quoted(path).replace("$", "$$")


def _source(path: Path) -> str:
    """Return a path for BindPaths=, where a colon separates source and target."""
    return quoted(path).replace(":", "\\:")


def _set(text: str, key: str, value: str) -> str:
    """Return the unit with another value for a key; raises ValueError unless the key occurs once."""
    changed, count = re.subn(rf"^{key}=.*$", lambda _: f"{key}={value}", text, flags=re.MULTILINE)
    if count != 1:
        raise ValueError(f"the unit has {key} {count} times")
    return changed


def _hidden(paths: Iterable[Path]) -> Sequence[Path]:
    """Return the folders in homes and in /tmp, which the unit hides, without those below another one."""
    inside = sorted({path for path in paths if any(path.is_relative_to(folder) for folder in _HIDDEN)})
    return [path for path in inside if not any(path != other and path.is_relative_to(other) for other in inside)]
