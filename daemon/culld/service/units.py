"""Where the unit files and the example configuration lie that come with culld."""

from __future__ import annotations

import sys
from pathlib import Path

import culld
from culld.errors import SystemFaultError


def shipped_units() -> Path:
    """The folder: in the source tree, or where an installed wheel puts its data; raises SystemFaultError."""
    source = Path(culld.__file__).resolve().parents[2] / "systemd"
    installed = Path(sys.prefix) / "share" / "culld" / "systemd"
    for folder in (source, installed):
        if (folder / "culld.service").is_file():
            return folder
    raise SystemFaultError(f"there are no unit files in {source} or {installed}; install culld again")


def shipped_example() -> Path:
    """The example configuration, which lies beside the folder of the units."""
    return shipped_units().with_name("config.example.yaml")
