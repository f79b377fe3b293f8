"""The access rights of a photo and its sidecar, before and after culld has changed or moved the photo."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from culld.errors import PhotoBlockedError, TagRefusedError
from culld.files.acl import GROUP as NAMED_GROUP
from culld.files.acl import GROUP_OBJ, MASK, OTHER, USER, USER_OBJ, AccessControl, Entry
from culld.files.move import move_file
from culld.files.rewrite import rewrite_file, why_not_rewritable
from culld.records import Move, RootedPath
from harness import quarantined

DATA = b"\xff\xd8" + bytes(5000)
NOBODY, FOREIGN = 65534, 54321
DISK, MEMORY = Path(tempfile.gettempdir()), Path("/dev/shm")  # noqa: S108


def setfacl(path: Path, *entries: str) -> None:
    """Set entries of an access list; skips where that is not possible."""
    if shutil.which("setfacl") is None or shutil.which("getfacl") is None:
        pytest.skip("needs setfacl and getfacl (apt-get install acl)")
    done = subprocess.run(["setfacl", *entries, path], capture_output=True, text=True, check=False)
    if "not supported" in done.stderr:
        pytest.skip(f"{path} is on a file system without access lists")
    assert done.returncode == 0, done.stderr


def getfacl(path: Path) -> str:
    """The mode and the access list of a file."""
    command = ["getfacl", "--omit-header", "--numeric", "--absolute-names", path]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@contextmanager
def acting_as(user: int, group: int) -> Iterator[None]:
    """Run as another user, who is in no other group."""
    groups = os.getgroups()
    os.setgroups([])
    os.setegid(group)
    os.seteuid(user)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)


def may_read(path: Path, user: int = NOBODY) -> bool:
    """Return whether a user without groups can read a file."""
    with acting_as(user, user):
        try:
            path.read_bytes()
        except PermissionError:
            return False
        return True


@pytest.fixture(params=[DISK, MEMORY])
def folder(request: pytest.FixtureRequest) -> Iterator[Path]:
    """A folder that everyone may enter, on a disk and in memory."""
    with tempfile.TemporaryDirectory(dir=request.param) as path:
        Path(path).chmod(0o755)
        yield Path(path)


@pytest.fixture
def elsewhere(folder: Path) -> Iterator[Path]:
    """A folder on another file system."""
    parent = MEMORY if folder.parent == DISK else DISK
    if parent.stat().st_dev == folder.stat().st_dev:
        pytest.skip("needs the temporary folder and /dev/shm to be two file systems")
    with tempfile.TemporaryDirectory(dir=parent) as path:
        Path(path).chmod(0o755)
        yield Path(path)


def private(folder: Path) -> RootedPath:
    """A photo that only its owner and group may read, in a folder whose default list adds the user `nobody`."""
    photo = quarantined.put(RootedPath(folder, Path("inbox/a.jpg")), DATA)
    photo.path.chmod(0o640)
    setfacl(photo.path.parent, "-d", "-m", f"u:{NOBODY}:rwx")
    assert f"user:{NOBODY}" not in getfacl(photo.path)
    return photo


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as other users")


def test_a_rewritten_photo_inherits_no_access(folder: Path) -> None:
    """It has the mode of before and no list."""
    photo = private(folder)
    before = getfacl(photo.path)
    rewrite_file(quarantined.tagging(photo))

    assert photo.path.read_bytes() != DATA
    assert getfacl(photo.path) == before


@needs_root
def test_who_could_not_read_a_photo_cannot_read_it_after_it_was_tagged(folder: Path) -> None:
    """Asked of the kernel, not of the list."""
    photo = private(folder)
    rewrite_file(quarantined.tagging(photo))

    assert not may_read(photo.path)


def test_a_rewritten_photo_keeps_its_own_list(folder: Path) -> None:
    """Entry by entry, mask included."""
    photo = private(folder)
    setfacl(photo.path, "-m", f"u:{FOREIGN}:rw,g:{FOREIGN}:---,m::r")
    before = getfacl(photo.path)
    rewrite_file(quarantined.tagging(photo))

    assert getfacl(photo.path) == before


@pytest.mark.parametrize("listed", [False, True])
def test_a_copy_on_another_disk_has_the_access_of_the_photo(folder: Path, elsewhere: Path, listed: bool) -> None:  # noqa: FBT001
    """Whatever the folder there passes on."""
    photo = private(folder)
    if listed:
        setfacl(photo.path, "-m", f"u:{FOREIGN}:rw")
    setfacl(elsewhere, "-d", "-m", f"u:{NOBODY}:rwx")
    before = getfacl(photo.path)
    move = Move(photo, RootedPath(elsewhere, Path("2026/a.jpg")), quarantined.digest(DATA))
    move_file(move)

    assert getfacl(move.target.path) == before


@needs_root
def test_a_new_sidecar_is_not_for_those_who_may_not_read_the_photo(folder: Path) -> None:
    """Its keywords may come from the photo."""
    photo = private(folder)
    sidecar = photo.beside("a.jpg.xmp")
    rewrite_file(quarantined.tagging(sidecar), beside=photo)

    assert not may_read(sidecar.path)
    assert sidecar.path.read_bytes() == quarantined.TAG


@needs_root
def test_the_owner_of_a_private_photo_can_read_its_sidecar(folder: Path) -> None:
    """Where root writes it, it belongs to the owner of the photo; others are kept out."""
    photo = quarantined.put(RootedPath(folder, Path("a.jpg")), DATA)
    photo.path.chmod(0o600)
    os.chown(photo.path, FOREIGN, FOREIGN)
    sidecar = photo.beside("a.jpg.xmp")
    rewrite_file(quarantined.tagging(sidecar), beside=photo)

    assert (may_read(sidecar.path, FOREIGN), may_read(sidecar.path)) == (True, False)


def test_the_sidecar_of_a_public_photo_has_what_the_folder_hands_down(folder: Path) -> None:
    """Nothing is taken away from those who may read the photo."""
    photo = private(folder)
    photo.path.chmod(0o644)
    (photo.path.parent / "other").write_bytes(b"")
    rewrite_file(quarantined.tagging(photo.beside("a.jpg.xmp")), beside=photo)

    assert getfacl(photo.path.parent / "a.jpg.xmp") == getfacl(photo.path.parent / "other")


@pytest.fixture
def foreign() -> Iterator[RootedPath]:
    """A photo of an unprivileged user in a group of which that user is no member."""
    if os.geteuid() != 0:
        pytest.skip("only root can act as other users")
    with tempfile.TemporaryDirectory(dir=DISK) as path:
        photo = quarantined.put(RootedPath(Path(path), Path("inbox/a.jpg")), DATA)
        photo.path.chmod(0o664)
        for each in (Path(path), photo.path.parent):
            os.chown(each, NOBODY, NOBODY)
        os.chown(photo.path, NOBODY, FOREIGN)
        yield photo


def test_a_photo_with_a_foreign_group_is_not_rewritten_and_the_group_is_named(foreign: RootedPath) -> None:
    """In another group other users could read and write it."""
    with acting_as(NOBODY, NOBODY):
        why = why_not_rewritable(foreign)
        with pytest.raises(TagRefusedError, match=f"its group is number {FOREIGN}"):
            rewrite_file(quarantined.tagging(foreign))

    assert f"number {FOREIGN}" in (why or "")
    assert (foreign.path.read_bytes(), foreign.path.stat().st_gid) == (DATA, FOREIGN)


def test_a_photo_with_a_foreign_group_can_be_moved_and_keeps_it(foreign: RootedPath) -> None:
    """A rename changes nothing about the file."""
    move = Move(foreign, RootedPath(foreign.root, Path("quarantine/a.jpg")), quarantined.digest(DATA))
    with acting_as(NOBODY, NOBODY):
        move_file(move)
    found = move.target.path.stat()

    assert (found.st_gid, found.st_mode & 0o777) == (FOREIGN, 0o664)


def test_a_folder_that_hands_down_its_group_keeps_it(foreign: RootedPath) -> None:
    """The new file is in the group from the start."""
    os.chown(foreign.path.parent, NOBODY, FOREIGN)
    foreign.path.parent.chmod(0o2775)
    with acting_as(NOBODY, NOBODY):
        assert why_not_rewritable(foreign) is None
        rewrite_file(quarantined.tagging(foreign))

    assert foreign.path.stat().st_gid == FOREIGN


@pytest.mark.parametrize(("mode", "expected"), [(0o664, 0o644), (0o660, 0o600), (0o604, 0o600)])
def test_a_copy_that_loses_its_group_allows_no_group_more(foreign: RootedPath, mode: int, expected: int) -> None:
    """Neither the new group, nor the members of the old one, who are others now."""
    foreign.path.chmod(mode)
    with tempfile.TemporaryDirectory(dir=MEMORY) as path:
        if Path(path).stat().st_dev == foreign.root.stat().st_dev:
            pytest.skip("needs the temporary folder and /dev/shm to be two file systems")
        os.chown(path, NOBODY, NOBODY)
        move = Move(foreign, RootedPath(Path(path), Path("a.jpg")), quarantined.digest(DATA))
        with acting_as(NOBODY, NOBODY):
            move_file(move)
        assert move.target.path.stat().st_mode & 0o777 == expected


def test_an_attribute_that_is_too_large_for_the_other_disk_is_named() -> None:
    """The photo stays with its companions, and the error does not ask for free space on a disk that is not full."""
    value = bytes(20 * 1024)
    with tempfile.TemporaryDirectory(dir=MEMORY) as one, tempfile.TemporaryDirectory(dir=DISK) as other:
        photo = quarantined.put(RootedPath(Path(one), Path("a.jpg")), DATA)
        try:
            os.setxattr(photo.path, "user.DosStream.AFP_AfpInfo", value)
        except OSError as error:
            pytest.skip(f"needs a memory file system with large attributes: {error.strerror}")
        _require_small_attributes(Path(other), value)
        move = Move(photo, RootedPath(Path(other), Path("a.jpg")), quarantined.digest(DATA))

        with pytest.raises(
            PhotoBlockedError, match=re.escape("user.DosStream.AFP_AfpInfo of 20,480 bytes does not fit")
        ):
            move_file(move)
        assert quarantined.tree(Path(other)) == []
        assert os.getxattr(photo.path, "user.DosStream.AFP_AfpInfo") == value


def _require_small_attributes(folder: Path, value: bytes) -> None:
    """Skip where the file system stores a value as large as this."""
    probe = folder / "probe"
    probe.write_bytes(b"")
    try:
        os.setxattr(probe, "user.probe", value)
    except OSError:
        return
    else:
        pytest.skip(f"the file system of {folder} stores attributes of {len(value)} bytes")
    finally:
        probe.unlink()


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([Entry(USER, 6, 7), Entry(GROUP_OBJ, 0), Entry(MASK, 6), Entry(OTHER, 0)], 0o600),
        ([Entry(USER, 6, 7), Entry(GROUP_OBJ, 4), Entry(MASK, 6), Entry(OTHER, 4)], 0o644),
        ([Entry(USER, 0, 7), Entry(GROUP_OBJ, 4), Entry(MASK, 6), Entry(OTHER, 4)], 0o600),
        ([Entry(GROUP_OBJ, 6), Entry(NAMED_GROUP, 4, 9), Entry(MASK, 4), Entry(OTHER, 4)], 0o644),
    ],
)
def test_a_mode_in_place_of_a_list_allows_no_more_than_the_list(entries: list[Entry], expected: int) -> None:
    """Its group bits are those of the owning group, and what one named user may not do, the others may not either."""
    access = AccessControl(0, 0, (Entry(USER_OBJ, 6), *entries), listed=True)

    assert access.without_list().mode == expected
