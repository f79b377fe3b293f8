"""The house of every system test."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.daemon_process import House


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A house with an empty inbox, and the environment free of other configurations."""
    os.environ.pop("CULLD_CONFIG", None)
    return House(tmp_path).build()
