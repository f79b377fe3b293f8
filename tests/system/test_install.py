"""The two commands of the README install the pinned packages, whatever the package index holds that day."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness import wheels

REPO = Path(__file__).resolve().parents[2]
PROJECT = """\
[build-system]
requires = []
build-backend = "wheels"
backend-path = ["."]

[project]
name = "probe"
version = "1.0"
"""


def environment(index: str) -> dict[str, str]:
    """Return an environment in which pip knows this index and nothing else."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "MAKE", "PYTHON"))}
    return kept | {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": index}


def project(folder: Path, lock: str) -> None:
    """Lay out a project that has culld's Makefile and this lock."""
    (folder / "locks").mkdir()
    for name in ("run", "dev", "bench"):
        (folder / "locks" / f"{name}.txt").write_text(lock)
    (folder / "pyproject.toml").write_text(PROJECT)
    shutil.copy(REPO / "Makefile", folder)
    shutil.copy(wheels.__file__, folder / "wheels.py")


@pytest.mark.slow
@pytest.mark.parametrize("target", [".venv/.run", ".venv/.dev", ".venv-bench/.done"])
def test_a_newer_version_in_the_index_changes_nothing(tmp_path: Path, target: str) -> None:
    """A plug-in asks for a pinned tool with an extra, as pytest-cov asks for coverage[toml]; then the tool's 1.1 comes
    out. A pip that resolves ends there with "all requirements must have their versions pinned".
    """  # noqa: D205 - one sentence does not hold the story
    tools = [wheels.write_wheel(tmp_path, "tool", version, ["Provides-Extra: toml"]) for version in ("1.0", "1.1")]
    plugin = wheels.write_wheel(tmp_path, "plugin", "1.0", ["Requires-Dist: tool[toml]>=1.0"])
    index = wheels.write_index(tmp_path / "index", [*tools, plugin])
    project(tmp_path, wheels.locked(plugin) + wheels.locked(tools[0]))

    command = ["make", "-C", tmp_path, target, f"PYTHON={sys.executable}"]
    done = subprocess.run(command, env=environment(index), capture_output=True, text=True, check=False)

    assert 0 == done.returncode, done.stdout + done.stderr
    installed = (tmp_path / target).parent.glob("lib/python*/site-packages/*.dist-info")
    assert {"tool-1.0.dist-info", "plugin-1.0.dist-info"} <= {folder.name for folder in installed}


@pytest.mark.slow
def test_a_lock_that_lacks_a_package_is_refused(tmp_path: Path) -> None:
    """Without resolving, pip would install it in silence and culld would fail on its first import."""
    plugin = wheels.write_wheel(tmp_path, "plugin", "1.0", ["Requires-Dist: tool>=1.0"])
    project(tmp_path, wheels.locked(plugin))

    command = ["make", "-C", tmp_path, ".venv/.run", f"PYTHON={sys.executable}"]
    index = wheels.write_index(tmp_path / "index", [plugin])
    done = subprocess.run(command, env=environment(index), capture_output=True, text=True, check=False)

    assert 2 == done.returncode
    assert "plugin 1.0 requires tool, which is not installed" in done.stdout


def test_no_command_lets_pip_resolve_a_lock() -> None:
    """Every line that installs a lock, in the Makefile and in the README, has `--no-deps`."""
    lines = [line for name in ("Makefile", "README.md") for line in (REPO / name).read_text().splitlines()]
    installing = [line for line in lines if re.search(r"-r locks/\w+\.txt", line)]

    assert 4 == len(installing)
    assert all("--no-deps" in line or "PIP_INSTALL" in line for line in installing)
    assert any("PIP_INSTALL =" in line and "--no-deps" in line for line in lines)


def test_the_locks_pin_every_package_by_hash_and_name_no_host() -> None:
    """What is installed depends on these files alone, down to the pip that builds culld."""
    for lock in (REPO / "locks").glob("*.txt"):
        text = lock.read_text()
        packages = len(re.findall(r"^\S", text, re.MULTILINE))
        assert "://" not in text
        assert packages == len(re.findall(r"^\S+==[^#]*?--hash=", text, re.MULTILINE))
    for name in ("run", "dev"):
        assert re.search(r"^pip==", (REPO / "locks" / f"{name}.txt").read_text(), re.MULTILINE)
