"""The locations of culld's data files: models, systemd units, the example configuration."""

from __future__ import annotations

import sys
from pathlib import Path

import culld
from culld.errors import SystemFaultError


def data_locations(name: str) -> list[Path]:
    """Return the paths at which a data file or folder may be: in the source tree, then in an installed wheel's data."""
    return [Path(culld.__file__).resolve().parents[2] / name, Path(sys.prefix) / "share" / "culld" / name]


def unit_folder() -> Path:
    """Return the folder of the systemd units; raises SystemFaultError if there is none."""
    folders = data_locations("systemd")
    for folder in folders:
        if (folder / "culld.service").is_file():
            return folder
    searched = " or ".join(map(str, folders))
    raise SystemFaultError(f"there are no unit files in {searched}; install culld again")


def example_config() -> Path:
    """Return the path of the example configuration; raises SystemFaultError if there is no folder of the units."""
    return unit_folder().with_name("config.example.yaml")
