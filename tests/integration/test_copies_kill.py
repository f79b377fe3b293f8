"""Kills at each change of a file and each transaction while copies are made and removed."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from culld.records import CopyState, WishKind
from harness import kill_points
from harness.repairs import COPY, CopyHouse

WHOLE = COPY + b"gone.jpg"


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where everything is: in memory, since a kill, unlike a power cut, loses no written page."""
    memory = Path("/dev/shm")  # noqa: S108 (the folder made in it is private)
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as path:
        yield Path(path)


def built(folder: Path) -> CopyHouse:
    """Three photos, one of which was moved, and a copy of the house."""
    house = CopyHouse(folder / "house")
    house.build()
    return house


def names(house: CopyHouse) -> set[str]:
    """The names in the watched folder, hidden ones among them."""
    return {path.name for path in house.inbox.iterdir()} - {".culld"}


def each_kill(house: CopyHouse, act: Callable[[CopyHouse, Callable[[str], None]], None]) -> Iterator[int]:
    """Yield the number of each kill of an action, after it, with the house as it was before it.

    After every third one the action is killed a second time.
    """
    before = house.folder.with_name("before")
    shutil.copytree(house.folder, before, symlinks=True)
    for nth in count(1):
        shutil.rmtree(house.folder)
        shutil.copytree(before, house.folder, symlinks=True)
        if not kill_points.killed_in_journal(nth, lambda step: act(house, step)):
            return
        if nth % 3 == 0:
            kill_points.killed_in_journal(1 + nth % 5, lambda step: act(house, step))
        yield nth


def test_a_kill_while_a_copy_is_made_leaves_no_half_file_and_loses_no_copy(folder: Path) -> None:
    """The next start makes it, or finds it made; every other file is as it was."""
    house = built(folder)
    before = house.hashes()
    kills = 0

    for kills in each_kill(house, lambda house, step: house.make_copies(step)):  # noqa: B007 (the last one counts)
        copy = house.inbox / "gone.enhanced.jpg"
        assert not copy.exists() or copy.read_bytes() == WHOLE
        house.make_copies()

        assert names(house) == {"kept.jpg", "tagged.jpg", "gone.enhanced.jpg", "tagged.jpg.xmp"}
        assert copy.read_bytes() == WHOLE
        assert house.copy("gone.jpg").state is CopyState.MADE
        after = house.hashes()
        assert {name: after[name] for name in before} == before
    assert kills >= 4, kills


def test_a_kill_while_copies_are_taken_back_is_finished_by_the_next_run(folder: Path) -> None:
    """Every file is as it was before culld, and no other one is there; the tags were taken out before."""
    house = built(folder)
    house.carry_out(WishKind.ENHANCE, "kept.jpg")
    house.make_copies()
    house.undo(untag=False)
    house.undo(selection=house.selected("tagged.jpg"))
    kills = 0

    for kills in each_kill(house, lambda house, _step: house.undo() and None):  # noqa: B007
        house.undo()

        assert house.files() == house.originals
        assert names(house) == set(house.originals)
        states = {house.copy(name).state for name in ("gone.jpg", "kept.jpg")}
        assert states == {CopyState.REMOVED}
    assert kills >= 4, kills
