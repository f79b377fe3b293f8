"""Moving a file, on one file system and across two."""

from __future__ import annotations

import gc
import os
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from culld.errors import PhotoBlockedError, PhotoChangedError
from culld.files.move import finish_copied_move, move_file
from culld.files.open_beneath import digest_of, folder, names_below, open_regular, stamp_of
from culld.files.os_errors import NameTakenError
from culld.files.remove_own import remove_empty_folders, remove_leftovers, remove_record
from culld.files.rename_noreplace import _link_and_unlink
from culld.files.temp_names import temp_name
from culld.records import FileStat, Move, RootedPath
from harness import quarantined

DATA = b"\xff\xd8" + bytes(range(256)) * 9000  # more than two chunks
NAMES = [
    b"a.jpg",
    b"new\nline.jpg",
    b"\x1b[31m.jpg",
    b"-rf.jpg",
    b"\xff\xfe.jpg",
    b"x" * 251 + b".jpg",
    "é.jpg".encode(),
]


@pytest.fixture
def shm() -> Iterator[Path]:
    """A folder in memory."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as path:
        yield Path(path)


@pytest.fixture(params=["same device", "other device"])
def quarantine(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The folder that photos are moved to."""
    if request.param == "other device":
        found: Path = request.getfixturevalue("shm")
        if found.stat().st_dev == tmp_path.stat().st_dev:
            pytest.skip("needs /dev/shm to be another file system than the temporary folder")
        return found
    path = tmp_path / "quarantine"
    path.mkdir()
    return path


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    """The folder that photos are moved from."""
    path = tmp_path / "inbox"
    path.mkdir()
    return path


def a_move(inbox: Path, quarantine: Path, name: bytes = b"a.jpg", data: bytes = DATA) -> Move:
    """A photo in a folder and its move into quarantine."""
    relative = Path("2026") / os.fsdecode(name)
    source = quarantined.put(RootedPath(inbox, relative), data)
    return Move(source, RootedPath(quarantine, relative), quarantined.digest(data))


@pytest.mark.parametrize("name", NAMES)
def test_a_file_arrives_with_all_that_belongs_to_it(inbox: Path, quarantine: Path, name: bytes) -> None:
    """Bytes, mode, date and attributes are those of before, whatever bytes are in the name; the old name is gone."""
    move = a_move(inbox, quarantine, name)
    move.source.path.chmod(0o604)
    os.utime(move.source.path, ns=(5, 7_000_000_001))
    os.setxattr(move.source.path, "user.rating", b"5")
    stamp = move_file(move)
    found = move.target.path.stat()

    assert move.target.path.read_bytes() == DATA
    assert (found.st_mode, found.st_mtime_ns) == (0o100604, 7_000_000_001)
    assert os.getxattr(move.target.path, "user.rating") == b"5"
    assert FileStat.of(found) == stamp
    assert quarantined.tree(inbox) == []
    assert [str(move.target.relative)] == quarantined.tree(quarantine)


def test_nothing_is_ever_replaced(inbox: Path, quarantine: Path) -> None:
    """A taken name is a fault of its own, and both files stay."""
    move = a_move(inbox, quarantine)
    quarantined.put(move.target, b"another")

    with pytest.raises(NameTakenError):
        move_file(move)
    assert (move.source.path.read_bytes(), move.target.path.read_bytes()) == (DATA, b"another")
    assert [str(move.target.relative)] == quarantined.tree(quarantine)


def test_even_a_dangling_link_takes_a_name(inbox: Path, quarantine: Path) -> None:
    """Nothing is written through it."""
    move = a_move(inbox, quarantine)
    move.target.path.parent.mkdir()
    move.target.path.symlink_to(quarantine / "elsewhere")

    with pytest.raises(NameTakenError):
        move_file(move)
    assert move.source.path.read_bytes() == DATA
    assert [str(move.target.relative)] == quarantined.tree(quarantine)


