"""Checks of the configured folders: access, file systems, space, and trial changes and moves."""

from __future__ import annotations

import os
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from culld.errors import PhotoError
from culld.files import mount_guard
from culld.files.mount_guard import Unreachable
from culld.files.mounts import Mount, mount_of
from culld.files.trial import try_folder, try_move
from culld.records import display_path
from culld.system.doctor.checks import Check, bad, ok, warn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from culld.files.trial import FolderAbilities

    May = Callable[[Path, int], bool]
    """Returns whether this process has these rights (os.R_OK, os.W_OK, os.X_OK) to a path."""

_ALL: Final = os.R_OK | os.W_OK | os.X_OK
_RIGHTS: Final = {os.R_OK: "listed", os.W_OK: "written to", os.X_OK: "entered"}

_PATH_MAX: Final = 4096
_ANOTHER: Final = "repair that, or use a folder on another file system"

TIGHT_BYTES: Final = 1_000_000_000
FULL_BYTES: Final = 50_000_000


def has_access(path: Path, rights: int) -> bool:
    """Return whether the kernel grants this process these rights; a read-only file system is not writable."""
    return os.access(path, rights, effective_ids=True)


@dataclass(frozen=True, slots=True)
class Survey:
    """A watched folder and the folders below it: their number, and those that culld cannot use.

    `closed` are folders that culld has no rights to, `too_long` folders whose path is longer than the kernel accepts
    (PATH_MAX of limits.h). Folders below those are not counted.
    """

    folders: int
    closed: tuple[Path, ...]
    too_long: tuple[Path, ...] = ()


def survey_tree(root: Path, may: May = has_access) -> Survey:
    """Return the survey of a folder; links are not followed."""
    # A closed folder is in the listing of the folder above it, but the walk does not enter it.
    named = [Path(above, name) for above, names, _ in os.walk(root) for name in names]
    too_long = [folder for folder in named if len(os.fsencode(folder)) >= _PATH_MAX]
    folders = [folder for folder in named if not os.path.islink(folder)]  # noqa: PTH114 (raises nothing, unlike Path's)
    closed = {folder for folder in folders if not may(folder, _ALL)} - set(too_long)
    return Survey(1 + len(folders), tuple(sorted(closed)), tuple(sorted(too_long)))


def watched(folder: Path, user: str, may: May = has_access) -> Check:
    """Check that a watched folder can be listed, entered, and written to (sidecars, moves)."""
    name = f"watched folder {display_path(folder)}"
    seen = mount_guard.inspect(folder)
    if isinstance(seen, Unreachable):
        return bad(name, seen.what, seen.fix(folder))
    if seen is None:
        return warn(name, "is missing; culld waits for it", f"mkdir -p {shlex.quote(display_path(folder))}")
    if lacking := [right for mode, right in _RIGHTS.items() if not may(folder, mode)]:
        return bad(name, f"cannot be {' or '.join(lacking)} by {user}", f"sudo {grant_command(folder, user)}")
    return ok(name, f"can be read and written by {user}")


def below(folder: Path, found: Survey, user: str) -> Check:
    """Check that the folders below a watched folder can be listed, entered, and written to as well."""
    name = f"below {display_path(folder)}"
    if found.closed:
        first = display_path(found.closed[0])
        what = f"{len(found.closed)} of {found.folders} folders are closed to {user}, first {first}"
        return warn(name, what, f"sudo {grant_command(folder, user)}")
    if found.too_long:
        what = f"{len(found.too_long)} folders have paths of {_PATH_MAX} bytes or more"
        return warn(name, what, "shorten the names of some folders: there culld finds new photos by the timer only")
    return ok(name, f"{found.folders} folders, all open to {user}")


def quarantine(folder: Path, roots: Sequence[Path], user: str, may: May = has_access) -> Check:
    """Check that the quarantine exists or can be made, and report whether photos must be copied into it."""
    name = f"quarantine {display_path(folder)}"
    if folder_at_fault := unreachable(folder):
        at, seen = folder_at_fault
        return bad(name, f"{display_path(at)} {seen.what}", seen.fix(at))
    if folder.exists() and not folder.is_dir():
        return bad(name, "is a file", "set `quarantine` to a folder in the configuration")
    nearest = existing(folder)
    if not may(nearest, _ALL):
        return bad(name, f"{display_path(nearest)} cannot be written to by {user}", _make(folder, user))
    where = "exists" if nearest == folder else "will be created"
    reached = [root for root in roots if unreachable(root) is None]
    far = [display_path(root) for root in reached if device(root) != device(folder)]
    if far:
        return ok(name, f"{where}, on another disk than {', '.join(far)}: photos from there are copied and verified")
    return ok(name, f"{where}, on the same disk as the watched folders")


