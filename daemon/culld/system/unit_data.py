"""The unit files and the example configuration that come with culld."""

from __future__ import annotations

from typing import TYPE_CHECKING

from culld.errors import SystemFaultError
from culld.system.data_files import data_locations

if TYPE_CHECKING:
    from pathlib import Path


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
