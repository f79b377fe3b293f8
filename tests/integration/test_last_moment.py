"""Another program acts right before culld changes a file: its save and its open file are kept."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from culld.errors import PhotoChangedError, PhotoError
from culld.files.move import finish_copied_move, move_file
from culld.files.remove_own import remove_sidecar
from culld.files.rename_noreplace import exchanges
from culld.files.rewrite import rewrite_file
from culld.files.set_aside import Leftovers, return_aside
from culld.files.temp_names import aside_name
from culld.records import Edit, Move, Rewrite, RootedPath
from harness import quarantined
from harness.file_hooks import right_before

OLD = b"\xff\xd8 an old photo"
SAVED = b"\xff\xd8 saved by an editor"
TAGGED = OLD[:2] + quarantined.TAG + OLD[2:]


@pytest.fixture
def photo(tmp_path: Path) -> RootedPath:
    """A photo in the inbox."""
    return quarantined.put(RootedPath(tmp_path / "inbox", Path("a.jpg")), OLD)


@pytest.fixture(params=["same device", "other device"])
def move(request: pytest.FixtureRequest, photo: RootedPath, tmp_path: Path) -> Iterator[Move]:
    """Its move into quarantine."""
    memory = Path("/dev/shm")  # noqa: S108 (the folder made in it is private)
    if request.param == "other device" and not memory.is_dir():
        pytest.skip("needs /dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if request.param == "other device" else tmp_path) as quarantine:
        yield Move(photo, RootedPath(Path(quarantine), photo.relative), quarantined.digest(OLD))


def save_over(place: RootedPath) -> Callable[[], None]:
    """Save as an editor does: write another file, and rename it over the photo."""

    def save() -> None:
        other = place.path.with_name("saved.new")
        other.write_bytes(SAVED)
        other.replace(place.path)

    return save


def begin_to_write(place: RootedPath) -> Callable[[], None]:
    """Another program opens the photo for writing, and has to wait while culld has a lease on it."""

    def begin() -> None:
        with suppress(BlockingIOError):  # without O_NONBLOCK the open would wait
            os.close(os.open(place.path, os.O_RDWR | os.O_NONBLOCK))

    return begin


def is_exchanged(folder: Path) -> bool:
    """Return whether names can be exchanged where the tests run."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        return exchanges(descriptor)
    finally:
        os.close(descriptor)


def test_a_save_right_before_the_tags_stays(photo: RootedPath) -> None:
    """It comes out of the exchange, is seen not to be the judged photo, and gets its name back."""
    if not is_exchanged(photo.root):
        pytest.skip("needs a file system that exchanges names")
    with right_before("culld.rename", "a.jpg", save_over(photo)), pytest.raises(PhotoChangedError):
        rewrite_file(quarantined.tagging(photo))

    assert (photo.path.read_bytes(), quarantined.tree(photo.root)) == (SAVED, ["a.jpg"])


def test_a_second_save_during_the_return_stays_as_well(photo: RootedPath) -> None:
    """Both saves are kept, the newer one under the photo's name."""
    if not is_exchanged(photo.root):
        pytest.skip("needs a file system that exchanges names")
    newest = b"\xff\xd8 saved twice"

    def save_twice() -> None:
        save_over(photo)()
        hook.__enter__()

    def save_again() -> None:
        other = photo.path.with_name("again.new")
        other.write_bytes(newest)
        other.replace(photo.path)

    hook = right_before("culld.rename", "a.jpg", save_again)
    with right_before("culld.rename", "a.jpg", save_twice), pytest.raises(PhotoChangedError):
        rewrite_file(quarantined.tagging(photo))

    found = {name: (photo.root / name).read_bytes() for name in quarantined.tree(photo.root)}
    assert found.pop("a.jpg") == newest
    assert list(found.values()) == [SAVED]


def test_a_program_that_opens_the_photo_right_before_the_tags_keeps_its_file(photo: RootedPath) -> None:
    """The same inode has the name again, with its bytes, before that program goes on."""
    inode = photo.path.stat().st_ino
    with right_before("culld.rename", "a.jpg", begin_to_write(photo)), pytest.raises(PhotoChangedError, match="open"):
        rewrite_file(quarantined.tagging(photo))

    assert (photo.path.stat().st_ino, photo.path.read_bytes()) == (inode, OLD)
    assert quarantined.tree(photo.root) == ["a.jpg"]


@pytest.mark.parametrize("change", ["tags", "move", "release"])
def test_a_photo_that_is_open_for_writing_is_left_alone(photo: RootedPath, move: Move, change: str) -> None:
    """It was opened after it had settled; the fault has that reason."""
    rewrite = quarantined.tagging(photo)
    if change == "release":
        quarantined.put(move.target, OLD)
    with photo.path.open("r+b") as stream, pytest.raises(PhotoChangedError, match="open for writing"):
        {
            "tags": lambda: rewrite_file(rewrite),
            "move": lambda: move_file(move),
            "release": lambda: finish_copied_move(move),
        }[change]()
    stream.close()

    assert photo.path.read_bytes() == OLD
    assert quarantined.tree(photo.root) == ["a.jpg"]


def test_a_save_right_before_the_move_stays(photo: RootedPath, move: Move) -> None:
    """It has its name, and the quarantine holds nothing."""
    same = photo.root.stat().st_dev == move.target.root.stat().st_dev
    hook = right_before("culld.rename" if same else "os.rename", "a.jpg", save_over(photo))
    with hook, pytest.raises(PhotoChangedError):
        move_file(move)

    assert (photo.path.read_bytes(), quarantined.tree(photo.root)) == (SAVED, ["a.jpg"])
    assert quarantined.tree(move.target.root) == []