def changes(folder: Path, attempt: Callable[[Path], FolderAbilities] = try_folder) -> Check:
    """Check that files in a folder can be rewritten and renamed safely, by rewriting and renaming trial files in it."""
    name = f"changes in {display_path(folder)}"
    try:
        found = attempt(folder)
    except PhotoError as error:
        return bad(name, f"tried, and failed: {error}", _ANOTHER)
    lacks = (
        [] if found.exchanges else ["names cannot be exchanged: a save by another program during a rewrite can be lost"]
    )
    lacks += [] if found.leases else ["the kernel does not report writers: culld waits for a longer quiet time"]
    return ok(name, "; ".join([f"tried: {found.way}", *lacks]))


def moves(root: Path, quarantine: Path, attempt: Callable[[Path, Path], bool] = try_move) -> Check:
    """Check that a file can be moved from a watched folder into the quarantine, by moving a trial file."""
    name = f"moves from {display_path(root)}"
    try:
        renamed = attempt(root, quarantine)
    except PhotoError as error:
        return bad(name, f"tried, and failed: {error}", _ANOTHER)
    return ok(name, f"tried: {'renamed' if renamed else 'copied, verified, then unlinked'}")


def state(folder: Path, mounts: Sequence[Mount], user: str, may: May = has_access) -> Check:
    """Check that the state folder is writable, and on a local disk, which SQLite's write-ahead log needs."""
    name = f"state {display_path(folder)}"
    mount = mount_of(folder, mounts)
    if mount is not None and mount.is_remote:
        return bad(
            name, f"lies on {mount.kind}, where a journal is not safe", "set `state` to a folder on a local disk"
        )
    if folder_at_fault := unreachable(folder):
        at, seen = folder_at_fault
        return bad(name, f"{display_path(at)} {seen.what}", seen.fix(at))
    nearest = existing(folder)
    if not nearest.is_dir() or not may(nearest, _ALL):
        return bad(name, f"{display_path(nearest)} cannot be written to by {user}", _make(folder, user))
    return ok(name, "exists" if nearest == folder else "will be created")


def file_system(folder: Path, mounts: Sequence[Mount]) -> Check:
    """Check that the kernel reports every change in a watched folder."""
    name = f"file system of {display_path(folder)}"
    mount = mount_of(folder, mounts)
    if mount is None:
        return warn(name, "is not known", "run `findmnt` to find the file system of the folder")
    if mount.is_remote:
        what = f"{mount.kind}: changes made elsewhere give no event, so the timer alone finds them"
        return warn(name, what, "set `rescan` as short as you want to wait; files there must be quiet for 15 s")
    return ok(name, f"{mount.kind}, which reports every change")


def space(folder: Path, free: int) -> Check:
    """Check the free space on the file system of a folder; `free` is in bytes."""
    name = f"space for {display_path(folder)}"
    what = f"{free / 1e9:.1f} GB free"
    place = shlex.quote(display_path(existing(folder)))
    fix = f"free some space; `du -xh --max-depth=1 {place} | sort -h` shows large folders"
    if free < FULL_BYTES:
        return bad(name, what, fix)
    return warn(name, what, fix) if free < TIGHT_BYTES else ok(name, what)


def unreachable(path: Path) -> tuple[Path, Unreachable] | None:
    """Return the nearest existing folder at or above a path with the reason, if that folder is unreachable."""
    found = ((above, mount_guard.inspect(above)) for above in (path, *path.parents))
    near, seen = next((above, seen) for above, seen in found if seen is not None)
    return (near, seen) if isinstance(seen, Unreachable) else None


def existing(path: Path) -> Path:
    """Return the path if it exists, else the nearest existing folder above it; raises OSError if it is unreachable."""
    return next(candidate for candidate in (path, *path.parents) if candidate.exists())


def device(path: Path) -> int:
    """Return the device number of a path, or of the folder in which it will be made."""
    return existing(path).stat().st_dev


def free(path: Path) -> int:
    """Return the free space, in bytes, for this user on the file system of a path."""
    return shutil.disk_usage(existing(path)).free


def grant_command(folder: Path, user: str, *, write: bool = True) -> str:
    """Return the command that gives a user the rights to a folder, with its present and future contents; for root."""
    rights = "rwX" if write else "rX"
    return f"setfacl -R -m u:{user}:{rights},d:u:{user}:{rights} {shlex.quote(display_path(folder))}"


def _make(folder: Path, user: str) -> str:
    return f"sudo install -d -o {user} -m 0750 {shlex.quote(display_path(folder))}"
