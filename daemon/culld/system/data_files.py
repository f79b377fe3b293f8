"""Where the files are that come with culld beside its code: models, units, the example configuration."""

from __future__ import annotations

import sys
from pathlib import Path

import culld
from culld.errors import SystemFaultError


def data_locations(name: str) -> list[Path]:
    """Where a folder or file of that name may be: in the source tree, then where an installed wheel puts its data."""
    return [Path(culld.__file__).resolve().parents[2] / name, Path(sys.prefix) / "share" / "culld" / name]


def unit_folder() -> Path:
    """The folder of the units; raises SystemFaultError."""
    folders = data_locations("systemd")
    for folder in folders:
        if (folder / "culld.service").is_file():
            return folder
    looked = " or ".join(map(str, folders))
    raise SystemFaultError(f"there are no unit files in {looked}; install culld again")


def example_config() -> Path:
    """The example configuration, which lies beside the folder of the units."""
    return unit_folder().with_name("config.example.yaml")