@pytest.mark.parametrize("change", ["bytes", "stamp", "gone", "link"])
def test_a_file_that_is_another_by_now_is_not_moved(inbox: Path, quarantine: Path, change: str) -> None:
    """Its digest, or the stamp that it was judged by, no longer fits."""
    move = a_move(inbox, quarantine)
    expected = stamp_of(move.source) if change == "stamp" else None
    if change in {"bytes", "stamp"}:
        move.source.path.write_bytes(b"rewritten")
    else:
        move.source.path.rename(inbox / "kept.jpg")
    if change == "link":
        move.source.path.symlink_to(inbox / "kept.jpg")

    with pytest.raises((PhotoChangedError, PhotoBlockedError)):
        move_file(move, expected=expected)
    assert quarantined.tree(quarantine) == []


def test_other_names_of_a_file_stay(inbox: Path, quarantine: Path) -> None:
    """A hard link elsewhere keeps its bytes when this name moves away."""
    move = a_move(inbox, quarantine)
    (inbox / "backup.jpg").hardlink_to(move.source.path)
    move_file(move)

    assert ((inbox / "backup.jpg").read_bytes(), move.target.path.read_bytes()) == (DATA, DATA)


def test_a_missing_quarantine_is_not_made(inbox: Path, tmp_path: Path) -> None:
    """Its disk may not be mounted; the message names that cause."""
    move = a_move(inbox, tmp_path / "unmounted")

    with pytest.raises(PhotoBlockedError, match="mount its disk or create it"):
        move_file(move)
    assert (move.source.path.read_bytes(), (tmp_path / "unmounted").exists()) == (DATA, False)


def test_a_linked_folder_in_quarantine_is_not_entered(inbox: Path, quarantine: Path, tmp_path: Path) -> None:
    """A user who may write to the quarantine cannot make culld move photos out of it."""
    move = a_move(inbox, quarantine)
    (tmp_path / "outside").mkdir()
    (quarantine / "2026").symlink_to(tmp_path / "outside")

    with pytest.raises(PhotoBlockedError, match="link"):
        move_file(move)
    assert (quarantined.tree(tmp_path / "outside"), move.source.path.read_bytes()) == ([], DATA)


def test_where_the_kernel_cannot_rename_safely_a_link_does(inbox: Path) -> None:
    """Some network and FUSE file systems refuse RENAME_NOREPLACE; a hard link never replaces anything either."""
    (inbox / "a.jpg").write_bytes(DATA)
    (inbox / "b.jpg").write_bytes(b"another")
    with folder(inbox, Path()) as inside:
        _link_and_unlink(inside, "a.jpg", inside, "c.jpg")
        with pytest.raises(FileExistsError):
            _link_and_unlink(inside, "b.jpg", inside, "c.jpg")

    assert quarantined.tree(inbox) == ["b.jpg", "c.jpg"]
    assert (inbox / "c.jpg").read_bytes() == DATA


def test_a_full_disk_keeps_the_source_and_is_named_in_the_fault(inbox: Path, tmp_path: Path) -> None:
    """The text names the cause, and no half copy is left."""
    mount = tmp_path / "small"
    mount.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", mount], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("needs the right to mount a small file system")
    try:
        move = a_move(inbox, mount)
        with pytest.raises(PhotoBlockedError, match="disk is full"):
            move_file(move)
        assert (move.source.path.read_bytes(), quarantined.tree(mount)) == (DATA, [])
        (mount / "2026").rmdir()
    finally:
        subprocess.run(["umount", mount], check=True)


def test_a_finished_copy_is_released_once(inbox: Path, quarantine: Path) -> None:
    """When both places hold the same bytes, the source's name goes, and the target stays."""
    move = a_move(inbox, quarantine)
    quarantined.put(move.target, DATA)
    finish_copied_move(move)

    assert (quarantined.tree(inbox), move.target.path.read_bytes()) == ([], DATA)


