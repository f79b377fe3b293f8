"""Archives: which row belongs to which photo of this machine, and what `archive apply` refuses; nothing is judged."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from culld.app.model_files import load_model
from culld.archive.apply import ApplyRequest, apply_archive
from culld.archive.parquet.folder import ArchiveFolder, Manifest
from culld.archive.parquet.row import Beside, failed_row, scored_row
from culld.archive.parquet.row_index import RowIndex, index_below
from culld.archive.parquet.schema import SCHEMA_VERSION
from culld.archive.parquet.stored_rows import RowGroups, StoredRows
from culld.archive.records import Status
from culld.archive.scoring.plan import make_plan, missing_shards
from culld.archive.scoring.shards import deleted_row, write_rows
from culld.archive.scoring.uris import Listing, resolved
from culld.config import Config, load_config
from culld.errors import ConfigError, SystemFaultError
from culld.records import Assessment, FileSnapshot, RootedPath
from harness import factories
from harness.archives import assessed

pytest.importorskip("pyarrow")

ROOT = Path("/photos")
Row = dict[str, Any]
POLICY = "watch: [{path: inbox}]\nquarantine: quarantine\nstate: state\n"


def file(name: str, root: Path = ROOT) -> FileSnapshot:
    """A file of this machine."""
    return FileSnapshot(RootedPath(root, Path(name)), factories.stamp())


def row(name: str, root: Path = ROOT) -> Row:
    """The row of a photo with scores of `model@1`."""
    return scored_row(assessed(file(name, root)), Beside())


def rows_in(out: Path, scan: int, rows: Sequence[Row], number: int = 0) -> None:
    """Commit a shard."""
    write_rows(ArchiveFolder(out).shard(scan, number), rows, scan)


def stored(out: Path, base: str = "/photos") -> StoredRows:
    """The rows below a folder or URI as scores of the photos below `ROOT`."""
    return StoredRows(index_below(ArchiveFolder(out).rows(), base), base, ROOT, "model@1")


def test_of_each_photo_the_row_of_the_last_scan_holds(tmp_path: Path) -> None:
    """A photo that is gone has none, and one outside of the folder is passed over; scan 10000 comes after 9999."""
    rows_in(tmp_path, 9999, [row("a.jpg"), row("gone.jpg"), row("/photos2/a.jpg"), row("trip/b.jpg")])
    rows_in(tmp_path, 10000, [{**row("a.jpg"), "blur": 0.75}])
    write_rows(ArchiveFolder(tmp_path).deleted(10000), [deleted_row(file("gone.jpg").place)], 10000)

    found = stored(tmp_path)

    assert len(found.index) == 2
    assert [found.holds(file(name).place) for name in ("a.jpg", "gone.jpg", "trip/b.jpg")] == [True, False, True]
    ((place, each),) = found.assessments([file("a.jpg"), file("gone.jpg"), file("other.jpg")]).items()
    assert (place, blur_of(each)) == (file("a.jpg").place, 0.75)


def blur_of(found: Assessment) -> float:
    """The probability of blur."""
    return found.result.blur  # type: ignore[union-attr]


def test_a_photo_is_found_by_the_part_of_its_path_below_the_uri(tmp_path: Path) -> None:
    """The archive was made in object storage, or on another mount; a name that is no UTF-8 is found as well."""
    odd = os.fsdecode(b"\xff.jpg")
    for base in ("s3://bucket/library", "/mnt/nas"):
        out = tmp_path / base.replace("/", "_")
        there = [{**row(name), **_moved(base, name)} for name in ("trip/a.jpg", odd)]
        rows_in(out, 1, there)

        found = stored(out, base)

        assert set(found.assessments([file("trip/a.jpg"), file(odd), file("a.jpg")])) == {
            file("trip/a.jpg").place,
            file(odd).place,
        }
        assert len(stored(out, f"{base}/trip").index) == 1


def _moved(base: str, name: str) -> Row:
    raw = base.encode() + b"/" + os.fsencode(name)
    return {
        "path": raw.decode("utf-8", "backslashreplace"),
        "path_bytes": None if name.isascii() else raw,
    }


def test_rows_without_scores_and_of_another_model_give_none(tmp_path: Path) -> None:
    """The photo has a row all the same, so that it is scored now."""
    failed = failed_row(file("b.jpg").place, None, Status.LOST, "it ended three workers")
    rows_in(tmp_path, 1, [{**row("a.jpg"), "model": "model@2"}, failed, {**row("c.jpg"), "digest": None}])

    found, files = stored(tmp_path), [file(name) for name in ("a.jpg", "b.jpg", "c.jpg")]

    assert all(found.holds(each.place) for each in files)
    assert found.assessments(files) == {}


def test_two_paths_with_one_hash_do_not_share_a_row(tmp_path: Path) -> None:
    """The path of the row is compared."""
    rows_in(tmp_path, 1, [row("a.jpg")])
    found = stored(tmp_path)
    same = RowIndex(found.index.files, np.array([hash(b"/photos/b.jpg")]), found.index.file_numbers, np.array([0]))

    assert replace(found, index=same).assessments([file("b.jpg")]) == {}


def test_a_row_is_read_with_its_group_and_few_groups_stay_in_memory(tmp_path: Path) -> None:
    """A file of ten groups; with room for none but the last, each row is found all the same."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows_in(tmp_path, 1, [row(f"{number}.jpg") for number in range(100)])
    (one,) = ArchiveFolder(tmp_path).rows()
    table = pq.read_table(one)
    pq.write_table(table, one, row_group_size=10)
    groups = RowGroups(most_bytes=1)

    for number in (99, 0, 55, 56, 10):
        assert groups.row(one, number)["path"] == f"/photos/{number}.jpg"
        assert len(groups._tables) == 1
    assert isinstance(table, pa.Table)


