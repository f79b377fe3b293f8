"""How `culld once` cuts what it found into batches, so that series stay whole."""

from __future__ import annotations

from dataclasses import replace

from culld.records import FileSnapshot
from culld.stages.group.grouping import batches, cut
from harness import factories

SECOND = 1_000_000_000


def seen(name: str, second: float) -> FileSnapshot:
    """A file that was last changed at a second."""
    snapshot = factories.snapshot(name)
    return replace(snapshot, stamp=factories.stamp(mtime_ns=int(second * SECOND)))


def names(found: list[FileSnapshot], size: int) -> list[list[str]]:
    """The batches, by names."""
    return [[each.place.relative.name for each in batch] for batch in batches(found, size)]


def test_shots_of_one_time_stay_in_one_batch() -> None:
    """In the order in which they were taken; a pause of more than a minute parts them."""
    found = [seen("c.jpg", 2), seen("b.jpg", 1), seen("a.jpg", 0), seen("d.jpg", 100), seen("e.jpg", 101)]

    assert names(found, 2) == [["a.jpg", "b.jpg", "c.jpg"], ["d.jpg", "e.jpg"]]
    assert names(found, 4) == [["a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg"]]


def test_no_batch_grows_without_end() -> None:
    """A time-lapse, or a drop without times of its own."""
    found = [seen(f"{number:03}.jpg", number) for number in range(20)]

    assert [len(batch) for batch in names(found, 2)] == [8, 8, 4]
    assert names([], 2) == []


def test_folders_are_parted() -> None:
    """Shots of one series lie in one folder."""
    found = [seen(f"{folder}/{name}.jpg", 0) for folder in "xy" for name in "abc"]

    assert [len(batch) for batch in names(found, 2)] == [3, 3]


def test_a_batch_knows_whether_it_cuts_a_folder() -> None:
    """A series may be cut there."""
    found = [seen(f"{folder}/{number}.jpg", 100 * number) for folder in "xy" for number in range(3)]

    told = [([str(each.place.relative) for each in one.batch], one.begins, one.ends) for one in cut(found, 2)]

    assert told == [
        (["x/0.jpg", "x/1.jpg"], True, False),
        (["x/2.jpg", "y/0.jpg"], False, False),
        (["y/1.jpg", "y/2.jpg"], False, True),
    ]
    assert list(cut([], 2)) == []
