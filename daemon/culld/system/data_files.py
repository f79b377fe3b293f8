"""Where the files lie that come with culld beside its code."""

from __future__ import annotations

import sys
from pathlib import Path

import culld


def data_locations(name: str) -> list[Path]:
    """Where a folder or file of that name may be: in the source tree, then where an installed wheel puts its data."""
    return [Path(culld.__file__).resolve().parents[2] / name, Path(sys.prefix) / "share" / "culld" / name]