def test_a_shard_that_is_damaged_meanwhile_ends_the_run_with_a_sentence(tmp_path: Path) -> None:
    """The file is named."""
    rows_in(tmp_path, 1, [row("a.jpg")])
    found = stored(tmp_path)
    (one,) = found.index.files
    one.write_bytes(b"PAR1")

    with pytest.raises(SystemFaultError, match=f"{one} cannot be read: "):
        found.assessments([file("a.jpg")])


def test_an_interrupted_scan_is_counted(tmp_path: Path) -> None:
    """Of three shards one is written; an archive without a plan lacks none."""
    folder, photos = ArchiveFolder(tmp_path / "out"), tmp_path / "photos"
    assert missing_shards(folder) == 0
    photos.mkdir()
    for number in range(5):
        (photos / f"{number}.jpg").touch()
    make_plan(folder, Listing(resolved([str(photos)])), 2)
    rows_in(folder.path, 1, [row("0.jpg", photos)])

    assert missing_shards(folder) == 2


class Archive:
    """A watched folder with one photo, and its archive."""

    def __init__(self, folder: Path) -> None:
        """Make both."""
        self.folder = folder
        self.inbox, self.out = folder / "inbox", folder / "out"
        self.inbox.mkdir()
        (self.inbox / "a.jpg").write_bytes(b"a")
        (folder / "culld.yaml").write_text(POLICY)
        self.config: Config = load_config(folder / "culld.yaml", {})
        self.model = load_model(None)[1].id
        rows_in(self.out, 1, [{**row("a.jpg", self.inbox), "model": self.model}])
        self.write(Manifest((str(self.inbox),), self.model))

    def write(self, manifest: Manifest, **other: object) -> None:
        """Write the manifest."""
        (self.out / "archive.json").write_text(json.dumps(asdict(manifest) | other))

    def refusal(self, root: Path | None = None, source: str | None = None) -> str:
        """Why the archive is refused, before a worker starts."""
        request = ApplyRequest(self.out, root or self.inbox, source)
        with pytest.raises((ConfigError, SystemFaultError)) as refused:
            apply_archive(self.config, request, _Nothing(), lambda _: None)
        return str(refused.value)


class _Nothing:
    """Must not be asked: nothing is judged."""

    def found(self, found: object) -> None:
        """Fail."""
        raise AssertionError(found)

    def progress(self, total: int, doing: str) -> AbstractContextManager[object]:
        """Fail."""
        raise AssertionError(doing, total)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """One photo."""
    return Archive(tmp_path)


def test_a_folder_that_is_no_archive_is_refused(archive: Archive) -> None:
    """It has no manifest, or a damaged one, or that of another schema."""
    manifest = archive.out / "archive.json"
    archive.write(Manifest((str(archive.inbox),), archive.model), schema=1)
    wanted = f"has schema 1, and this culld writes {SCHEMA_VERSION}; score the photos again into a new folder"
    assert archive.refusal() == f"{archive.out} {wanted}"
    archive.write(Manifest((), archive.model), uris=[1])
    assert archive.refusal() == f"{manifest} is damaged; score the photos again into a new folder"
    manifest.write_text("[]")
    assert archive.refusal() == f"{manifest} is damaged; name a new folder for the archive"
    manifest.unlink()
    assert archive.refusal() == f"{archive.out} is no archive: it has no archive.json; `culld archive score` makes one"


def test_scores_of_another_model_are_refused(archive: Archive) -> None:
    """Both are named."""
    archive.write(Manifest((str(archive.inbox),), "model@1"))

    told = archive.refusal()

    assert told.startswith(f"{archive.out} was scored by the model model@1, and the policy is for {archive.model}: ")
    assert ArchiveFolder(archive.out).manifest().model == "model@1"


def test_a_folder_that_does_not_fit_is_refused(archive: Archive) -> None:
    """It is not watched; it has no row, and the URIs of the archive are named; `--from` names another one."""
    assert "lies in no folder that the policy watches" in archive.refusal(archive.folder)
    (archive.inbox / "empty").mkdir()
    told = archive.refusal(archive.inbox / "empty")
    assert told.startswith(f"{archive.out} has no photo below {archive.inbox}/empty; if this folder holds")
    archive.write(Manifest(("/mnt/nas", "s3://bucket/a"), archive.model))
    rows_in(archive.out, 1, [{**row("a.jpg"), "model": archive.model}])
    assert archive.refusal() == (
        f"{archive.out} has no photo below {archive.inbox}; if this folder holds photos that were scored elsewhere,"
        " name which of these it stands for, such as --from /mnt/nas (/mnt/nas s3://bucket/a)"
    )
    assert archive.refusal(source="s3://bucket") == (
        "--from s3://bucket: the archive holds no such URI; it has /mnt/nas s3://bucket/a"
    )
    assert archive.refusal(source="s3://bucket/a/") == f"{archive.out} has no photo below s3://bucket/a/"


@pytest.mark.parametrize("data", [b"PAR1 is how it begins", b""])
def test_a_damaged_file_of_rows_is_named(archive: Archive, data: bytes) -> None:
    """So is one with other columns."""
    (one,) = ArchiveFolder(archive.out).rows()
    one.write_bytes(data)

    assert archive.refusal().startswith(f"{archive.out} cannot be read: ")


def test_a_file_with_other_columns_is_named(archive: Archive) -> None:
    """As of a newer culld, or of another program."""
    import pyarrow.parquet as pq

    (one,) = ArchiveFolder(archive.out).rows()
    pq.write_table(pq.read_table(one).drop_columns(["facts"]), one)

    assert archive.refusal() == f"{one}: its columns are not those of schema {SCHEMA_VERSION}; score the photos again"
