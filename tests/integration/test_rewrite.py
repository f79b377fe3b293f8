"""Rewriting a file: all of it or nothing, and nothing else about it changes."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from culld.errors import PhotoBlockedError, PhotoChangedError, PhotoError, TagRefusedError
from culld.files.rewrite import rewrite_file, why_not_rewritable
from culld.files.temp_names import is_own_temp
from culld.records import Edit, FileStat, Rewrite, RootedPath
from harness import quarantined

OLD = b"\xff\xd8 an old photo"


@pytest.fixture
def photo(tmp_path: Path) -> RootedPath:
    """A photo with a mode, an attribute and a date of its own."""
    place = quarantined.put(RootedPath(tmp_path, Path("2026/a.jpg")), OLD)
    place.path.chmod(0o640)
    os.utime(place.path, ns=(1_000_000_007, 2_000_000_009))
    os.setxattr(place.path, "user.rating", b"5")
    return place


def test_the_edits_are_made_and_all_else_stays(photo: RootedPath) -> None:
    """Bytes change as planned; mode, date and attributes do not, and no temporary file is left."""
    stamp = rewrite_file(quarantined.tagging(photo))
    found = photo.path.stat()

    assert OLD[:2] + quarantined.TAG + OLD[2:] == photo.path.read_bytes()
    assert (stat.S_IMODE(found.st_mode), found.st_mtime_ns) == (0o640, 2_000_000_009)
    assert os.getxattr(photo.path, "user.rating") == b"5"
    assert FileStat.of(found) == stamp
    assert quarantined.tree(photo.root) == ["2026/a.jpg"]


def test_the_date_may_change(photo: RootedPath) -> None:
    """Backup programs find a changed sidecar by its date."""
    rewrite_file(quarantined.tagging(photo), keep_mtime=False)

    assert photo.path.stat().st_mtime_ns > 2_000_000_009


def test_edits_replace_and_remove_in_any_order(photo: RootedPath) -> None:
    """Offsets are those of the old file."""
    new = b"\xff\xd8 a new photo!"
    edits = (Edit(len(OLD), b"", b"!"), Edit(3, b"an old", b"a new"))
    rewrite_file(Rewrite(photo, quarantined.digest(OLD), quarantined.digest(new), edits))

    assert new == photo.path.read_bytes()


def test_a_new_file_appears_whole(photo: RootedPath) -> None:
    """A sidecar that was not there is made, readable as the umask allows."""
    sidecar = photo.beside("a.jpg.xmp")
    rewrite_file(quarantined.tagging(sidecar))

    assert sidecar.path.read_bytes() == quarantined.TAG
    assert stat.S_IMODE(sidecar.path.stat().st_mode) & 0o600 == 0o600


def bad(kind: str, photo: RootedPath) -> Rewrite:
    """A rewrite that must not happen."""
    good = quarantined.tagging(photo)
    return {
        "made for other bytes": replace(good, before="0" * 64),
        "edits of other bytes": replace(good, edits=(Edit(2, b"xx", b""),)),
        "another result": replace(good, after="0" * 64),
        "past the end": replace(good, edits=(Edit(1000, b"", b"x"),)),
        "overlapping": replace(good, edits=(Edit(2, OLD[2:6], b""), Edit(4, b"", b"x"))),
        "not new": replace(good, before=None, edits=(Edit(0, b"", OLD[:2] + quarantined.TAG + OLD[2:]),)),
        "out of the root": replace(good, place=RootedPath(photo.root / "2026", Path("../2026/a.jpg"))),
        "the root": replace(good, place=RootedPath(photo.root, Path())),
        "gone": replace(good, place=photo.beside("b.jpg")),
        "no such folder": replace(good, place=RootedPath(photo.root, Path("2027/a.jpg"))),
        "no root": replace(good, place=RootedPath(photo.root / "nowhere", Path("a.jpg"))),
    }[kind]


@pytest.mark.parametrize(
    "kind",
    [
        "made for other bytes", "edits of other bytes", "another result", "past the end", "overlapping", "not new",
        "out of the root", "the root", "gone", "no such folder", "no root",
    ],
)  # fmt: skip
def test_a_rewrite_that_does_not_fit_changes_nothing(photo: RootedPath, kind: str) -> None:
    """The file is as it was, to its very stamp, and nothing lies beside it."""
    before = FileStat.of(photo.path.lstat())
    with pytest.raises(PhotoError):
        rewrite_file(bad(kind, photo))

    assert (OLD, before) == (photo.path.read_bytes(), FileStat.of(photo.path.lstat()))
    assert quarantined.tree(photo.root) == ["2026/a.jpg"]


def test_a_file_with_two_names_is_not_rewritten(photo: RootedPath) -> None:
    """A rename would make two different files of one."""
    other = photo.path.with_name("b.jpg")
    other.hardlink_to(photo.path)
    rewrite = quarantined.tagging(photo)

    assert "has hard links" in (why_not_rewritable(photo) or "")
    with pytest.raises(TagRefusedError, match="has hard links"):
        rewrite_file(rewrite)
    assert (photo.path.read_bytes(), other.read_bytes()) == (OLD, OLD)


def test_an_ordinary_file_is_not_refused(photo: RootedPath) -> None:
    """The question can be asked before the plan is made."""
    assert why_not_rewritable(photo) is None


def test_a_link_is_not_followed(photo: RootedPath, tmp_path: Path) -> None:
    """Neither the link nor its target changes."""
    link = photo.beside("link.jpg")
    link.path.symlink_to(photo.path)
    rewrite = replace(quarantined.tagging(photo), place=link)

    with pytest.raises(PhotoBlockedError, match="link"):
        rewrite_file(rewrite)
    assert (photo.path.read_bytes(), link.path.is_symlink()) == (OLD, True)


def test_a_linked_folder_is_not_entered(photo: RootedPath, tmp_path: Path) -> None:
    """The target of a linked folder below the root may lie anywhere."""
    (tmp_path / "linked").symlink_to(photo.path.parent)
    rewrite = replace(quarantined.tagging(photo), place=RootedPath(tmp_path, Path("linked/a.jpg")))

    with pytest.raises(PhotoBlockedError, match="link"):
        rewrite_file(rewrite)
    assert photo.path.read_bytes() == OLD


def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    """Opening it does not wait for a writer."""
    os.mkfifo(tmp_path / "pipe.jpg")

    with pytest.raises(PhotoBlockedError, match="not a plain file"):
        rewrite_file(Rewrite(RootedPath(tmp_path, Path("pipe.jpg")), "0" * 64, "0" * 64, ()))


def test_temporary_names_are_recognised() -> None:
    """Only culld's own pattern is."""
    names = [".culld-0123456789abcdef.tmp", ".culld-x.tmp", "a.tmp", ".culld-0123456789abcdef.tmp.jpg"]

    assert [is_own_temp(name) for name in names] == [True, False, False, False]


def test_a_missing_photo_and_a_forbidden_one_are_two_faults(photo: RootedPath) -> None:
    """A missing photo counts as changed; the two faults are retried differently."""
    with pytest.raises(PhotoChangedError):
        rewrite_file(bad("gone", photo))
