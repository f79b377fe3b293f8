"""Joined files of rows: each row is found once at each moment, also after a kill and beside a reader."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from culld.archive.parquet.folder import ArchiveFolder
from culld.archive.parquet.join import GROUP_ROWS, ParquetDisk, join_shards, separate_shards
from culld.archive.parquet.row_files import RowFile, RowFiles, read_rows
from culld.archive.parquet.row_index import index_below
from culld.archive.scoring.plan import missing_shards
from culld.archive.scoring.shards import deleted_row, write_rows
from culld.archive.simulation.layout import layout_of
from culld.errors import ConfigError
from culld.files.temp_names import temp_name
from culld.records import RootedPath
from harness.archive_rows import ROOT, archive, draw, plan

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

pytest.importorskip("pyarrow")

SHARD = 3
MOST = 12


class KilledError(Exception):
    """The process is killed here."""


@dataclass
class Stopping:
    """A disk whose process is killed before a step; a join has two: an unfinished hidden file, and the named one."""

    steps: int
    done: list[str] = field(default_factory=list)
    disk: ParquetDisk = field(default_factory=ParquetDisk)

    def count(self, file: Path) -> int:
        """Return the number of rows of a file."""
        return self.disk.count(file)

    def _step(self, name: str) -> None:
        if len(self.done) == self.steps:
            raise KilledError
        self.done.append(name)

    def join(self, parts: Sequence[Path], file: Path) -> None:
        """Leave a hidden file if the kill is the second step."""
        self._step("write")
        hidden = file.with_name(temp_name())
        hidden.write_bytes(b"PAR1")
        self._step("rename")
        hidden.unlink()
        self.disk.join(parts, file)

    def remove(self, file: Path) -> None:
        """Remove a file."""
        self._step("remove")
        self.disk.remove(file)


@pytest.fixture
def folder(tmp_path: Path) -> ArchiveFolder:
    """An archive of two scans; the second one read two photos again, and found one gone."""
    rows = draw(7, folders=2, shots=12).rows()
    found = archive(tmp_path / "out", rows, SHARD)
    again, gone = rows[:4], rows[4]["path"]
    plan(found, 2, [[row["path"].encode() for row in some] for some in (again[:2], again[2:])], (gone.encode(),))
    place = RootedPath(ROOT, (ROOT / gone).relative_to(ROOT))
    write_rows(found.deleted(2), [deleted_row(place)], 2)
    write_rows(found.shard(2, 0), again[:2], 2)
    write_rows(found.shard(2, 1), again[2:], 2)
    return found


def content(folder: ArchiveFolder) -> list[str]:
    """All rows with all columns, in the order of the files."""
    return [repr(row) for file in folder.rows() for row in read_rows(file).to_pylist()]


def names(folder: ArchiveFolder, scan: int = 1) -> list[str]:
    """The names of all files of a scan, also hidden ones."""
    return sorted(each.name for each in (folder.path / "rows" / f"{scan:04}").iterdir())


def test_joined_files_hold_the_same_rows_in_the_same_order(folder: ArchiveFolder) -> None:
    """Of each scan; deleted photos stay in their own file, and no shard counts as missing."""
    before, shards = content(folder), folder.committed(1)
    scans = [each.scan for each in layout_of(folder).files]
    separate = separate_shards(folder)

    join_shards(folder, most_rows=MOST)

    assert content(folder) == before
    assert separate == len(scans) > separate_shards(folder)
    assert names(folder)[:2] == ["shard-000000-000003.parquet", "shard-000004-000007.parquet"]
    assert names(folder, 2) == ["deleted.parquet", "shard-000000-000001.parquet"]
    assert (folder.committed(1), missing_shards(folder)) == (shards, 0)
    layout = layout_of(folder)
    assert (layout.missing.photos, {each.scan for each in layout.files}) == (0, set(scans))
    for each in layout.files:
        assert each.rows == read_rows(each.path).num_rows


def test_the_row_of_each_photo_is_found_in_joined_files(folder: ArchiveFolder) -> None:
    """With the values that it had before."""

    def found() -> dict[bytes, Any]:
        index = index_below(folder.rows(), str(ROOT))
        keys = [row["path"].encode() for file in folder.rows() for row in read_rows(file, ["path"]).to_pylist()]
        places = {key: index.find(key) for key in keys}
        return {key: at and repr(read_rows(at[0], rows=[at[1]]).to_pylist()) for key, at in places.items()}

    before = found()
    join_shards(folder, most_rows=MOST)

    assert found() == before
    assert sum(row is None for row in before.values()) == 1


def steps_of(folder: ArchiveFolder) -> list[str]:
    """The steps of a whole join."""
    disk = Stopping(10_000)
    join_shards(folder, disk, MOST)
    return disk.done


def test_killed_before_any_step_no_row_is_lost_or_doubled_and_the_next_run_ends_the_join(
    folder: ArchiveFolder, tmp_path: Path
) -> None:
    """The kill is before each step in turn, so also between the name of a joined file and the removal of its shards."""
    before = content(folder)
    whole = archive_copy(folder, tmp_path / "whole")
    steps = steps_of(whole)
    assert set(steps) == {"write", "rename", "remove"}
    for stop in range(len(steps)):
        killed = archive_copy(folder, tmp_path / str(stop))
        with pytest.raises(KilledError):
            join_shards(killed, Stopping(stop), MOST)
        assert content(killed) == before, steps[:stop]

        with killed.locked():
            join_shards(killed, most_rows=MOST)

        assert content(killed) == before
        assert [names(killed, scan) for scan in (1, 2)] == [names(whole, scan) for scan in (1, 2)]


def archive_copy(folder: ArchiveFolder, to: Path) -> ArchiveFolder:
    """The same archive in another folder; a file is replaced and removed, and never written again."""
    for each in folder.path.rglob("*"):
        if each.is_file():
            copy = to / each.relative_to(folder.path)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.hardlink_to(each)
    return ArchiveFolder(to)


def test_while_the_archive_is_read_no_file_is_removed(folder: ArchiveFolder) -> None:
    """The rows are found once all the same; the next run removes the replaced shards."""
    before = content(folder)
    with folder.read():
        files = folder.rows()
        join_shards(folder, most_rows=MOST)
        assert all(each.exists() for each in files)
        assert content(folder) == before
        assert len(folder.rows()) < len(files)

    join_shards(folder, most_rows=MOST)

    assert [each.name for each in folder.row_files(1).replaced] == []
    assert names(folder)[0] == "shard-000000-000003.parquet"
    assert "shard-000000.parquet" not in names(folder)


def test_a_shard_that_a_lost_actor_commits_late_does_not_count(folder: ArchiveFolder) -> None:
    """It holds rows that the joined file has; the next run removes it."""
    join_shards(folder, most_rows=MOST)
    before = content(folder)
    write_rows(folder.shard(1, 1), draw(8).rows()[:SHARD], 1)

    assert content(folder) == before
    join_shards(folder, most_rows=MOST)
    assert not folder.shard(1, 1).exists()


def test_shards_are_joined_with_their_neighbours_only(folder: ArchiveFolder) -> None:
    """Between two of them one was removed, which is not made again in an old scan."""
    folder.shard(1, 1).unlink()
    before = content(folder)

    join_shards(folder, most_rows=MOST)

    assert content(folder) == before
    assert names(folder)[:2] == ["shard-000000.parquet", "shard-000002-000005.parquet"]
    assert 1 not in folder.committed(1)


def test_a_file_that_is_damaged_ends_the_join_and_nothing_is_removed(folder: ArchiveFolder) -> None:
    """The sentence names it."""
    folder.shard(1, 1).write_bytes(b"PAR1")
    before = names(folder)

    with pytest.raises(ConfigError, match=r"shard-000001\.parquet cannot be read \(.*\); remove it and score again"):
        join_shards(folder, most_rows=MOST)

    assert names(folder) == before


def test_names_that_culld_does_not_give_are_no_rows_and_two_files_with_one_shard_are_refused(tmp_path: Path) -> None:
    """A joined file replaces what lies in it only."""
    for name in ("shard-1.parquet", "shard-000003-000002.parquet", "shard-x.parquet", "shard-000000-000004.parquet",
                 "shard-000004.parquet"):  # fmt: skip
        (tmp_path / name).touch()
    joined, one = tmp_path / "shard-000000-000004.parquet", tmp_path / "shard-000004.parquet"
    assert RowFiles.of(tmp_path) == RowFiles([RowFile(joined, 0, 4)], [RowFile(one, 4, 4)])

    (tmp_path / "shard-000004-000005.parquet").touch()
    with pytest.raises(ConfigError, match="hold rows of the same shards; remove one of them"):
        RowFiles.of(tmp_path)


def test_some_rows_are_read_from_their_groups_in_the_order_asked_for(tmp_path: Path) -> None:
    """Also when one is asked for twice; a joined file has groups of one size."""
    import pyarrow as pa

    rows = [{"path": f"/library/{number}", "scan": 1} for number in range(GROUP_ROWS + 1000)]
    folder = archive(tmp_path, rows, 1500)
    join_shards(folder)
    (file,) = folder.rows()
    assert isinstance(read_rows(file), pa.Table)

    wanted = [GROUP_ROWS + 7, 5, GROUP_ROWS, 5, GROUP_ROWS - 1, len(rows) - 1]

    assert read_rows(file, ["path"], wanted)["path"].to_pylist() == [f"/library/{number}" for number in wanted]
