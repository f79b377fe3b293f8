"""Mounts of FUSE file systems that know less than a disk: no rename flags, numbers by name, no hard links."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SFTP_SERVER = Path("/usr/lib/openssh/sftp-server")

Command = Callable[[Path, Path], list[list[str | Path]]]
"""From a work folder and a mount point to the commands that mount."""


def _branch(work: Path) -> Path:
    (work / "branch").mkdir()
    return work / "branch"


def _mergerfs(*options: str) -> Command:
    return lambda work, point: [["mergerfs", *options, _branch(work), point]]


def _sshfs(*options: str) -> Command:
    """The server is started as a process of its own, with no network in between."""

    def commands(work: Path, point: Path) -> list[list[str | Path]]:
        server = work / "server"
        server.write_text(f"#!/bin/sh\nexec {SFTP_SERVER}\n")
        server.chmod(0o755)
        return [["sshfs", "-o", f"ssh_command={server}", *options, f"localhost:{_branch(work)}", point]]

    return commands


def _image(make: list[str], mount: list[str], *options: str) -> Command:
    def commands(work: Path, point: Path) -> list[list[str | Path]]:
        image = work / "image"
        with image.open("wb") as stream:
            stream.truncate(64 << 20)
        return [[*make, image], [*mount, image, point, *options]]

    return commands


FILE_SYSTEMS: dict[str, Command] = {
    "mergerfs": _mergerfs(),
    "mergerfs use_ino": _mergerfs("-o", "use_ino"),
    "unionfs": lambda work, point: [["unionfs", f"{_branch(work)}=RW", point]],
    "bindfs": lambda work, point: [["bindfs", _branch(work), point]],
    "sshfs": _sshfs(),
    "sshfs without hard links": _sshfs("-o", "disable_hardlink"),
    "fuse2fs": _image(["mkfs.ext4", "-q"], ["fuse2fs"], "-o", "fakeroot"),
    "ntfs-3g": _image(["mkfs.ntfs", "-q", "-F"], ["ntfs-3g"]),
    "lowntfs-3g": _image(["mkfs.ntfs", "-q", "-F"], ["lowntfs-3g"]),
}


@contextmanager
def mounted(kind: str, work: Path) -> Iterator[Path]:
    """The mount point of a file system of this kind; skips the test where it cannot be mounted."""
    point = work / "mount"
    point.mkdir(parents=True)
    if kind.startswith("sshfs") and not SFTP_SERVER.exists():
        pytest.skip("needs an SFTP server (apt install openssh-sftp-server)")
    for command in FILE_SYSTEMS[kind](work, point):
        if shutil.which(str(command[0])) is None:
            pytest.skip(f"needs {command[0]}")
        done = subprocess.run(command, capture_output=True, check=False, timeout=30)
        if done.returncode or (command[-1] == point and not point.is_mount()):
            pytest.skip(f"{kind} cannot be mounted here: {done.stderr.decode(errors='replace')[:200]}")
    try:
        yield point
    finally:
        subprocess.run(["umount", "-l", point], check=True, timeout=30)
