"""`kill -9` at every change of a file: nothing is lost, doubled, torn or half moved."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from harness import kill_points

PROGRAM = [*kill_points.PROGRAM]


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where the photos and the journal are: in memory, since a kill, unlike a power cut, loses no written page."""
    memory = Path("/dev/shm")  # noqa: S108 (the folder made in it is private)
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as path:
        yield Path(path)


@pytest.fixture(params=["same device", "other device"])
def quarantine(request: pytest.FixtureRequest, tmp_path: Path, folder: Path) -> Path:
    """The folder that photos are moved to."""
    if request.param == "same device":
        return folder / "quarantine"
    if folder.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("needs /dev/shm to be another file system than the temporary folder")
    return tmp_path / "quarantine"


@pytest.mark.parametrize("action", ["reject", "restore"])
def test_a_kill_at_any_change_of_a_file_harms_nothing(folder: Path, quarantine: Path, action: str) -> None:
    """Nor does a second kill, at any change of the recovery (here at every fourth, shifting)."""
    done = subprocess.run(
        [*PROGRAM, folder, quarantine, f"sweep-{action}", "4"], capture_output=True, check=False, text=True
    )

    assert done.stderr == ""
    assert int(done.stdout) > 10


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace (apt install strace)")
@pytest.mark.parametrize("action", ["reject", "restore"])
@pytest.mark.parametrize(
    ("call", "step"), [("fsync", 3), ("fdatasync", 2), ("renameat2", 1), ("unlinkat", 1), ("pwrite64", 13)]
)
def test_a_kill_at_a_system_call_harms_nothing(
    folder: Path, quarantine: Path, action: str, call: str, step: int
) -> None:
    """Also between the journal's own writes, which Python does not see."""
    for nth in count(1, step):
        scene = kill_points.Scene(folder / str(nth), quarantine / str(nth)).build()
        if action == "restore":
            kill_points.reject(scene)
        injection = f"inject={call}:signal=KILL:when={nth}"
        command = ["strace", "-f", "-o", "/dev/null", "-e", f"trace={call}", "-e", injection]
        done = subprocess.run(
            [*command, *PROGRAM, scene.folder, scene.quarantine, action], capture_output=True, check=False
        )
        if b"ptrace" in done.stderr:
            pytest.skip("needs the right to trace processes")
        repair = kill_points.recover if action == "reject" else kill_points.bring_back
        repair(scene)
        kill_points.check(scene, kill_points.ACTIONS[action], exact=True)
        if done.returncode == 0:
            break
        assert done.returncode in {-signal.SIGKILL, 128 + signal.SIGKILL}, done.stderr

    assert (nth > 1 or call == "unlinkat", done.returncode) == (True, 0)


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace (apt install strace)")
@pytest.mark.parametrize("action", ["reject", "restore"])
@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("fsync", "EIO"),
        ("write", "ENOSPC"),
        ("renameat2", "EXDEV"),
        ("renameat2", "EINVAL"),
        ("renameat", "EACCES"),
        ("unlinkat", "EROFS"),
    ],
)
def test_an_error_of_any_call_harms_nothing(folder: Path, quarantine: Path, action: str, call: str, error: str) -> None:
    """It costs the photo a retry at most; the next start, or the next restore, finds everything in its place."""
    try:
        failed = kill_points.fail_each(folder, quarantine, action, call, error, step=1 if call == "fsync" else 4)
    except kill_points.NotPermittedError:
        pytest.skip("needs the right to trace processes")

    # On one device a restore writes no file, and a rejection unlinks none.
    assert failed or (call, action) in {("write", "restore"), ("unlinkat", "reject")}