@pytest.mark.parametrize("changed", ["source", "target", "digest"])
def test_unequal_copies_are_both_kept(inbox: Path, quarantine: Path, changed: str) -> None:
    """Whichever differs, nothing is unlinked."""
    move = a_move(inbox, quarantine)
    quarantined.put(move.target, DATA)
    if changed == "digest":
        move = replace(move, digest="0" * 64)
    else:
        (move.source if changed == "source" else move.target).path.write_bytes(b"changed")

    with pytest.raises(PhotoChangedError):
        finish_copied_move(move)
    assert (move.source.path.exists(), move.target.path.exists()) == (True, True)


def test_one_file_reached_by_two_roots_is_kept(inbox: Path, tmp_path: Path) -> None:
    """A quarantine that is a link to the inbox makes a file look like its own copy."""
    (tmp_path / "alias").symlink_to(inbox)
    move = a_move(inbox, tmp_path / "alias")

    with pytest.raises(PhotoBlockedError, match="one file"):
        finish_copied_move(move)
    assert move.source.path.read_bytes() == DATA


def test_leftovers_of_a_killed_copy_are_removed_and_nothing_else(tmp_path: Path) -> None:
    """Only plain files with culld's own temporary names."""
    for name in (temp_name(), temp_name(), "a.tmp", ".culld-1.tmp"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / temp_name()).mkdir()

    assert remove_leftovers(tmp_path, Path()) == 2
    assert quarantined.tree(tmp_path) == [".culld-1.tmp", "a.tmp"]
    assert remove_leftovers(tmp_path, Path("missing")) == 0


def test_only_empty_folders_are_removed_and_never_the_root(tmp_path: Path) -> None:
    """The walk upwards ends at the first that holds something."""
    (tmp_path / "a/b/c").mkdir(parents=True)
    (tmp_path / "a/x.jpg").write_bytes(b"x")
    remove_empty_folders(tmp_path, Path("a/b/c"))
    (tmp_path / "a/x.jpg").unlink()
    remove_empty_folders(tmp_path, Path("a"))

    assert (tmp_path.is_dir(), list(tmp_path.iterdir())) == (True, [])


def test_nothing_but_a_genuine_record_can_be_removed(tmp_path: Path) -> None:
    """Neither a photo under any digest, nor a record that was edited."""
    photo = quarantined.put(RootedPath(tmp_path, Path("a.jpg")), DATA)
    record = quarantined.put(RootedPath(tmp_path, Path("a.jpg.culld.json")), b"edited")
    for place, digest in ((photo, quarantined.digest(DATA)), (record, "0" * 64)):
        with pytest.raises(PhotoChangedError):
            remove_record(place, digest)

    assert quarantined.tree(tmp_path) == ["a.jpg", "a.jpg.culld.json"]


def test_a_walk_below_a_root_follows_no_links(tmp_path: Path) -> None:
    """Linked folders and linked files are passed over."""
    quarantined.put(RootedPath(tmp_path, Path("a/b.jpg")), DATA)
    (tmp_path / "a/up").symlink_to(tmp_path)
    (tmp_path / "c.jpg").symlink_to(tmp_path / "a/b.jpg")

    assert [Path("a/b.jpg")] == list(names_below(tmp_path))


def test_a_digest_is_that_of_the_whole_file(tmp_path: Path) -> None:
    """Read in chunks it is the same as at once."""
    with open_regular(quarantined.put(RootedPath(tmp_path, Path("a.jpg")), DATA)) as stream:
        assert quarantined.digest(DATA) == digest_of(stream)


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(path))


def _device(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("make", [Path.mkdir, _pipe, _socket, _device])
def test_what_is_no_plain_file_is_never_opened_as_one(tmp_path: Path, make: Callable[[Path], object]) -> None:
    """It may stand where a photo was a moment ago; a pipe without a writer would hold the reader for ever."""
    make(tmp_path / "a.jpg")
    gc.collect()  # earlier tests left pipes that would close in between
    before = len(list(Path("/proc/self/fd").iterdir()))

    with pytest.raises(PhotoBlockedError):
        open_regular(RootedPath(tmp_path, Path("a.jpg")))

    assert len(list(Path("/proc/self/fd").iterdir())) == before
