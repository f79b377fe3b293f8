"""The files beside a photo."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from culld.errors import PhotoError
from culld.records import RootedPath
from culld.stages.group.directory import FolderCache, FolderListing


def test_names_that_begin_alike_are_listed_in_any_case(tmp_path: Path) -> None:
    """The name of a companion begins like that of the photo, up to the first dot."""
    for name in ("a.jpg", "A.JPG.XMP", "a.xmp", "a.b.cr2", "ab.jpg", "b.jpg"):
        (tmp_path / name).touch()

    assert sorted(FolderListing().beside(RootedPath(tmp_path, Path("a.jpg")))) == [
        "A.JPG.XMP",
        "a.b.cr2",
        "a.jpg",
        "a.xmp",
    ]


def test_names_that_a_phone_or_darktable_gives_are_listed_with_the_photo(tmp_path: Path) -> None:
    """Their names begin differently."""
    names = {"IMG_0001.HEIC", "IMG_E0001.JPG", "IMG_0001_01.HEIC.xmp", "IMG_0001_02.HEIC", "IMG_E0001.MOV"}
    for name in (*names, "IMG_0002.HEIC", "IMG_00010.HEIC"):
        (tmp_path / name).touch()

    assert set(FolderListing().beside(RootedPath(tmp_path, Path("IMG_0001.HEIC")))) == names
    assert set(FolderListing().beside(RootedPath(tmp_path, Path("IMG_E0001.JPG")))) == names


def test_a_folder_is_listed_once(tmp_path: Path) -> None:
    """A batch sees each folder as it was at one moment."""
    (tmp_path / "a.jpg").touch()
    listing = FolderListing()
    listing.beside(RootedPath(tmp_path, Path("a.jpg")))
    (tmp_path / "a.xmp").touch()

    assert listing.beside(RootedPath(tmp_path, Path("a.jpg"))) == ["a.jpg"]
    assert sorted(FolderListing().beside(RootedPath(tmp_path, Path("a.jpg")))) == ["a.jpg", "a.xmp"]


def test_a_folder_that_is_gone_is_one_photos_fault(tmp_path: Path) -> None:
    """The batch goes on without it."""
    with pytest.raises(PhotoError):
        FolderListing().beside(RootedPath(tmp_path, Path("gone/a.jpg")))


@pytest.mark.parametrize("age", [0, 3600])
def test_changes_between_two_batches_are_found(tmp_path: Path, age: int) -> None:
    """However old the folder's time is, and also when the change is too quick to show in it."""
    catalogue, photo = FolderCache(), RootedPath(tmp_path, Path("a.jpg"))
    for name in ("a.jpg", "a.xmp", "b.jpg"):
        (tmp_path / name).touch()
    os.utime(tmp_path, (tmp_path.stat().st_mtime - age,) * 2)
    before = FolderListing(catalogue).beside(photo)

    (tmp_path / "a.xmp").unlink()
    (tmp_path / "a.cr2").touch()

    assert sorted(before) == ["a.jpg", "a.xmp"]
    assert sorted(FolderListing(catalogue).beside(photo)) == ["a.cr2", "a.jpg"]


def test_a_folder_that_has_not_changed_for_long_is_not_listed_again(tmp_path: Path) -> None:
    """By its modification time, which the test sets back."""
    catalogue, photo = FolderCache(), RootedPath(tmp_path, Path("a.jpg"))
    (tmp_path / "a.jpg").touch()
    long_ago = (tmp_path.stat().st_mtime - 3600,) * 2
    os.utime(tmp_path, long_ago)
    FolderListing(catalogue).beside(photo)

    (tmp_path / "a.xmp").touch()
    os.utime(tmp_path, long_ago)

    assert FolderListing(catalogue).beside(photo) == ["a.jpg"]


def test_only_a_few_folders_are_kept(tmp_path: Path) -> None:
    """A drop of ten thousand folders does not fill the memory."""
    catalogue = FolderCache()
    for number in range(10):
        (tmp_path / f"{number}").mkdir()
        (tmp_path / f"{number}" / "a.jpg").touch()
        assert FolderListing(catalogue).beside(RootedPath(tmp_path, Path(f"{number}/a.jpg"))) == ["a.jpg"]

    assert len(catalogue._folders) == 4


@pytest.mark.parametrize("name", ["a.jpg.xmp", "a.xmp", "a.wav", "a.aae", "a.mov", "a.CR2"])
@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("nowhere")])
def test_only_plain_files_lie_beside_a_photo(tmp_path: Path, name: str, make: Callable[[Path], None]) -> None:
    """A folder, a pipe or a dangling link that is called like a sidecar is none."""
    (tmp_path / "a.jpg").touch()
    make(tmp_path / name)
    listing, photo = FolderListing(), RootedPath(tmp_path, Path("a.jpg"))

    assert (listing.beside(photo), listing.unclear(photo)) == (["a.jpg"], [])
    assert listing.is_taken(photo, name)
    assert listing.is_taken(photo, name.upper())
    assert not listing.is_taken(photo, "a.jpg")


def test_a_link_to_a_file_is_distinguished(tmp_path: Path) -> None:
    """It may be a sidecar that the user keeps elsewhere."""
    for name in ("a.jpg", "b.xmp"):
        (tmp_path / name).touch()
    (tmp_path / "a.xmp").symlink_to("b.xmp")
    listing, photo = FolderListing(), RootedPath(tmp_path, Path("a.jpg"))

    assert (listing.beside(photo), listing.unclear(photo)) == (["a.jpg"], ["a.xmp"])
