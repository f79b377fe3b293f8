"""The culld that a folder belongs to: by a lock on the anchor while that culld runs, and by a file in the anchor."""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from culld.files.mount_guard import ANCHOR
from culld.files.open_beneath import names_below
from culld.files.remove_own import RECORD_SUFFIX
from culld.records import display_path

if TYPE_CHECKING:
    from pathlib import Path

_FILE: Final = "owner.json"
_MOST_BYTES: Final = 65_536
_ANCHOR_FLAGS: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Role(StrEnum):
    """The purpose for which a culld uses a folder."""

    WATCHED = "watched"
    QUARANTINE = "quarantine"


@dataclass(frozen=True, slots=True)
class Owner:
    """The role of a folder, and the state folder of the culld that uses it, as text."""

    role: Role
    state: str

    def __str__(self) -> str:
        use = "the quarantine" if self.role is Role.QUARANTINE else "a watched folder"
        return f"is {use} of the culld with the state folder {self.state}"


def open_anchor(folder: Path | int) -> int | None:
    """Return an open descriptor of the anchor in a folder, for the caller to close; None if it cannot be opened."""
    try:
        if isinstance(folder, int):
            return os.open(ANCHOR, _ANCHOR_FLAGS, dir_fd=folder)
        return os.open(folder / ANCHOR, _ANCHOR_FLAGS)
    except OSError:
        return None


def read_owner(anchor: int) -> Owner | None:
    """Read the owner from an open anchor; None if there is none, or it cannot be parsed."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        descriptor = os.open(_FILE, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=anchor)
        with os.fdopen(descriptor, "rb") as stream:
            content = json.loads(stream.read(_MOST_BYTES))
        return Owner(Role(content["role"]), str(content["state"]))
    return None


def write_owner(anchor: int, owner: Owner) -> None:
    """Write the owner to an open anchor; raises OSError."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    name = f"{_FILE}.{os.getpid()}.tmp"
    with os.fdopen(os.open(name, flags, 0o644, dir_fd=anchor), "w", encoding="ascii") as stream:
        json.dump({"role": owner.role, "state": owner.state}, stream)
    os.rename(name, _FILE, src_dir_fd=anchor, dst_dir_fd=anchor)


def is_watched(anchor: int) -> bool:
    """Whether a process watches the folder of an open anchor: it then holds an exclusive lock (flock(2)) on it."""
    try:
        fcntl.flock(anchor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks
        return False
    fcntl.flock(anchor, fcntl.LOCK_UN)
    return False


def foreign(state: Path, path: Path, folder: int) -> str:
    """Return why the culld of the folder `state` must skip an open folder below its roots, as a clause; empty if not.

    A quarantine is always skipped, whether or not its culld runs; one of an older version is recognised by its records.
    """
    anchor = open_anchor(folder)
    if anchor is None:
        return ""
    try:
        owner = read_owner(anchor)
        if owner is not None and (owner.role is Role.QUARANTINE or owner.state != display_path(state)):
            return str(owner)
        if is_watched(anchor):
            return "is watched by another culld"
    finally:
        os.close(anchor)
    if owner is None and any(name.name.endswith(RECORD_SUFFIX) for name in names_below(path)):
        return "is the quarantine of another culld"
    return ""
