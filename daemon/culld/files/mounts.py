"""The file system of a folder, from /proc/self/mountinfo (proc_pid_mountinfo(5))."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MOUNTINFO: Final = Path("/proc/self/mountinfo")

# inotify reports only changes that are made through this kernel: those by another machine, by the host of a virtual
# one, or by the program behind a FUSE mount give no event (inotify(7)).
_REMOTE: Final = frozenset(
    {
        "9p",
        "acfs",
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "coda",
        "davfs",
        "glusterfs",
        "gpfs",
        "lustre",
        "nfs",
        "nfs4",
        "ncpfs",
        "ocfs2",
        "orangefs",
        "prl_fs",
        "prl_fs_freeze",
        "smb2",
        "smb3",
        "smbfs",
        "vboxsf",
        "virtiofs",
        "vmhgfs",
        "split",
    }
)


@dataclass(frozen=True, slots=True)
class Mount:
    """A mounted file system: its mount point and its type."""

    point: Path
    kind: str

    @property
    def is_remote(self) -> bool:
        """Whether its files may change without this kernel: by other machines, or by the program of a FUSE mount."""
        return self.kind in _REMOTE or self.kind.startswith("fuse")


def parse(mountinfo: str) -> tuple[Mount, ...]:
    """Return the mounts, in the order in which they were made; lines of an unknown form are skipped."""
    return tuple(mount for line in mountinfo.splitlines() if (mount := _mount(line)) is not None)


def _mount(line: str) -> Mount | None:
    before, separator, after = line.partition(" - ")
    fields = before.split(" ")
    if not separator or len(fields) < 6:
        return None
    return Mount(Path(_unescaped(fields[4])), after.split(" ")[0])


def _unescaped(text: str) -> str:
    """Undo the kernel's octal escapes of blanks, tabs, line breaks and backslashes."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)


def remote_roots(folders: Iterable[Path], mountinfo: Path = MOUNTINFO) -> frozenset[Path]:
    """Return those folders that are on a file system which other machines write to as well; raises no error."""
    try:
        mounts = parse(mountinfo.read_text("utf-8", "surrogateescape"))
    except OSError:  # no /proc: no folder counts as remote
        return frozenset()
    found = {folder: mount_of(folder, mounts) for folder in folders}
    return frozenset(folder for folder, mount in found.items() if mount is not None and mount.is_remote)


def mount_of(path: Path, mounts: Sequence[Mount]) -> Mount | None:
    """Return the mount of a path without links: the deepest one, and the last of several at one mount point."""
    above = [mount for mount in mounts if path.is_relative_to(mount.point)]
    deepest = max((len(mount.point.parts) for mount in above), default=0)
    return next((mount for mount in reversed(above) if len(mount.point.parts) == deepest), None)
