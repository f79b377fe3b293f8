"""The file of a copy: whole or not at all, beside its photo, and never in place of another file."""

from __future__ import annotations

import errno
import os
import signal
import time
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from culld.app.copy_file import copy_place, remove_left_copies, write_copy
from culld.errors import PhotoError
from culld.files.os_errors import NameTakenError
from culld.files.temp_names import is_own_temp
from culld.records import RootedPath
from culld.tags.own_properties import NAMESPACE, PARENT_DIGEST
from harness import file_hooks
from harness.kill_points import killed_at

MARKS = f"{NAMESPACE} {PARENT_DIGEST}".encode()
PHOTO, COPY = b"photo" * 100, MARKS + b"copy" * 500_000
NAME = "a.enhanced.jpg"


@dataclass(frozen=True)
class Place:
    """A folder with one photo."""

    folder: Path

    @property
    def photo(self) -> RootedPath:
        """Where the photo is."""
        return RootedPath(self.folder, Path("a.jpg"))

    def build(self) -> Place:
        """Write the photo."""
        self.folder.mkdir(parents=True)
        self.photo.path.write_bytes(PHOTO)
        return self

    def names(self) -> set[str]:
        """The names in the folder, hidden ones among them."""
        return {path.name for path in self.folder.iterdir()}

    def is_copied(self) -> bool:
        """Whether the copy is there; it is whole, the photo is as it was, and any other file has a hidden name."""
        names = self.names() - {"a.jpg", NAME}
        assert self.photo.path.read_bytes() == PHOTO
        assert all(map(is_own_temp, names)), names
        copy = self.folder / NAME
        if not copy.exists():
            return False
        assert copy.read_bytes() == COPY
        return True


def write(place: Place) -> None:
    """Write the copy."""
    write_copy(copy_place(place.photo), COPY, place.photo)


def test_a_copy_has_the_permissions_of_its_photo_and_leaves_no_other_file(tmp_path: Path) -> None:
    """Its owner may also write to it."""
    place = Place(tmp_path / "a").build()
    place.photo.path.chmod(0o440)

    write(place)

    assert place.is_copied()
    assert place.names() == {NAME, "a.jpg"}
    assert (place.folder / NAME).stat().st_mode & 0o777 == 0o640


def test_another_file_of_that_name_stays(tmp_path: Path) -> None:
    """Also a link that leads nowhere; the temporary file is gone."""
    place = Place(tmp_path / "a").build()
    (place.folder / NAME).symlink_to("nowhere")

    with pytest.raises(NameTakenError, match=r"a\.enhanced\.jpg is there already"):
        write(place)

    assert (place.folder / NAME).is_symlink()
    assert place.names() == {NAME, "a.jpg"}


def test_a_kill_before_any_change_of_a_file_leaves_no_half_copy(tmp_path: Path) -> None:
    """At each change in turn; the next try succeeds."""
    kills = 0
    for nth in count(1):
        place = Place(tmp_path / str(nth)).build()
        if not killed_at(nth, write, place):
            break
        kills += 1
        remove_left_copies(copy_place(place.photo))
        assert place.names() - {NAME} == {"a.jpg"}
        if not place.is_copied():
            write(place)
        assert place.is_copied()
    assert kills >= 2


def test_only_unfinished_copies_of_ended_processes_are_removed(tmp_path: Path) -> None:
    """Not one that is still written, nor a temporary file of another kind, nor a file of another name."""
    place = Place(tmp_path / "a").build()
    left, other, written = (f".culld-{digit * 16}.tmp" for digit in "123")
    for name, data in ((left, COPY), (other, PHOTO), (written, COPY), (NAME, COPY), (".copy.tmp", COPY)):
        (place.folder / name).write_bytes(data)

    with (place.folder / written).open("r+b"):
        remove_left_copies(copy_place(place.photo))

    assert place.names() == {"a.jpg", other, written, NAME, ".copy.tmp"}


@pytest.mark.parametrize("again", ["culld tries again", "run the command again"])
def test_a_full_disk_is_told_with_what_to_do(tmp_path: Path, again: str) -> None:
    """The daemon tries again by itself, the command does not."""
    place = Place(tmp_path / "a").build()

    def fail() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with (
        file_hooks.right_before("culld.rename", NAME, fail),
        pytest.raises(PhotoError, match=f"the disk is full; free some space, then {again}$"),
    ):
        write_copy(copy_place(place.photo), COPY, place.photo, again)

    assert place.names() == {"a.jpg"}


def test_kills_at_any_moment_leave_no_half_copy(tmp_path: Path) -> None:
    """Forty of them, while a process writes copies in a row."""
    for number in range(40):
        place = Place(tmp_path / str(number)).build()
        child = os.fork()
        if child == 0:
            while True:
                write(place)
                (place.folder / NAME).unlink()
        time.sleep(0.002 * (number + 1))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        if not place.is_copied():
            write(place)
        assert place.is_copied()
