"""A watched folder has one culld at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from culld.disk.anchor import drop
from culld.errors import SystemFaultError
from culld.host.locks import Claims


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A watched folder in which culld has been."""
    assert drop(tmp_path)
    return tmp_path


def test_a_second_culld_is_refused_until_the_first_has_ended(root: Path) -> None:
    """Whatever state folder it has: two would tag and move the same photos."""
    with Claims() as first, Claims() as second:
        first.require([root])
        with pytest.raises(SystemFaultError, match="is worked on by another culld; stop that one"):
            second.require([root])

    with Claims() as third:
        third.require([root])


def test_a_claim_is_kept_when_it_is_made_again(root: Path) -> None:
    """Every rescan asks for it, and no file is left open each time."""
    with Claims() as claims:
        assert claims.refused(root) == ""
        before = len(list(Path("/proc/self/fd").iterdir()))
        assert [claims.refused(root) for _ in range(3)] == ["", "", ""]

        assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_folder_that_was_replaced_is_claimed_anew(root: Path) -> None:
    """Another disk is mounted at its place, say."""
    with Claims() as claims, Claims() as other:
        claims.require([root])
        (root / ".culld").rename(root / "old")
        assert drop(root)
        claims.require([root])

        assert other.refused(root) != ""


def test_a_folder_without_an_anchor_is_nobodys(tmp_path: Path) -> None:
    """One that is not mounted, or may not be written to."""
    with Claims() as first, Claims() as second:
        first.require([tmp_path, tmp_path / "away"])
        second.require([tmp_path, tmp_path / "away"])
