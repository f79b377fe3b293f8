"""Fixtures of all tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("culld", deadline=None)  # no test depends on an idle machine
settings.load_profile("culld")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real photographs beside the checkout; tests that want it skip where it is absent."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not folder.is_dir():
        pytest.skip("needs the folder of real photographs `shared` beside the checkout")
    return folder


@pytest.fixture(scope="session")
def models() -> Path:
    """The folder of the model folders that culld ships."""
    return Path(__file__).resolve().parents[1] / "models"
