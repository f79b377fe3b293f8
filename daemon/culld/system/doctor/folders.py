"""The doctor's look at the configured folders: whether culld can work in them, and what they lie on."""

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
    """Whether this process may use a path so (os.R_OK, os.W_OK, os.X_OK)."""

_ALL: Final = os.R_OK | os.W_OK | os.X_OK
_RIGHTS: Final = {os.R_OK: "listed", os.W_OK: "written to", os.X_OK: "entered"}

_PATH_MAX: Final = 4096
_ANOTHER: Final = "mend what it says, or use a folder on another file system"

TIGHT_BYTES: Final = 1_000_000_000
FULL_BYTES: Final = 50_000_000


def has_access(path: Path, rights: int) -> bool:
    """What the kernel would say to this process; a read-only file system counts as not writable."""
    return os.access(path, rights, effective_ids=True)


@dataclass(frozen=True, slots=True)
class Survey:
    """A watched folder with all that is below it: how many folders, which of them are closed to culld, and which have a
    path that is longer than the kernel takes (PATH_MAX of limits.h); what is below those is not counted.
    """  # noqa: D205 - one sentence

    folders: int
    closed: tuple[Path, ...]
    too_long: tuple[Path, ...] = ()


def survey_tree(root: Path, may: May = has_access) -> Survey:
    """Walk through a folder, never following links."""
    # A closed folder is named by the folder above it, but is no folder that the walk comes to.
    named = [Path(above, name) for above, names, _ in os.walk(root) for name in names]
    too_long = [folder for folder in named if len(os.fsencode(folder)) >= _PATH_MAX]
    folders = [folder for folder in named if not os.path.islink(folder)]  # noqa: PTH114 (raises nothing, unlike Path's)
    closed = {folder for folder in folders if not may(folder, _ALL)} - set(too_long)
    return Survey(1 + len(folders), tuple(sorted(closed)), tuple(sorted(too_long)))


def watched(folder: Path, user: str, may: May = has_access) -> Check:
    """Whether a watched folder can be listed, entered, and written to (sidecars, moves)."""
    name = f"watched folder {display_path(folder)}"
    ground = mount_guard.inspect(folder)
    if isinstance(ground, Unreachable):
        return bad(name, ground.what, ground.fix(folder))
    if ground is None:
        return warn(name, "is not there; culld waits for it", f"mkdir -p {shlex.quote(display_path(folder))}")
    if lacking := [right for mode, right in _RIGHTS.items() if not may(folder, mode)]:
        return bad(name, f"cannot be {' or '.join(lacking)} by {user}", _grant(folder, user))
    return ok(name, f"can be read and written by {user}")


def below(folder: Path, found: Survey, user: str) -> Check:
    """Whether the folders below a watched folder can be worked in as well."""
    name = f"below {display_path(folder)}"
    if found.closed:
        first = display_path(found.closed[0])
        what = f"{len(found.closed)} of {found.folders} folders are closed to {user}, first {first}"
        return warn(name, what, _grant(folder, user))
    if found.too_long:
        what = f"{len(found.too_long)} folders have paths of {_PATH_MAX} bytes or more"
        return warn(name, what, "shorten the names of some folders: there culld finds new photos by the timer only")
    return ok(name, f"{found.folders} folders, all open to {user}")


def quarantine(folder: Path, roots: Sequence[Path], user: str, may: May = has_access) -> Check:
    """Whether the quarantine is there or can be made, and whether photos are copied into it."""
    name = f"quarantine {display_path(folder)}"
    if folder_at_fault := unreachable(folder):
        at, ground = folder_at_fault
        return bad(name, f"{display_path(at)} {ground.what}", ground.fix(at))
    if folder.exists() and not folder.is_dir():
        return bad(name, "is a file", "set `quarantine` to a folder in the configuration")
    nearest = existing(folder)
    if not may(nearest, _ALL):
        return bad(name, f"{display_path(nearest)} cannot be written to by {user}", _make(folder, user))
    where = "is there" if nearest == folder else "will be made"
    reached = [root for root in roots if unreachable(root) is None]
    far = [display_path(root) for root in reached if device(root) != device(folder)]
    if far:
        return ok(name, f"{where}, on another disk than {', '.join(far)}: photos from there are copied and verified")
    return ok(name, f"{where}, on the same disk as the watched folders")


