"""A watched folder has one culld at a time."""

from __future__ import annotations

import functools
import gc
from pathlib import Path

import pytest

from culld.errors import SystemFaultError
from culld.files.locks import RootLocks
from culld.files.mount_guard import write_marker
from culld.files.root_owner import foreign
from culld.stages.watch.scanner import Scanner
from harness.fakes import Warnings


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A watched folder in which culld has been."""
    assert write_marker(tmp_path)
    return tmp_path


def test_a_second_culld_is_refused_until_the_first_has_ended(root: Path) -> None:
    """Whatever state folder it has: two would tag and move the same photos."""
    with RootLocks() as first, RootLocks() as second:
        first.acquire_all([root])
        with pytest.raises(SystemFaultError, match="is used by another culld; stop that one"):
            second.acquire_all([root])

    with RootLocks() as third:
        third.acquire_all([root])


def test_a_claim_is_kept_when_it_is_made_again(root: Path) -> None:
    """Every rescan asks for it, and no file is left open each time."""
    with RootLocks() as claims:
        assert claims.acquire(root) == ""
        gc.collect()  # earlier tests left pipes that would close in between
        before = len(list(Path("/proc/self/fd").iterdir()))
        assert [claims.acquire(root) for _ in range(3)] == ["", "", ""]

        assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_folder_that_was_replaced_is_claimed_again(root: Path) -> None:
    """For example another disk that is mounted at its path."""
    with RootLocks() as claims, RootLocks() as other:
        claims.acquire_all([root])
        (root / ".culld").rename(root / "old")
        assert write_marker(root)
        claims.acquire_all([root])

        assert other.acquire(root) != ""


def test_a_folder_without_an_anchor_cannot_be_claimed(tmp_path: Path) -> None:
    """One that is not mounted, or may not be written to."""
    with RootLocks() as first, RootLocks() as second:
        first.acquire_all([tmp_path, tmp_path / "away"])
        second.acquire_all([tmp_path, tmp_path / "away"])


def test_a_folder_below_a_watched_one_is_refused(root: Path) -> None:
    """The outer culld would take the inner one's photos."""
    inner = root / "a" / "b"
    inner.mkdir(parents=True)
    assert write_marker(inner)
    with RootLocks(Path("/state/outer")) as outer, RootLocks(Path("/state/inner")) as other:
        outer.acquire_all([root])
        with pytest.raises(SystemFaultError, match="which another culld watches; stop that one"):
            other.acquire_all([inner])

    with RootLocks(Path("/state/inner")) as other:
        other.acquire_all([inner])


def test_a_folder_in_another_quarantine_is_refused(root: Path) -> None:
    """Whether or not the other culld runs."""
    inner = root / "inner"
    inner.mkdir()
    with RootLocks(Path("/state/outer")) as outer:
        outer.acquire_all([], root)

    expected = "is the quarantine of the culld with the state folder /state/outer"
    with RootLocks(Path("/state/inner")) as other, pytest.raises(SystemFaultError, match=expected):
        other.acquire_all([inner])


def test_a_quarantine_may_lie_in_a_watched_folder_and_be_shared(root: Path) -> None:
    """The scanner passes over it; but no culld watches it."""
    quarantine = root / "quarantine"
    quarantine.mkdir()
    assert write_marker(quarantine)
    with (
        RootLocks(Path("/state/1")) as first,
        RootLocks(Path("/state/2")) as second,
        RootLocks(Path("/state/3")) as third,
    ):
        first.acquire_all([root], quarantine)
        second.acquire_all([], quarantine)

        assert third.acquire(quarantine) != ""


@pytest.mark.parametrize("role", ["watched", "quarantine"])
def test_the_scanner_leaves_the_folders_of_another_culld_alone(root: Path, role: str) -> None:
    """While that one runs and afterwards; the log names them once."""
    inner = root / "below" / "inner"
    (inner / "deep").mkdir(parents=True)
    for folder in (root, inner, inner / "deep"):
        (folder / "a.jpg").touch()
    assert write_marker(inner)
    scanner = Scanner({".jpg"}, claimed_by=functools.partial(foreign, Path("/state/outer")))
    claims = ([inner], None) if role == "watched" else ([], inner)

    with Warnings() as warnings:
        with RootLocks(Path("/state/inner")) as other:
            other.acquire_all(*claims)
            assert [seen.place.relative for seen in scanner.scan(root)] == [Path("a.jpg")]
        for folder in (root, inner, inner / "deep"):
            assert inner / "a.jpg" not in {seen.place.path for seen in scanner.scan(root, folder)}
            assert inner / "deep" / "a.jpg" not in {seen.place.path for seen in scanner.scan(root, folder)}

    assert len(warnings.texts) == 1
    assert "the culld with the state folder /state/inner; no photo in it is judged" in warnings.texts[0]


def test_a_folder_that_this_culld_watched_before_is_scanned(root: Path) -> None:
    """The configuration names the folder above it now."""
    inner = root / "inner"
    inner.mkdir()
    (inner / "a.jpg").touch()
    assert write_marker(inner)
    with RootLocks(Path("/state")) as claims:
        claims.acquire_all([inner])

    scanner = Scanner({".jpg"}, claimed_by=functools.partial(foreign, Path("/state")))

    assert [seen.place.relative for seen in scanner.scan(root)] == [Path("inner/a.jpg")]


@pytest.mark.parametrize(("record", "expected"), [("a.jpg.culld.json", []), ("a.jpg.xmp", [Path("old/x/a.jpg")])])
def test_a_quarantine_of_an_older_version_is_recognised_by_its_records(
    root: Path, record: str, expected: list[Path]
) -> None:
    """Its anchor does not name the culld that owns it."""
    (root / "old" / "x").mkdir(parents=True)
    for name in ("a.jpg", record):
        (root / "old" / "x" / name).touch()
    assert write_marker(root / "old")

    scanner = Scanner({".jpg"}, claimed_by=functools.partial(foreign, Path("/state")))

    assert [seen.place.relative for seen in scanner.scan(root)] == expected
