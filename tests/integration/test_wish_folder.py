"""The folder of wishes is foreign input: what is no wish is put aside in words, and no link is followed."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from culld.app.wishes.spool import MOST_AT_ONCE, MOST_BAD, WishFolder
from culld.app.wishes.wish_file import to_bytes, write_wish
from culld.clock import SystemClock
from culld.journal.store import SqliteJournal
from culld.records import WISH_FOLDER, ItemState, ReviewState, Wish, WishItem, WishKind
from harness import fakes

ID = "0b6a2f4e-8c1d-4a7b-9e3f-5d2c1b0a9f8e"
WISH = Wish(ID, WishKind.CONFIRM, (WishItem(12, ReviewState.REJECTED), WishItem(3, ReviewState.TAGGED)))


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    """A journal."""
    with SqliteJournal.open(tmp_path / "journal.sqlite3", SystemClock()) as found:
        yield found


@pytest.fixture
def folder(tmp_path: Path, journal: SqliteJournal) -> WishFolder:
    """The folder, which exists."""
    found = WishFolder(tmp_path, journal, SystemClock())
    found.create()
    return found


def names(folder: WishFolder) -> list[str]:
    """The names in the folder."""
    return sorted(path.name for path in folder.path.iterdir())


def test_a_wish_is_stored_as_it_was_written(folder: WishFolder, journal: SqliteJournal) -> None:
    """In the order of its photos; then its file is gone."""
    write_wish(folder.path, WISH)

    assert not folder.take()

    progress = journal.wish_progress(ID)
    assert progress is not None
    assert progress.wish == WISH
    assert [each.state for each in progress.outcomes] == [ItemState.WAITING] * 2
    assert progress.ended_at is None
    assert (journal.wishes_waiting(), names(folder)) == (1, [])


def test_wishes_are_taken_in_the_order_of_writing(folder: WishFolder, journal: SqliteJournal) -> None:
    """Not in that of their names; also when the clock is set back between them."""
    clock = fakes.FakeClock()
    wishes = [replace(WISH, id=f"{number:08x}" + ID[8:]) for number in (7, 3, 9, 1)]
    for number, wish in enumerate(wishes):
        write_wish(folder.path, wish)
        os.utime(folder.path / f"{wish.id}.json", ns=(0, number))
    folder.take()
    with SqliteJournal.open(journal.path, clock) as late:  # years before
        clock.set(timedelta(days=-4000))
        late.take_wish(replace(WISH, id="ffffffff" + ID[8:]))

    taken = []
    while (open_wish := journal.open_wish()) is not None:
        taken.append(open_wish.id)
        items = journal.open_items(open_wish.id, 10)
        progress = journal.wish_progress(open_wish.id)
        assert progress is not None
        journal.end_items(open_wish.id, [replace(each, state=ItemState.DONE) for each in progress.outcomes])
        assert len(items) == 2
    assert taken == [*(wish.id for wish in wishes), "ffffffff" + ID[8:]]


def link(path: Path) -> None:
    """A link to a wish."""
    target = path.with_name("target")
    target.write_bytes(to_bytes(WISH))
    path.symlink_to(target)


def fifo(path: Path) -> None:
    """A pipe without a writer."""
    os.mkfifo(path)


def listener(path: Path) -> None:
    """A socket."""
    os.mknod(path, stat.S_IFSOCK | 0o600)


def foreign(path: Path) -> None:
    """A file of another user."""
    path.write_bytes(to_bytes(WISH))
    try:
        os.chown(path, 12345, -1)
    except PermissionError:
        pytest.skip("needs the right to give files away")


def written(data: bytes) -> Callable[[Path], object]:
    """A file with these bytes."""
    return lambda path: path.write_bytes(data)


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (link, "It cannot be read (Too many levels of symbolic links)."),
        (fifo, "It is not a plain file."),
        (listener, "It cannot be read (No such device or address)."),
        (Path.mkdir, "It is not a plain file."),
        (foreign, "It belongs neither to the user of culld nor to the owner of the folder."),
        (written(b" " * (3 << 20)), "It is larger than 2097152 bytes."),
        (written(b"{"), "The wish is not JSON in UTF-8."),
        (written(b"[" * 1_000_000), "The wish is not JSON in UTF-8."),
        (written(b'{"id": NaN}'), "The wish is not JSON in UTF-8."),
        (written(to_bytes(replace(WISH, id="1" + ID[1:]))), "Its name is not its id."),
    ],
)
def test_what_is_no_wish_is_put_aside_and_named(
    folder: WishFolder, journal: SqliteJournal, make: Callable[[Path], object], why: str
) -> None:
    """It is read once; the next wish is taken all the same."""
    make(folder.path / f"{ID}.json")
    other = replace(WISH, id="2" + ID[1:])
    write_wish(folder.path, other)

    with fakes.Warnings() as warnings:
        folder.take()
        folder.take()

    assert warnings.texts == [f"{folder.path / ID}.json is not taken: {why}"]
    assert f"{ID}.json.bad" in names(folder)
    assert journal.wish_progress(ID) is None
    assert journal.wish_progress(other.id) is not None


def test_a_file_of_the_owner_of_the_folder_is_taken(folder: WishFolder, journal: SqliteJournal) -> None:
    """The web process may run as another user, to whom the folder belongs."""
    write_wish(folder.path, WISH)
    try:
        os.chown(folder.path, 12345, -1)
        os.chown(folder.path / f"{ID}.json", 12345, -1)
    except PermissionError:
        pytest.skip("needs the right to give files away")

    folder.take()

    assert journal.wish_progress(ID) is not None


def test_a_name_that_is_no_id_is_put_aside(folder: WishFolder) -> None:
    """Other files stay."""
    (folder.path / "a.json").write_bytes(to_bytes(WISH))
    (folder.path / "notes.txt").write_bytes(b"")

    folder.take()

    assert names(folder) == ["a.json.bad", "notes.txt"]


def test_few_bad_files_are_kept(folder: WishFolder) -> None:
    """The last ones."""
    for number in range(MOST_BAD + 10):
        (folder.path / f"{number:08x}{ID[8:]}.json").write_bytes(b"{")

    folder.take()

    assert len(names(folder)) == MOST_BAD
    assert all(name.endswith(".bad") for name in names(folder))


def test_an_unfinished_file_is_removed_after_an_hour(folder: WishFolder) -> None:
    """Its writer was killed."""
    for name, age_s in ((".old.part", 3700), (".new.part", 10)):
        (folder.path / name).write_bytes(b"")
        moment = SystemClock().now().timestamp() - age_s
        os.utime(folder.path / name, (moment, moment))

    folder.take()

    assert names(folder) == [".new.part"]


def test_many_files_are_taken_in_turns(folder: WishFolder, journal: SqliteJournal) -> None:
    """So that the loop goes on between them."""
    for number in range(MOST_AT_ONCE + 1):
        write_wish(folder.path, replace(WISH, id=f"{number:08x}{ID[8:]}"))

    assert folder.take()
    assert journal.wishes_waiting() == MOST_AT_ONCE
    assert not folder.take()
    assert journal.wishes_waiting() == MOST_AT_ONCE + 1


def test_a_folder_that_is_missing_is_made_and_a_link_is_not_followed(folder: WishFolder, tmp_path: Path) -> None:
    """The warning comes once."""
    folder.path.rmdir()
    folder.take()
    assert names(folder) == []

    folder.path.rmdir()
    (tmp_path / "elsewhere").mkdir()
    folder.path.symlink_to(tmp_path / "elsewhere")
    write_wish(tmp_path / "elsewhere", WISH)
    with fakes.Warnings() as warnings:
        folder.take()
        folder.take()

    assert len(warnings.texts) == 1
    assert len(list((tmp_path / "elsewhere").iterdir())) == 1
    assert folder.path.name == WISH_FOLDER