def test_a_program_that_opens_the_photo_right_before_the_move_keeps_its_file(photo: RootedPath, move: Move) -> None:
    """The move is undone before that program continues."""
    same = photo.root.stat().st_dev == move.target.root.stat().st_dev
    hook = right_before("culld.rename" if same else "os.rename", "a.jpg", begin_to_write(photo))
    with hook, pytest.raises(PhotoChangedError, match="open for writing"):
        move_file(move)

    assert (photo.path.read_bytes(), quarantined.tree(photo.root)) == (OLD, ["a.jpg"])
    assert quarantined.tree(move.target.root) == []


def test_a_save_right_before_the_unlink_of_a_released_source_stays(photo: RootedPath, move: Move) -> None:
    """Replay and restore end in the same verified unlink."""
    quarantined.put(move.target, OLD)
    with right_before("os.rename", "a.jpg", save_over(photo)), pytest.raises(PhotoChangedError):
        finish_copied_move(move)

    assert (photo.path.read_bytes(), move.target.path.read_bytes()) == (SAVED, OLD)


def test_a_sidecar_that_is_saved_right_before_its_removal_stays(photo: RootedPath) -> None:
    """It is no longer a file of culld."""
    sidecar = quarantined.put(photo.beside("a.jpg.xmp"), OLD)
    with right_before("os.rename", "a.jpg.xmp", save_over(sidecar)), pytest.raises(PhotoChangedError):
        remove_sidecar(sidecar, quarantined.digest(OLD))

    assert sidecar.path.read_bytes() == SAVED


CHANGES = 30
WRITER = """
import os, sys, time
*photos, stop = sys.argv[1:]
done = 0
print("ready", flush=True)
while not os.path.exists(stop):
    for photo in photos:
        try:
            descriptor = os.open(photo, os.O_RDWR | os.O_APPEND)
        except FileNotFoundError:
            continue
        os.write(descriptor, b"<edit %06d>" % done)
        time.sleep(0.0003)
        os.write(descriptor, b"</edit %06d>" % done)
        os.close(descriptor)
        done += 1
        time.sleep(0.003)
print(done)
"""


def tag_again(place: RootedPath) -> bool:
    """Add a tag, if the photo is here and may be changed now."""
    with suppress(PhotoError, FileNotFoundError):
        data = place.path.read_bytes()
        after = quarantined.digest(data[:2] + quarantined.TAG + data[2:])
        rewrite_file(Rewrite(place, quarantined.digest(data), after, (Edit(2, b"", quarantined.TAG),)))
        return True
    return False


def move_again(here: RootedPath, there: RootedPath) -> bool:
    """Move the photo, if it is here and may be moved now."""
    with suppress(PhotoError, FileNotFoundError):
        move_file(Move(here, there, quarantined.digest(here.path.read_bytes())))
        return True
    return False


@pytest.mark.timeout(360)
def test_no_edit_of_a_program_that_writes_in_place_is_lost(photo: RootedPath, move: Move, tmp_path: Path) -> None:
    """A program edits the photo again and again while culld tags it, moves it away and brings it back."""
    stop = tmp_path / "stop"
    command = [sys.executable, "-c", WRITER, photo.path, stop]
    writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    changes = {"tags": 0, "moves": 0}
    assert writer.stdout is not None
    writer.stdout.readline()
    while min(changes.values()) < CHANGES and writer.poll() is None:
        for here, there in ((move.source, move.target), (move.target, move.source)):
            changes["tags"] += tag_again(here)
            changes["moves"] += move_again(here, there)
    stop.touch()
    edits = int(writer.communicate(timeout=30)[0])

    left = [place.path for place in (move.source, move.target) if place.path.exists()]
    data = b"".join(path.read_bytes() for path in left)
    lost = [n for n in range(edits) if b"<edit %06d>" % n not in data or b"</edit %06d>" % n not in data]
    assert (writer.returncode, lost, edits > 0) == (0, [], True)
    assert quarantined.tree(move.source.root) + quarantined.tree(move.target.root) == ["a.jpg"]


def test_a_photo_that_was_set_aside_gets_its_name_back(photo: RootedPath) -> None:
    """A culld that was killed leaves it under a hidden name; nothing hidden remains, and nothing is lost."""
    for name in (photo.relative.name, "b" * 251 + ".jpg"):
        place = photo.beside(name)
        place.path.with_name(aside_name(name)).write_bytes(SAVED)
        photo.path.unlink(missing_ok=True)
        return_aside(place)
        assert (place.path.read_bytes(), quarantined.tree(photo.root)) == (SAVED, [name])
        place.path.unlink()


def test_a_photo_that_was_set_aside_and_saved_since_is_kept_twice(photo: RootedPath) -> None:
    """The save has the name, and the older file a visible one beside it."""
    photo.path.with_name(aside_name("a.jpg")).write_bytes(SAVED)
    leftovers = Leftovers()
    leftovers.walk(photo.root)
    leftovers.give_back_all(photo.root)
    names = quarantined.tree(photo.root)

    assert sorted((photo.root / name).read_bytes() for name in names) == [OLD, SAVED]
    assert [name.startswith("a") for name in names] == [True, True]


@pytest.mark.parametrize("versions", [[], [frozenset({quarantined.digest(OLD), quarantined.digest(TAGGED)})]])
def test_bytes_that_are_under_the_photos_name_are_not_kept_twice(
    photo: RootedPath, versions: list[frozenset[str]]
) -> None:
    """Nor those that the recorded edits make of them."""
    photo.path.with_name(aside_name("a.jpg")).write_bytes(TAGGED if versions else OLD)
    return_aside(photo, versions)

    assert (photo.path.read_bytes(), quarantined.tree(photo.root)) == (OLD, ["a.jpg"])