def changes(folder: Path, attempt: Callable[[Path], FolderAbilities] = try_folder) -> Check:
    """Whether files in a folder can be rewritten and renamed safely, and in which way; it is tried for real."""
    name = f"changes in {display_path(folder)}"
    try:
        found = attempt(folder)
    except PhotoError as error:
        return bad(name, f"tried, and failed: {error}", _ANOTHER)
    lacks = [] if found.exchanges else ["names cannot be exchanged: a save in the instant of a change is lost"]
    lacks += [] if found.leases else ["the kernel does not tell of writers: a longer quiet time has to do"]
    return ok(name, "; ".join([f"tried: {found.way}", *lacks]))


def moves(root: Path, quarantine: Path, attempt: Callable[[Path, Path], bool] = try_move) -> Check:
    """Whether a file can be moved from a watched folder into the quarantine; it is tried for real."""
    name = f"moves from {display_path(root)}"
    try:
        renamed = attempt(root, quarantine)
    except PhotoError as error:
        return bad(name, f"tried, and failed: {error}", _ANOTHER)
    return ok(name, f"tried: {'renamed' if renamed else 'copied, verified, then unlinked'}")


def state(folder: Path, mounts: Sequence[Mount], user: str, may: May = has_access) -> Check:
    """Whether the journal can be kept there: writable, and on a local disk, which SQLite's log needs."""
    name = f"state {display_path(folder)}"
    mount = mount_of(folder, mounts)
    if mount is not None and mount.is_remote:
        return bad(
            name, f"lies on {mount.kind}, where a journal is not safe", "set `state` to a folder on a local disk"
        )
    if folder_at_fault := unreachable(folder):
        at, ground = folder_at_fault
        return bad(name, f"{display_path(at)} {ground.what}", ground.fix(at))
    nearest = existing(folder)
    if not nearest.is_dir() or not may(nearest, _ALL):
        return bad(name, f"{display_path(nearest)} cannot be written to by {user}", _make(folder, user))
    return ok(name, "is there" if nearest == folder else "will be made")


def file_system(folder: Path, mounts: Sequence[Mount]) -> Check:
    """Whether the kernel can tell of every change in a watched folder."""
    name = f"file system of {display_path(folder)}"
    mount = mount_of(folder, mounts)
    if mount is None:
        return warn(name, "is not known", "run `findmnt` and see what the folder lies on")
    if mount.is_remote:
        what = f"{mount.kind}: changes made elsewhere give no event, so the timer alone finds them"
        return warn(name, what, "set `rescan` as short as you want to wait; files there must be quiet for 15 s")
    return ok(name, f"{mount.kind}, which tells of every change")


def space(folder: Path, free: int) -> Check:
    """Whether there is room to write where a folder lies; `free` counts bytes."""
    name = f"space for {display_path(folder)}"
    what = f"{free / 1e9:.1f} GB free"
    fix = (
        f"make room; `du -xh --max-depth=1 {shlex.quote(display_path(existing(folder)))} | sort -h` shows what is large"
    )
    if free < FULL_BYTES:
        return bad(name, what, fix)
    return warn(name, what, fix) if free < TIGHT_BYTES else ok(name, what)


def unreachable(path: Path) -> tuple[Path, Unreachable] | None:
    """The nearest folder at or above a path that is there, if it cannot be looked at, with the reason."""
    found = ((above, mount_guard.inspect(above)) for above in (path, *path.parents))
    near, ground = next((above, ground) for above, ground in found if ground is not None)
    return (near, ground) if isinstance(ground, Unreachable) else None


def existing(path: Path) -> Path:
    """The path itself if it is there, else the nearest folder above it that is; raises OSError if it is unreachable."""
    return next(candidate for candidate in (path, *path.parents) if candidate.exists())


def device(path: Path) -> int:
    """The number of the device that a path lies on, or will lie on once it is made."""
    return existing(path).stat().st_dev


def free(path: Path) -> int:
    """How many bytes this user may still write where a path lies."""
    return shutil.disk_usage(existing(path)).free


def _grant(folder: Path, user: str) -> str:
    return f"sudo setfacl -R -m u:{user}:rwX,d:u:{user}:rwX {shlex.quote(display_path(folder))}"


def _make(folder: Path, user: str) -> str:
    return f"sudo install -d -o {user} -m 0750 {shlex.quote(display_path(folder))}"
