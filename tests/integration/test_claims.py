"""A watched folder has one culld at a time."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest

from culld.errors import SystemFaultError
from culld.files.locks import Claims
from culld.files.mount_marker import drop
from culld.files.root_owner import foreign
from culld.stages.watch.scanner import Scanner
from fakes import Warnings


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


def test_a_folder_below_a_watched_one_is_refused(root: Path) -> None:
    """The outer culld would take the inner one's photos."""
    inner = root / "a" / "b"
    inner.mkdir(parents=True)
    assert drop(inner)
    with Claims(Path("/state/outer")) as outer, Claims(Path("/state/inner")) as other:
        outer.require([root])
        with pytest.raises(SystemFaultError, match="which another culld watches; stop that one"):
            other.require([inner])

    with Claims(Path("/state/inner")) as other:
        other.require([inner])


def test_a_folder_in_another_quarantine_is_refused(root: Path) -> None:
    """Whether or not the other culld runs."""
    inner = root / "inner"
    inner.mkdir()
    with Claims(Path("/state/outer")) as outer:
        outer.require([], root)

    expected = "is the quarantine of the culld with the state folder /state/outer"
    with Claims(Path("/state/inner")) as other, pytest.raises(SystemFaultError, match=expected):
        other.require([inner])


def test_a_quarantine_may_lie_in_a_watched_folder_and_be_shared(root: Path) -> None:
    """The scanner passes over it; but no culld watches it."""
    quarantine = root / "quarantine"
    quarantine.mkdir()
    assert drop(quarantine)
    with Claims(Path("/state/1")) as first, Claims(Path("/state/2")) as second, Claims(Path("/state/3")) as third:
        first.require([root], quarantine)
        second.require([], quarantine)

        assert third.refused(quarantine) != ""


@pytest.mark.parametrize("role", ["watched", "quarantine"])
def test_the_scanner_leaves_the_folders_of_another_culld_alone(root: Path, role: str) -> None:
    """While that one runs and afterwards; the log says so once."""
    inner = root / "below" / "inner"
    (inner / "deep").mkdir(parents=True)
    for folder in (root, inner, inner / "deep"):
        (folder / "a.jpg").touch()
    assert drop(inner)
    scanner = Scanner({".jpg"}, foreign=functools.partial(foreign, Path("/state/outer")))
    claims = ([inner], None) if role == "watched" else ([], inner)

    with Warnings() as warnings:
        with Claims(Path("/state/inner")) as other:
            other.require(*claims)
            assert [seen.place.relative for seen in scanner.scan(root)] == [Path("a.jpg")]
        for folder in (root, inner, inner / "deep"):
            assert inner / "a.jpg" not in {seen.place.path for seen in scanner.scan(root, folder)}
            assert inner / "deep" / "a.jpg" not in {seen.place.path for seen in scanner.scan(root, folder)}

    assert len(warnings.texts) == 1
    assert "the culld with the state folder /state/inner; nothing in it is judged" in warnings.texts[0]


def test_a_folder_that_this_culld_watched_before_is_scanned(root: Path) -> None:
    """The configuration names the folder above it now."""
    inner = root / "inner"
    inner.mkdir()
    (inner / "a.jpg").touch()
    assert drop(inner)
    with Claims(Path("/state")) as claims:
        claims.require([inner])

    scanner = Scanner({".jpg"}, foreign=functools.partial(foreign, Path("/state")))

    assert [seen.place.relative for seen in scanner.scan(root)] == [Path("inner/a.jpg")]


@pytest.mark.parametrize(("record", "expected"), [("a.jpg.culld.json", []), ("a.jpg.xmp", [Path("old/x/a.jpg")])])
def test_a_quarantine_of_an_older_version_is_told_by_its_records(root: Path, record: str, expected: list[Path]) -> None:
    """Its anchor does not say whose it is."""
    (root / "old" / "x").mkdir(parents=True)
    for name in ("a.jpg", record):
        (root / "old" / "x" / name).touch()
    assert drop(root / "old")

    scanner = Scanner({".jpg"}, foreign=functools.partial(foreign, Path("/state")))

    assert [seen.place.relative for seen in scanner.scan(root)] == expected
