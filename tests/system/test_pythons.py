"""Every extra can be installed on every Python that culld is for: an environment of each is built from the lock."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
HERE = f"3.{sys.version_info.minor}"


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_all_extras_are_installed_and_agree(version: str, tmp_path: Path) -> None:
    """Nothing is resolved, so an index of another day changes nothing; `pip check` finds no conflict."""
    if version == HERE:
        pytest.skip(f"the tests run on Python {version}, in such an environment")
    python = python_of(version)
    if python is None:
        pytest.skip(f"needs Python {version} with venv")
    subprocess.run([python, "-m", "venv", tmp_path / "new"], check=True)
    binaries = tmp_path / "new" / "bin"
    install = [binaries / "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*install, "--require-hashes", "-r", REPO / "locks" / "dev.txt"], check=True)
    subprocess.run([*install, "--no-build-isolation", REPO], check=True)

    subprocess.run([binaries / "pip", "check", "--disable-pip-version-check"], check=True)
    told = subprocess.run([binaries / "culld", "doctor", "--json"], capture_output=True, text=True, check=False).stdout
    found = {check["name"]: check["health"] for check in map(json.loads, told.splitlines())}
    extras = {name: health for name, health in found.items() if name.startswith("extra ")}
    assert len(extras) == 8
    assert set(extras.values()) == {"ok"}


def python_of(version: str) -> Path | None:
    """A Python of this version on the path, or among those of pyenv; None if there is none that can make a venv."""
    on_path = [Path(each) for each in [shutil.which(f"python{version}")] if each]
    of_pyenv = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python{version}"))
    for each in (*on_path, *of_pyenv):
        if subprocess.run([each, "-c", "import venv, ensurepip"], capture_output=True, check=False).returncode == 0:
            return each
    return None
