"""What a scan has to do, found by digests of paths on disk: the same as a plain comparison of all photos and rows."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from culld.archive.parquet.folder import ArchiveFolder
from culld.archive.parquet.row import place_columns
from culld.archive.records import Status
from culld.archive.scoring.plan import deleted_in, make_plan, shards_of
from culld.archive.scoring.shards import write_rows
from culld.records import FileSnapshot, RootedPath
from harness import factories
from harness.archives import Listed

pytest.importorskip("pyarrow")

ROOT = Path("/photos")
LATER = {Status.DELETED, Status.FAILED}


def snapshot(name: str, size: int, root: Path = ROOT) -> FileSnapshot:
    """A listed photo."""
    return FileSnapshot(RootedPath(root, (ROOT / name).relative_to(root)), factories.stamp(size, size))


def planned(folder: ArchiveFolder, scan: int) -> tuple[list[str], set[str]]:
    """The names that a plan reads, in order, and those that it found to be gone."""
    read = [str(place.path) for shard in shards_of(folder, scan) for place in shard.places] if scan else []
    return read, {str(place.path) for place in deleted_in(folder, scan)} if scan else set()


@pytest.mark.parametrize("seed", range(5))
def test_a_plan_is_that_of_a_plain_comparison(seed: int, tmp_path: Path) -> None:
    """Over rows of three scans with all statuses, and a listing of new, changed and missing photos, some twice.

    The folder `2` cannot be listed.
    """
    draw, folder = random.Random(seed), ArchiveFolder(tmp_path)  # noqa: S311 (a test)
    names = [f"{number % 5}/{number:03}.jpg" for number in range(300)]
    last: dict[str, tuple[str, int | None]] = {}
    for scan in (1, 2, 3):
        rows: list[dict[str, Any]] = []
        for name in draw.sample(names, 150):
            status, size = draw.choice(list(Status)), draw.choice((1, 2, None))
            last[name] = (status, size)
            rows.append({**place_columns(ROOT / name), "status": str(status), "size": size, "mtime_ns": size})
        write_rows(folder.shard(scan, 0), rows, scan)
    listed = {name: draw.choice((1, 2)) for name in draw.sample(names, 200)}
    files = [snapshot(name, size) for name, size in listed.items()]
    files += [snapshot(name, 2, ROOT / name.partition("/")[0]) for name in draw.sample(list(listed), 50)]

    found = planned(folder, make_plan(folder, Listed(tuple(files), {ROOT / "2": "denied"}), 16))

    assert found[0] == [
        str(ROOT / name) for name, size in listed.items()
        if last.get(name, (Status.FAILED, 0))[0] in LATER or last[name][1] != size
    ]  # fmt: skip
    assert found[1] == {
        str(ROOT / name) for name, (status, _) in last.items()
        if status != Status.DELETED and name not in listed and not name.startswith("2/")
    }  # fmt: skip


def test_a_plan_leaves_no_temporary_file(tmp_path: Path) -> None:
    """Those of a plan have no name, also while it is made: a killed run leaves none."""
    folder, seen = ArchiveFolder(tmp_path), list[Path]()

    class Watched(Listed):
        """Notes what is in the folder while it is listed."""

        def photos(self) -> tuple[FileSnapshot, ...]:
            seen.extend(tmp_path.rglob("*"))
            return super().photos()

    assert make_plan(folder, Watched((snapshot("a.jpg", 1),), {}), 9) == 1
    assert seen == []
    assert [each.name for each in tmp_path.rglob("*")] == ["plans", "0001.parquet"]
