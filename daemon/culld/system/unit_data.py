"""The unit files and the example configuration that come with culld."""

from __future__ import annotations

from typing import TYPE_CHECKING

from culld.errors import SystemFaultError
from culld.system.data_files import shipped

if TYPE_CHECKING:
    from pathlib import Path


def shipped_units() -> Path:
    """The folder of the units; raises SystemFaultError."""
    folders = shipped("systemd")
    for folder in folders:
        if (folder / "culld.service").is_file():
            return folder
    looked = " or ".join(map(str, folders))
    raise SystemFaultError(f"there are no unit files in {looked}; install culld again")


def shipped_example() -> Path:
    """The example configuration, which lies beside the folder of the units."""
    return shipped_units().with_name("config.example.yaml")
