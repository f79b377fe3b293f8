"""The scanner on a real folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from culld.intake.scanning import Scanner
from culld.photos.formats import EXTENSIONS
from culld.records import Place


def names(root: Path, *, excluded: frozenset[Path] = frozenset(), deep: bool = True) -> set[str]:
    """The relative names that a scan of `root` finds."""
    found = Scanner(EXTENSIONS, excluded).scan(root, deep=deep)
    return {os.fsdecode(sighting.place.relative) for sighting in found}


def put(root: Path, *files: str | bytes) -> None:
    """Make files with a byte in each."""
    for file in files:
        path = root / os.fsdecode(file)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def test_photos_are_found_by_extension_at_any_depth(tmp_path: Path) -> None:
    """Upper and lower case count alike; texts, RAW files and sidecars are no photos."""
    put(tmp_path, "a.jpg", "B.JPEG", "c/d/e.heic", "c/f.webp", "notes.txt", "a.jpg.xmp", "g.CR2")

    assert names(tmp_path) == {"a.jpg", "B.JPEG", "c/d/e.heic", "c/f.webp"}


def test_a_shallow_scan_stays_in_its_folder(tmp_path: Path) -> None:
    """A mark of one folder costs one listing."""
    put(tmp_path, "a.jpg", "c/b.jpg")

    assert names(tmp_path, deep=False) == {"a.jpg"}


def test_names_of_unfinished_files_are_passed_over(tmp_path: Path) -> None:
    """Browsers, rsync, Syncthing, NFS and file managers write under such names first."""
    put(
        tmp_path,
        ".hidden.jpg", ".a.jpg.Xy12Zz", ".syncthing.a.jpg.tmp", "a.jpg.part", "a.jpg.crdownload", "a.jpg.filepart",
        ".nfs0001.jpg", "._a.jpg", "@eaDir/a.jpg", ".git/a.jpg", "a.jpg~", ".culld-1.tmp", "b.jpg",
    )  # fmt: skip

    assert names(tmp_path) == {"b.jpg"}


def test_links_lead_nowhere(tmp_path: Path) -> None:
    """Neither a link to a photo nor one to a folder is followed, not even in a circle."""
    put(tmp_path, "root/a.jpg", "outside/b.jpg")
    root = tmp_path / "root"
    (root / "c.jpg").symlink_to(tmp_path / "outside" / "b.jpg")
    (root / "out").symlink_to(tmp_path / "outside")
    (root / "self").symlink_to(root)

    assert names(root) == {"a.jpg"}


def test_pipes_and_folders_with_photo_names_are_no_photos(tmp_path: Path) -> None:
    """Looking at a pipe must not wait for its writer."""
    os.mkfifo(tmp_path / "pipe.jpg")
    put(tmp_path, "folder.jpg/a.jpg")

    assert names(tmp_path) == {"folder.jpg/a.jpg"}


@pytest.mark.parametrize("below", ["Quarantine", "Quarantine/2026/05", ".trash", ".trash/old", "a/@eaDir"])
def test_a_folder_that_an_event_names_is_passed_over_like_on_the_way_from_the_root(tmp_path: Path, below: str) -> None:
    """Otherwise a photo that is moved into a quarantine below the root would be judged, and moved, again."""
    (tmp_path / below).mkdir(parents=True)
    (tmp_path / below / "a.jpg").touch()
    scanner = Scanner(EXTENSIONS, frozenset({tmp_path / "Quarantine"}))

    for deep in (False, True):
        assert list(scanner.scan(tmp_path, tmp_path / below, deep=deep)) == []


def test_excluded_folders_are_passed_over(tmp_path: Path) -> None:
    """A quarantine inside a watched folder is never scanned."""
    put(tmp_path, "a.jpg", "Quarantine/b.jpg")

    assert names(tmp_path, excluded=frozenset({tmp_path / "Quarantine"})) == {"a.jpg"}


def test_any_bytes_may_be_in_a_name(tmp_path: Path) -> None:
    """Names that are no text, or hold line feeds, come through unharmed."""
    put(tmp_path, b"\xff\xfe.jpg", b"line\nfeed.jpg", b"-rf.jpg")

    found = {os.fsencode(name) for name in names(tmp_path)}

    assert found == {b"\xff\xfe.jpg", b"line\nfeed.jpg", b"-rf.jpg"}


def test_a_missing_root_holds_no_photos(tmp_path: Path) -> None:
    """An unmounted share is no error."""
    assert names(tmp_path / "gone") == set()


def test_a_second_look_sees_one_file(tmp_path: Path) -> None:
    """A look gives the present stamp, or nothing if the file is gone or became a link."""
    put(tmp_path, "a.jpg")
    scanner = Scanner(EXTENSIONS)
    place = Place(tmp_path, Path("a.jpg"))
    (sighting,) = scanner.scan(tmp_path)

    assert scanner.look(place) == sighting

    place.path.unlink()
    assert scanner.look(place) is None

    place.path.symlink_to("/etc/hostname")
    assert scanner.look(place) is None
