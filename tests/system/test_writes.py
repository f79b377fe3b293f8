"""The files that the daemon opens for writing, traced by strace: only those that the unit would permit."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from harness import factories
from harness.daemon_process import COMMAND, House

# With -y strace shows what a descriptor stands for: openat(5</a>, "b", O_RDWR|O_CREAT, 0600) = 6</a/b>
_OPENED = re.compile(r"open(?:at|at2)?\(.*?(O_(?:WRONLY|RDWR)\S*).*\) = \d+<([^>]+)>")
_CHANGED = re.compile(r'(?:renameat2?|linkat|unlinkat|mkdirat)\(\d+<([^>]+)>, "([^"]*)"')
# Python's semaphores and the null device belong to no file system that could be harmed.
_HARMLESS = ("/dev/null", "/dev/shm/", "/memfd:", "/proc/self/", "pipe:", "socket:")  # noqa: S108


@pytest.mark.slow
def test_every_file_opened_for_writing_lies_in_the_configured_folders(house: House, tmp_path: Path) -> None:
    """While it tags, moves, restores and reads what is damaged: inbox, quarantine and state, and nothing else."""
    if shutil.which("strace") is None:
        pytest.skip("needs strace (apt-get install strace)")
    house.drop("blurred.jpg", factories.encoded(factories.blurred(factories.picture(1))))
    house.drop("good.jpg", factories.encoded(factories.picture(2)))
    house.drop("damaged.jpg", b"\xff\xd8\xff\xe0 no picture")
    trace = tmp_path / "trace.txt"
    calls = "trace=open,openat,openat2,renameat,renameat2,linkat,unlinkat,mkdirat"
    for arguments, code in ((["once"], 1), (["restore", "--all"], 0)):
        command = ["strace", "-f", "-y", "-A", "-o", trace, "-e", calls, COMMAND, *arguments, "--config", house.config]
        environ = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}  # which the interpreter would, and the unit forbids
        done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False, env=environ)
        assert done.returncode == code, done.stdout + done.stderr

    lines = [line for line in trace.read_text(errors="replace").splitlines() if "= -1 " not in line]
    written = {found[2] for line in lines if (found := _OPENED.search(line))}
    written |= {f"{found[1]}/{found[2]}" for line in lines if (found := _CHANGED.search(line))}
    folders = (house.inbox, house.quarantine, house.folder / "state")
    outside = {
        path
        for path in written
        if not path.startswith(_HARMLESS) and not any(Path(path).is_relative_to(folder) for folder in folders)
    }

    assert outside == set()
    assert any(Path(path).is_relative_to(house.inbox) for path in written)
    assert any(Path(path).is_relative_to(house.quarantine) for path in written)
    assert any(Path(path).name == "journal.sqlite3" for path in written)
