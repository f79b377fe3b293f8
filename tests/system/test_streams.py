"""culld with standard streams that are closed, full or narrow, and with few descriptors."""

from __future__ import annotations

import json
import os
import resource
import shlex
import subprocess
from pathlib import Path

import pytest

from harness import factories
from harness.daemon_process import COMMAND, House

SHARP = factories.encoded(factories.picture(1), quality=92)


def shell(house: House, command: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run a shell line in which `culld` and `$C` (the option --config with its file) are known."""
    line = f'culld() {{ {shlex.quote(str(COMMAND))} "$@"; }}; C={shlex.quote(f"--config={house.config}")}; {command}'
    return subprocess.run(
        ["/bin/sh", "-c", line], cwd=house.folder, env=os.environ | environment, capture_output=True, check=False
    )


@pytest.mark.slow
@pytest.mark.parametrize("closed", ["2>&-", "<&-", "<&- >&- 2>&-"])
def test_photos_are_judged_with_closed_standard_streams(house: House, closed: str) -> None:
    """As cron wrappers and daemonising shells start programs."""
    house.drop("a.jpg", SHARP)

    assert 0 == shell(house, f"culld once $C {closed}").returncode
    assert "keep" == json.loads(house.culld("log", "--json"))["verdict"]


@pytest.mark.slow
def test_a_name_that_the_terminal_cannot_show_is_escaped(house: House) -> None:
    """In every command that prints paths, under a narrow encoding."""
    house.drop("\N{CAMERA}.jpg", SHARP)
    house.culld("once")

    for narrow in ("latin-1", "ascii"):
        for command in ("log", "log --json", "status", "score inbox", "report"):
            done = shell(house, f"culld {command} $C", PYTHONIOENCODING=narrow)
            assert (0, b"") == (done.returncode, done.stderr), command
        assert rb"\U0001f4f7.jpg" in shell(house, "culld log $C", PYTHONIOENCODING=narrow).stdout


@pytest.mark.slow
def test_output_that_cannot_be_written_is_a_fault(house: House) -> None:
    """A log on a full disk must not look like an empty one."""
    house.drop("a.jpg", SHARP)
    house.culld("once")

    done = shell(house, "culld log $C > /dev/full")

    assert (3, b"culld: the output cannot be written: No space left on device\n") == (done.returncode, done.stderr)


@pytest.mark.slow
def test_too_few_descriptors_are_reported_with_the_limit(house: House) -> None:
    """The first stage that fails reports it, without a traceback."""
    house.drop("a.jpg", SHARP)

    done = shell(house, "ulimit -n 15; culld once $C")

    assert 3 == done.returncode
    assert b"oo many open files" in done.stderr
    assert b"Traceback" not in done.stderr
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 15


def test_a_current_folder_that_is_gone_is_reported(tmp_path: Path) -> None:
    """One line instead of a traceback; the help still works."""
    gone = tmp_path / "gone"
    gone.mkdir()
    line = f"cd {shlex.quote(str(gone))}; rmdir {shlex.quote(str(gone))}; {shlex.quote(str(COMMAND))} "

    told = subprocess.run(["/bin/sh", "-c", line + "status"], capture_output=True, text=True, check=False)
    helped = subprocess.run(["/bin/sh", "-c", line + "--help"], capture_output=True, text=True, check=False)

    assert (3, "culld: the current folder no longer exists; change to another one (cd ~)\n") == (
        told.returncode,
        told.stderr,
    )
    assert 0 == helped.returncode
