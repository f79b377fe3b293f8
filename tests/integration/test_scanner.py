"""The scanner on a real folder."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from culld.enhance.encode import Origin, encode_copy
from culld.enhance.source import CopySource
from culld.imaging.formats import EXTENSIONS
from culld.records import RootedPath
from culld.stages.watch.scanner import Scanner
from culld.tags.embedded_metadata import NOTHING
from harness.deep_paths import deep_file
from harness.fakes import Warnings
from harness.users import AS_ANY_USER, needs_setpriv


def names(root: Path, *, excluded: frozenset[Path] = frozenset(), deep: bool = True) -> set[str]:
    """The relative names that a scan of `root` finds."""
    found = Scanner(EXTENSIONS, excluded).scan(root, deep=deep)
    return {os.fsdecode(snapshot.place.relative) for snapshot in found}


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
    """A wake-up for one folder costs one listing."""
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
    """`find` returns the present stamp, or None if the file is gone or became a link."""
    put(tmp_path, "a.jpg")
    scanner = Scanner(EXTENSIONS)
    place = RootedPath(tmp_path, Path("a.jpg"))
    (snapshot,) = scanner.scan(tmp_path)

    assert scanner.find(place) == snapshot

    place.path.unlink()
    assert scanner.find(place) is None

    place.path.symlink_to("/etc/hostname")
    assert scanner.find(place) is None


@dataclass
class Entry:
    """A directory entry on a disk that fails: a file whose stat fails."""

    name: str

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        """Return False: the listing has it as a file."""
        return False

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        """The disk fails."""
        raise OSError(errno.EIO, os.strerror(errno.EIO))


@dataclass
class FailingDisk:
    """Lists folders, of which those that hold a file `list.bad` cannot be listed, and `stat.bad` gets bad entries."""

    fails: bool = True

    @contextmanager
    def listing(self, descriptor: int) -> Iterator[Iterator[Any]]:
        """The entries of an open folder; the error comes after the first ones, as from getdents64(2)."""
        with os.scandir(descriptor) as found:
            yield self._entries(list(found))

    def _entries(self, found: list[os.DirEntry[str]]) -> Iterator[Any]:
        bad = {entry.name for entry in found} if self.fails else set()
        yield from (Entry(f"bad-{number}.jpg") for number in range(2) if "stat.bad" in bad)
        yield from found
        if "list.bad" in bad:
            raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_a_disk_error_costs_one_folder_or_one_entry(tmp_path: Path) -> None:
    """All others are found; the log names it once, and the next scan tries again."""
    put(tmp_path, "a.jpg", "x/b.jpg", "x/list.bad", "y/c.jpg", "y/stat.bad", "z/d.jpg")
    disk = FailingDisk()
    scanner = Scanner(EXTENSIONS, listing=disk.listing)

    with Warnings() as warnings:
        for _ in range(2):
            found = {str(snapshot.place.relative) for snapshot in scanner.scan(tmp_path)}
            assert found == {"a.jpg", "x/b.jpg", "y/c.jpg", "z/d.jpg"}

    assert scanner.unreadable.reasons.keys() == {tmp_path / "x", tmp_path / "y"}
    assert "(2 entries of this folder)" in scanner.unreadable.reasons[tmp_path / "y"]
    assert len(warnings.texts) == 2
    assert all("the disk reports an error" in text for text in warnings.texts)

    disk.fails = False
    list(scanner.scan(tmp_path))
    assert len(scanner.unreadable) == 0


def test_an_unread_folder_that_is_gone_is_forgotten(tmp_path: Path) -> None:
    """It is reported no longer."""
    put(tmp_path, "x/list.bad")
    scanner = Scanner(EXTENSIONS, listing=FailingDisk().listing)
    list(scanner.scan(tmp_path))
    assert len(scanner.unreadable) == 1

    shutil.rmtree(tmp_path / "x")
    list(scanner.scan(tmp_path))

    assert len(scanner.unreadable) == 0


def test_a_path_that_is_longer_than_the_kernel_takes_is_seen_like_any_other(tmp_path: Path) -> None:
    """A path has at most 4,095 bytes (PATH_MAX of limits.h); folders below each other may be deeper than that."""
    relative = Path(*["d" * 250] * 20, "a.jpg")
    with deep_file(tmp_path, relative, b"x"):
        scanner = Scanner(EXTENSIONS)
        (snapshot,) = scanner.scan(tmp_path)

        assert len(os.fsencode(snapshot.place.path)) > 4096
        assert snapshot.place == RootedPath(tmp_path, relative)
        assert scanner.find(snapshot.place) == snapshot


@needs_setpriv
def test_a_folder_that_may_be_listed_but_not_entered_hinders_no_other(tmp_path: Path) -> None:
    """Mode 744 of another user."""
    put(tmp_path, "a.jpg", "x/b.jpg", "x/below/c.jpg", "z/d.jpg")
    os.chown(tmp_path / "x", 65534, 65534)
    (tmp_path / "x").chmod(0o744)
    code = (
        "import json, pathlib, sys; from culld.stages.watch.scanner import Scanner; scanner = Scanner({'.jpg'});"
        "root = pathlib.Path(sys.argv[1]); found = [str(seen.place.relative) for seen in scanner.scan(root)];"
        "print(json.dumps([sorted(found), {str(path): text for path, text in scanner.unreadable.reasons.items()}]))"
    )
    command = [*AS_ANY_USER, sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    found, unread = json.loads(done.stdout)
    assert found == ["a.jpg", "z/d.jpg"]
    assert unread.keys() == {str(tmp_path / "x"), str(tmp_path / "x" / "below")}
    assert all("permission denied" in text for text in unread.values())


def test_a_repaired_copy_beside_its_photo_is_passed_over(tmp_path: Path) -> None:
    """Whatever the format of the photo; a sidecar of that stem is no photo, and other names are those of photos."""
    put(tmp_path, "a.jpg", "a.enhanced.jpg", "b.NEF", "b.enhanced.jpg", "c/d.PNG", "c/d.enhanced.jpg")
    put(tmp_path, "e.xmp", "e.enhanced.jpg", ".enhanced.jpg", "f.jpg", "f.enhanced.png", "a.jpg.enhanced.jpg")

    assert names(tmp_path) == {"a.jpg", "c/d.PNG", "e.enhanced.jpg", "f.jpg", "f.enhanced.png", "a.jpg.enhanced.jpg"}


def test_a_repaired_copy_without_its_photo_is_known_by_what_culld_wrote_into_it(tmp_path: Path) -> None:
    """As when the photo is in quarantine; the same name on a file of another program is that of a photo."""
    metadata = Origin("a.jpg", "0" * 64, "exposure", "tone@1")
    source = CopySource(np.zeros((8, 8, 3), np.uint8))
    (tmp_path / "a.enhanced.jpg").write_bytes(encode_copy(source.pixels, source, NOTHING, metadata))
    put(tmp_path, "b.enhanced.jpg")
    scanner = Scanner(EXTENSIONS)

    for _ in range(2):
        found = [snapshot.place.relative.name for snapshot in scanner.scan(tmp_path)]
        assert found == ["b.enhanced.jpg"]
    assert scanner.is_copy(RootedPath(tmp_path, Path("a.enhanced.jpg")))
    assert not scanner.is_copy(RootedPath(tmp_path, Path("b.enhanced.jpg")))
    assert not scanner.is_copy(RootedPath(tmp_path, Path("c.enhanced.jpg")))


def clips(root: Path, *extensions: str) -> set[str]:
    """The relative names that a scan finds where clips with these extensions are wanted."""
    found = Scanner(EXTENSIONS, clips=lambda _: extensions).scan(root)
    return {os.fsdecode(snapshot.place.relative) for snapshot in found}


def test_clips_are_found_where_they_are_wanted(tmp_path: Path) -> None:
    """In any letter case; not files that another program still writes."""
    put(tmp_path, "a.MOV", "b/c.mp4", "d.mkv", ".e.mov", "f.mov.part", "g.jpg")

    assert clips(tmp_path) == {"g.jpg"}
    assert clips(tmp_path, ".mov", ".mp4") == {"a.MOV", "b/c.mp4", "g.jpg"}


def test_a_clip_beside_its_photo_is_passed_over(tmp_path: Path) -> None:
    """It is the movie of a Live Photo, or moves with the photo for another reason."""
    put(tmp_path, "IMG_1.HEIC", "img_1.mov", "b.NEF", "b.mp4", "c.jpg", "c.jpg.mov", "d.mov", "e/IMG_1.mov")

    assert clips(tmp_path, ".mov", ".mp4") == {"IMG_1.HEIC", "c.jpg", "d.mov", "e/IMG_1.mov"}


def test_a_clip_that_was_found_alone_may_belong_to_a_photo_later(tmp_path: Path) -> None:
    """The movie of a Live Photo may arrive first."""
    put(tmp_path, "IMG_1.mov")
    scanner, place = Scanner(EXTENSIONS, clips=lambda _: {".mov"}), RootedPath(tmp_path, Path("IMG_1.mov"))

    assert not scanner.is_photos_clip(place)
    put(tmp_path, "IMG_1.HEIC")
    assert scanner.is_photos_clip(place)
    place.path.unlink()
    assert not scanner.is_photos_clip(place)


def test_clips_are_wanted_by_folder(tmp_path: Path) -> None:
    """The policy of each watched folder says so."""
    put(tmp_path, "a/a.mov", "b/b.mov")
    scanner = Scanner(EXTENSIONS, clips=lambda root: {".mov"} if root.name == "b" else set())

    found = [snapshot.place.relative.name for root in ("a", "b") for snapshot in scanner.scan(tmp_path / root)]

    assert found == ["b.mov"]
