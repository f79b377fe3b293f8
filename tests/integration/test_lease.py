"""Leases: whether another process has a file open for writing."""

from __future__ import annotations

from pathlib import Path

from culld.files.lease import is_open_elsewhere
from culld.records import RootedPath


def test_a_file_open_for_writing_is_being_written(tmp_path: Path) -> None:
    """As long as the writer holds it, however long it pauses; afterwards no more."""
    place = RootedPath(tmp_path, Path("a.jpg"))

    with place.path.open("wb") as stream:
        stream.write(b"x")
        assert is_open_elsewhere(place)

    assert not is_open_elsewhere(place)


def test_a_file_open_for_reading_is_not_being_written(tmp_path: Path) -> None:
    """Viewers do not hold culld up."""
    place = RootedPath(tmp_path, Path("a.jpg"))
    place.path.write_bytes(b"x")

    with place.path.open("rb"):
        assert not is_open_elsewhere(place)


def test_a_file_that_is_gone_is_not_being_written(tmp_path: Path) -> None:
    """The next step finds that it is gone."""
    assert not is_open_elsewhere(RootedPath(tmp_path, Path("gone.jpg")))
