"""Tags, moves and restores on FUSE file systems: nothing is doubled, nothing is left over, every byte comes back."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from culld.files.open_beneath import folder as opened
from culld.files.rename_noreplace import Way, rename_noreplace, way_of
from culld.files.temp_names import CLAIM
from culld.quarantine.restore import Restorer, restore
from culld.quarantine.selection import Selection
from culld.system.doctor import folders
from culld.system.doctor.checks import Health
from harness import kill_points, mounts, quarantined

EVERYTHING = Selection(everything=True)
WAYS = {"fuse2fs": Way.LINK, "ntfs-3g": Way.LINK, "lowntfs-3g": Way.LINK}  # all others number names, or lack links


@pytest.fixture(params=mounts.FILE_SYSTEMS)
def kind(request: pytest.FixtureRequest) -> str:
    """The kind of file system."""
    return str(request.param)


@pytest.fixture
def mount(kind: str, tmp_path: Path) -> Iterator[Path]:
    """A mount of it."""
    with mounts.mounted(kind, tmp_path / "fuse") as point:
        yield point


@pytest.fixture(params=["in it", "elsewhere"])
def scene(request: pytest.FixtureRequest, mount: Path, tmp_path: Path) -> kill_points.Scene:
    """A watched folder on the mount, and a quarantine there or on another file system."""
    folder = tmp_path / "scene"
    folder.mkdir()
    (mount / "inbox").mkdir()
    (folder / "inbox").symlink_to(mount / "inbox")  # the journal stays on the disk
    quarantine = (mount if request.param == "in it" else tmp_path) / "quarantine"
    return kill_points.Scene(folder, quarantine).build()


def test_a_reject_is_moved_once_and_comes_back_with_its_bytes(scene: kill_points.Scene) -> None:
    """Photo and sidecars leave the inbox, nothing hidden stays, and a restore with its tags taken back is whole."""
    kill_points.reject(scene)

    assert quarantined.tree(scene.inbox) == []
    kill_points.check(scene, kill_points.reject)

    with scene.journal() as journal:
        restorer = Restorer([scene.inbox], journal, quarantined.nothing_of_culld)
        results = list(restore(scene.quarantine, EVERYTHING, restorer))
    files = {name: (scene.inbox / name).read_bytes() for name in quarantined.tree(scene.inbox)}

    assert [result.fault for result in results] == [None]
    assert files == {"2026/a.jpg": kill_points.PHOTO, "2026/a.xmp": kill_points.SIDECAR}
    assert quarantined.tree(scene.quarantine) == []


def test_a_taken_name_is_not_replaced(mount: Path) -> None:
    """In whatever way this file system renames."""
    (mount / "a.jpg").write_bytes(b"one")
    (mount / "b.jpg").write_bytes(b"another")
    with opened(mount, Path()) as inside, pytest.raises(FileExistsError):
        rename_noreplace(inside, "a.jpg", inside, "b.jpg")

    assert ((mount / "a.jpg").read_bytes(), (mount / "b.jpg").read_bytes()) == (b"one", b"another")


def test_the_way_is_found_by_trying(mount: Path, kind: str) -> None:
    """And the trial leaves nothing."""
    before = quarantined.tree(mount)
    with opened(mount, Path()) as inside:
        way = way_of(inside)

    assert (way, quarantined.tree(mount)) == (WAYS.get(kind, Way.CLAIM), before)


def test_the_doctor_tries_it(mount: Path, kind: str, tmp_path: Path) -> None:
    """It reports how files are renamed, that names cannot be exchanged, and how a move works; it leaves no file."""
    for folder in (mount / "in", mount / "q", tmp_path / "q"):
        folder.mkdir()
    check = folders.changes(mount / "in")

    assert (check.health, "cannot be exchanged" in check.what) == (Health.OK, True)
    assert check.what.startswith(f"tried: {WAYS.get(kind, Way.CLAIM)}")
    assert folders.moves(mount / "in", mount / "q").what == "tried: renamed"
    assert folders.moves(mount / "in", tmp_path / "q").what == "tried: copied, verified, then unlinked"
    assert quarantined.tree(mount / "in") + quarantined.tree(mount / "q") + quarantined.tree(tmp_path / "q") == []


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("action", ["reject", "restore"])
@pytest.mark.parametrize("kind", ["mergerfs", "sshfs without hard links", "fuse2fs"])
def test_a_kill_at_any_change_harms_nothing(mount: Path, action: str) -> None:
    """Also where a name has to be reserved first, or linked; of the second kills every twelfth is tried."""
    done = subprocess.run(
        [*kill_points.PROGRAM, mount, mount / "quarantine", f"sweep-{action}", "12"],
        capture_output=True,
        check=False,
        text=True,
    )

    assert done.stderr == ""
    assert int(done.stdout) > 10


def test_a_name_reserved_by_a_killed_culld_is_no_photo(mount: Path, tmp_path: Path) -> None:
    """The photo comes back under its own name, and not beside the reservation."""
    (tmp_path / "scene").mkdir()
    scene = kill_points.Scene(tmp_path / "scene", mount / "quarantine").build()
    kill_points.reject(scene)
    scene.photo.path.write_bytes(CLAIM)
    kill_points.bring_back(scene)

    kill_points.check(scene, kill_points.bring_back)
