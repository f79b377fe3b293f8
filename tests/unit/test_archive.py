"""Archives: which photos get a row, in which shard, what the row holds, and which folders are refused; without Ray."""

from __future__ import annotations

import fcntl
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from culld.archive.nodes.ray_session import remove_left_folders
from culld.archive.parquet.folder import ArchiveFolder, Manifest, placed
from culld.archive.parquet.row import Companions, scored_row
from culld.archive.parquet.schema import SCHEMA_VERSION, row_schema
from culld.archive.records import MAX_TRIES, Shard, Status, Tally
from culld.archive.scoring.plan import deleted_in, make_plan, shards_of
from culld.archive.scoring.shards import ShardScorer, deleted_row, write_rows
from culld.archive.scoring.uris import Listing, require_outside, resolved
from culld.cli import exit_codes
from culld.errors import ConfigError, SystemFaultError
from culld.inference.pool import Pool
from culld.inference.worker_process import WorkerLimits
from culld.journal.stack_json import facts_in, parsed
from culld.records import Camera, DHash, Exposure, FileSnapshot, RootedPath, Subject
from harness import factories
from harness.archives import POISON, FlakyWorkers, Listed, PoisonHandler, assessed, rows_of
from harness.current_rows import current

pytest.importorskip("pyarrow")

REPO = Path(__file__).resolve().parents[2]
WITHOUT = """
import sys
sys.modules["ray"] = None
from culld.cli import main
sys.exit(main(["archive", "score", ".", "--out", sys.argv[1]]))
"""


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with two photos, a folder in it, a RAW with its JPEG and sidecar, a hidden file, a text file."""
    root = tmp_path / "photos"
    (root / "trip").mkdir(parents=True)
    for name in ("a.jpg", "b.jpg", "trip/c.jpg", "trip/d.dng", "trip/d.jpg", "trip/d.xmp", ".hidden.jpg", "notes.txt"):
        (root / name).write_bytes(name.encode())
    return root


def names(files: list[FileSnapshot]) -> list[str]:
    """The names of files, sorted."""
    return sorted(file.place.relative.name for file in files)


def plan_of(out: Path, root: Path, size: int = 100) -> int:
    """Plan the photos of a folder."""
    return make_plan(ArchiveFolder(out), Listing(resolved([str(root)])), size)


def commit(out: Path, scan: int, *, failed: str = "") -> None:
    """Make the rows of a plan."""
    folder = ArchiveFolder(out)
    write_rows(folder.deleted(scan), map(deleted_row, deleted_in(folder, scan)), scan)
    for shard in shards_of(folder, scan):
        ShardScorer(FlakyWorkers("", 0), folder).score(shard)
    if failed:
        _set_status(folder.shard(scan, 0), failed)


def _set_status(file: Path, status: str) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [{**row, "status": status} for row in pq.read_table(file).to_pylist()]
    pq.write_table(pa.Table.from_pylist(rows, row_schema()), file)


def test_a_folder_a_glob_a_list_and_a_photo_name_the_same_photos(photos: Path) -> None:
    """Hidden files and texts are left out; a relative path in a list starts in the folder of the list."""
    expected = ["a.jpg", "b.jpg", "c.jpg", "d.dng", "d.jpg"]
    names_list = photos.parent / "list.txt"
    names_list.write_text("photos/a.jpg\n\nphotos/b.jpg\r\nphotos/trip\n")

    for uris in ([str(photos)], [f"{photos}/**"], [str(names_list)], [f"file://{photos}"]):
        found = {file.place.path for file in Listing(resolved(uris)).photos()}
        assert sorted(path.name for path in found) == expected
    assert names(list(Listing(resolved([str(photos / "a.jpg")])).photos())) == ["a.jpg"]


def test_what_a_list_names_in_vain_is_reported(photos: Path) -> None:
    """A photo that is gone, and a file that is no photo; the others are found. So is a glob that matches nothing."""
    names_list = photos.parent / "list.txt"
    names_list.write_text("photos/a.jpg\nphotos/gone.jpg\nphotos/notes.txt\n")
    listing = Listing(resolved([str(names_list), f"{photos}/*.png"]))

    assert names(list(listing.photos())) == ["a.jpg"]
    assert [Path(path).name for path in listing.missing] == ["gone.jpg", "notes.txt", "*.png"]


def test_bad_uris_are_refused_together(photos: Path) -> None:
    """A path without a file, and one below the photos for the archive; a file that is no text has a sentence too."""
    with pytest.raises(ConfigError) as refused:
        resolved(["/nowhere/a", "/nowhere/b"])
    assert refused.value.problems == ("/nowhere/a: is not there", "/nowhere/b: is not there")

    with pytest.raises(ConfigError, match="lies in the folder of photos"):
        require_outside(photos / "archive", resolved([str(photos)]))

    clip = photos / "clip.mp4"
    clip.write_bytes(b"\0\0\0\x18ftypmp42")
    with pytest.raises(ConfigError, match="is neither a photo nor a text file with paths"):
        list(Listing(resolved([str(clip)])).photos())


def test_a_plan_holds_each_photo_once_and_keeps_a_shot_together(photos: Path, tmp_path: Path) -> None:
    """Although two URIs name the folder; the shards have one photo each, but for the RAW and its JPEG."""
    out = tmp_path / "out"
    make_plan(ArchiveFolder(out), Listing(resolved([str(photos), str(photos / "trip"), f"{photos}/*.jpg"])), 1)

    shards = [sorted(place.path.name for place in shard.places) for shard in shards_of(ArchiveFolder(out), 1)]
    assert sorted(shards) == [["a.jpg"], ["b.jpg"], ["c.jpg"], ["d.dng", "d.jpg"]]


def test_a_second_plan_holds_new_and_changed_photos_and_those_that_are_gone(photos: Path, tmp_path: Path) -> None:
    """A third one, without any change, is none. A photo that comes back is new."""
    out = tmp_path / "out"
    commit(out, plan_of(out, photos))
    (photos / "e.jpg").write_bytes(b"new")
    (photos / "b.jpg").write_bytes(b"changed")
    (photos / "a.jpg").unlink()

    assert plan_of(out, photos) == 2
    folder = ArchiveFolder(out)
    assert [sorted(place.path.name for place in shard.places) for shard in shards_of(folder, 2)] == [["b.jpg", "e.jpg"]]
    assert [place.path for place in deleted_in(folder, 2)] == [photos / "a.jpg"]
    commit(out, 2)
    assert plan_of(out, photos) == 0
    assert sorted(Path(path).name for path in current(folder)["path"].to_pylist()) == [
        "b.jpg", "c.jpg", "d.dng", "d.jpg", "e.jpg"
    ]  # fmt: skip

    (photos / "a.jpg").write_bytes(b"a.jpg")
    commit(out, plan_of(out, photos))
    assert {Path(path).name for path in current(folder)["path"].to_pylist()} >= {"a.jpg"}


@pytest.mark.parametrize(("status", "again"), [(Status.FAILED, True), (Status.LOST, False), (Status.UNREADABLE, False)])
def test_only_a_photo_that_could_not_be_read_is_read_again(
    status: Status, *, again: bool, photos: Path, tmp_path: Path
) -> None:
    """One that ended its workers or is damaged would do so again."""
    out = tmp_path / "out"
    commit(out, plan_of(out, photos), failed=status)

    assert bool(plan_of(out, photos)) == again


def test_photos_in_a_folder_that_cannot_be_listed_are_not_gone(photos: Path, tmp_path: Path) -> None:
    """Nor those of a disk that is not mounted, whose folder is empty."""
    out, folder = tmp_path / "out", ArchiveFolder(tmp_path / "out")
    commit(out, plan_of(out, photos))

    assert make_plan(folder, Listed((), {photos: "permission denied"}), 9) == 0
    (photos).rename(tmp_path / "away")
    photos.mkdir()
    listing = Listing(resolved([str(photos)]))
    assert make_plan(folder, listing, 9) == 0
    assert list(listing.unreadable) == [photos]
    assert make_plan(folder, Listed((), {photos / "trip": "permission denied"}), 9) == 2
    assert sorted(place.path.name for place in deleted_in(folder, 2)) == ["a.jpg", "b.jpg"]


def test_a_name_that_is_no_utf_8_is_planned_stored_and_recognised(photos: Path, tmp_path: Path) -> None:
    """Its bytes are in a column of their own, so that two names cannot become one."""
    out, name = tmp_path / "out", os.fsdecode(b"\xff.jpg")
    (photos / name).write_bytes(b"x")
    (photos / r"\xff.jpg").write_bytes(b"y")

    commit(out, plan_of(out, photos))

    found = {row["path_bytes"] for row in rows_of(out) if str(row["path"]).endswith(r"/\xff.jpg")}
    assert found == {None, os.fsencode(photos / name)}
    assert plan_of(out, photos) == 0


@pytest.mark.parametrize(("losses", "status"), [(MAX_TRIES - 1, Status.SCORED), (MAX_TRIES, Status.LOST)])
def test_a_lost_worker_costs_its_photo_a_retry(losses: int, status: Status, photos: Path, tmp_path: Path) -> None:
    """After three the photo gets a row that says so; each other photo has a row as well."""
    places = tuple(RootedPath(photos, Path(name)) for name in ("a.jpg", "b.jpg", "trip/c.jpg"))

    tally = ShardScorer(FlakyWorkers("b.jpg", losses), ArchiveFolder(tmp_path)).score(Shard(1, 0, places))

    rows = rows_of(tmp_path)
    assert [Path(str(row["path"])).name for row in rows] == ["a.jpg", "b.jpg", "c.jpg"]
    assert [row["status"] for row in rows] == ["scored", status, "scored"]
    assert tally.losses == losses
    assert (rows[1]["error"] or "").startswith("the worker process ended") == (status is Status.LOST)


def test_a_photo_that_kills_real_workers_gets_a_row_and_the_others_are_scored(photos: Path, tmp_path: Path) -> None:
    """The pool is the one of an actor."""
    (photos / POISON).write_bytes(b"x")
    places = tuple(RootedPath(photos, Path(name)) for name in ("a.jpg", POISON, "b.jpg"))

    with Pool(PoisonHandler, 1, WorkerLimits(4 << 30, 30)) as pool:
        tally = ShardScorer(pool, ArchiveFolder(tmp_path)).score(Shard(1, 0, places))

    assert tally == Tally({Status.SCORED: 2, Status.LOST: 1}, 3)


def test_a_photo_that_was_removed_after_the_plan_has_a_row(photos: Path, tmp_path: Path) -> None:
    """So that no photo of the plan is missing; the next scan marks it."""
    places = (RootedPath(photos, Path("gone.jpg")), RootedPath(photos, Path("a.jpg")))

    tally = ShardScorer(FlakyWorkers("", 0), ArchiveFolder(tmp_path)).score(Shard(1, 0, places))

    assert tally == Tally({Status.FAILED: 1, Status.SCORED: 1})
    assert rows_of(tmp_path)[0]["error"] == "it was removed after it was listed"


def test_a_row_holds_all_facts_of_a_photo(photos: Path, tmp_path: Path) -> None:
    """Also those beside it, and what the journal stores about faces and ratings."""
    place = RootedPath(photos, Path("trip/d.dng"))
    found = assessed(FileSnapshot(place, factories.stamp(7, 8)))
    moment = datetime(2026, 5, 1, 12, tzinfo=UTC)
    camera = Camera("X100", moment, 6, Exposure(0.01, 2.8, 400, -0.5), 35.0, auto_bracket=True)
    photo = replace(found.photo, camera=camera)
    full = replace(
        found, photo=photo, dhash=DHash(1, 2), subject=Subject(sharpness=0.5), full_size=(60, 40), missing_part="m"
    )
    write_rows(tmp_path / "rows/0001/shard-000000.parquet", [scored_row(full, Companions().beside(place))], 1)

    (row,) = rows_of(tmp_path)
    expected = {
        "path": str(place.path), "scan": 1, "status": "scored", "size": 7, "mtime_ns": 8, "width": 60, "height": 40,
        "camera": "X100", "taken_at": moment, "orientation": 6, "exposure_s": 0.01, "aperture": 2.8, "iso": 400,
        "bias_ev": -0.5, "focal_mm": 35.0, "auto_bracket": True, "sharpness": 0.5, "faces": 0, "missing_part": "m",
        "sidecars": ["d.xmp"], "siblings": ["d.jpg"], "blocking": [], "digest": bytes.fromhex(photo.digest),
        "dhash": bytes(31) + b"\1" + bytes(31) + b"\2", "blur": 0.0, "model": "model@1",
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected
    assert facts_in(parsed(row["facts"]))[1] == camera


def test_the_movie_of_a_live_photo_is_a_sidecar_and_a_link_blocks(photos: Path) -> None:
    """As in the daemon; any other movie blocks as well."""
    (photos / "a.mov").write_bytes(b"\0\0\0\x18ftypqt  com.apple.quicktime.content.identifier")
    (photos / "b.mov").write_bytes(b"\0\0\0\x18ftypqt  ")
    (photos / "b.jpg.xmp").symlink_to(photos / "notes.txt")

    found = [Companions().beside(RootedPath(photos, Path(name))) for name in ("a.jpg", "b.jpg")]

    assert [(each.sidecars, each.blocking) for each in found] == [(("a.mov",), ()), ((), ("b.mov", "b.jpg.xmp"))]


def test_an_archive_of_other_photos_model_or_schema_is_refused(tmp_path: Path) -> None:
    """So is a folder that is no archive, and a damaged manifest; each with one sentence that names the folder."""
    folder = ArchiveFolder(tmp_path / "out")
    folder.path.mkdir()
    mine = Manifest(("/photos",), "model@1")
    folder.open(mine)
    folder.open(mine)

    for other, reason in (
        (Manifest(("/others",), "model@1"), "is the archive of other photos (/photos)"),
        (Manifest(("/photos",), "model@2"), "was scored by the model model@1, and not by model@2"),
        (Manifest(("/photos",), "model@1", sharpness="none"), "was begun with --sharpness bursts; go on so"),
        (
            Manifest(("/photos",), "model@1", schema=SCHEMA_VERSION + 1),
            f"has schema {SCHEMA_VERSION}, and this culld writes",
        ),
    ):
        with pytest.raises(ConfigError, match=re.escape(f"{folder.path} {reason}")):
            folder.open(other)

    (folder.path / "archive.json").write_text("{")
    with pytest.raises(ConfigError, match="is damaged"):
        folder.open(mine)
    with pytest.raises(ConfigError, match="is no archive and is not empty"):
        ArchiveFolder(tmp_path).open(mine)


def test_only_one_run_writes_to_an_archive_and_it_removes_what_a_killed_one_left(tmp_path: Path) -> None:
    """Unfinished files have a hidden name, and are no rows."""
    folder = ArchiveFolder(tmp_path)
    left = tmp_path / "rows/0001" / ".culld-0123456789abcdef.tmp"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    assert folder.rows() == []

    with (
        folder.locked(),
        pytest.raises(SystemFaultError, match="another `culld archive` writes to"),
        ArchiveFolder(tmp_path).locked(),
    ):
        pass
    assert not left.exists()


def test_a_file_that_cannot_be_finished_leaves_nothing(tmp_path: Path) -> None:
    """The name of a shard is never that of half a shard."""

    def write_half() -> None:
        with placed(tmp_path / "a" / "b.parquet") as hidden:
            hidden.write_bytes(b"half")
            (tmp_path / "missing").read_bytes()

    with pytest.raises(FileNotFoundError):
        write_half()

    assert list((tmp_path / "a").iterdir()) == []


def test_the_page_lists_every_column_and_the_version() -> None:
    """In order."""
    page = (REPO / "docs" / "archive.md").read_text()
    listed = re.findall(r"^\| `(\w+)` \|", page.partition("## Columns")[2].partition("\n## ")[0], re.MULTILINE)

    assert listed == row_schema().names
    assert f"Schema version {SCHEMA_VERSION}" in page


def test_without_the_extra_one_sentence_names_it(tmp_path: Path) -> None:
    """Before the folder of the archive is made."""
    out = tmp_path / "out"
    done = subprocess.run([sys.executable, "-c", WITHOUT, out], capture_output=True, text=True, check=False)

    assert done.returncode == exit_codes.SYSTEM_FAULT
    assert done.stderr == "culld: culld archive needs Ray and pyarrow: run `pip install 'culld[archive]'`\n"
    assert not out.exists()


def test_the_manifest_is_plain_json(tmp_path: Path) -> None:
    """Other programs may read it."""
    ArchiveFolder(tmp_path).open(Manifest(("/photos",), "model@1"))

    assert json.loads((tmp_path / "archive.json").read_text()) == {
        "uris": ["/photos"], "model": "model@1", "sharpness": "bursts", "schema": SCHEMA_VERSION
    }  # fmt: skip


def test_the_folders_of_ray_that_killed_runs_left_are_removed(tmp_path: Path) -> None:
    """Those of runs that go on stay, and those without a lock, which another program made."""
    for name in ("culld-ray-killed", "culld-ray-busy", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "culld.lock").touch()
        (tmp_path / name / "session_1").mkdir()
        (tmp_path / name / "session_latest").symlink_to(tmp_path / name / "session_1")
    (tmp_path / "culld-ray-new").mkdir()

    with (tmp_path / "culld-ray-busy" / "culld.lock").open("rb") as busy:
        fcntl.flock(busy, fcntl.LOCK_EX)
        remove_left_folders(tmp_path)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["culld-ray-busy", "culld-ray-new", "other"]
