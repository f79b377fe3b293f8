"""The stage `group`, with what the journal knows of earlier photos."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from culld.imaging.decode import to_network_frame
from culld.records import Assessment, Camera, RootedPath, SeriesKind
from culld.stages.group.grouping import Grouper
from culld.stages.read.assess import dhash_of
from harness import factories

LIKENESS = dhash_of(to_network_frame(factories.picture(1)))
ROOT = Path("/photos")


def shot(folder: Path, name: str, second: float, model: str = "X", content: bytes = b"") -> Assessment:
    """A judged photo in a folder, taken some seconds after noon."""
    photo = replace(
        factories.photo(name, content or name.encode()),
        place=RootedPath(folder, Path(name)),
        camera=Camera(model, factories.NOON + timedelta(seconds=second)),
    )
    return replace(factories.assessment(name), photo=photo, dhash=LIKENESS)


def test_a_burst_goes_on_over_batches_but_not_over_cameras_folders_and_copies(tmp_path: Path) -> None:
    """The journal is asked for a minute around each shot only, and around the burst that it then knows."""
    (tmp_path / "x").mkdir()
    asked: list[tuple[datetime, datetime]] = []

    def around(root: Path, first: datetime, last: datetime, but: Collection[str]) -> list[Assessment]:
        asked.append((first, last))
        known = [
            shot(tmp_path, "before.jpg", -1),
            shot(tmp_path, "other-camera.jpg", 0, "Y"),
            shot(tmp_path, "x/other-folder.jpg", 0),
            shot(tmp_path, "copy.jpg", 0, content=b"a.jpg"),
        ]
        near = [each for each in known if first <= (each.photo.camera.taken_at or last) <= last]
        return [each for each in near if each.photo.digest not in but]

    batch = [shot(tmp_path, "a.jpg", 0), shot(tmp_path, "b.jpg", 1), shot(tmp_path, "far.jpg", 10_000_000)]
    a, b, far = Grouper(shots_around=around).group(batch)

    assert a.series is not None
    assert a.series.kind is SeriesKind.BURST
    assert [each.photo.place.relative.name for each in a.series.members] == ["before.jpg", "a.jpg", "b.jpg"]
    assert b.series == a.series
    assert far.series is None
    assert [last - first for first, last in asked] == [timedelta(seconds=each) for each in (121, 120, 122, 120)]


@pytest.mark.parametrize(("content", "expected"), [(b"", True), (b"same", False)])
def test_copies_in_one_batch_are_one_shot(tmp_path: Path, content: bytes, expected: bool) -> None:  # noqa: FBT001
    """Equal bytes are copies of one shot."""
    batch = [shot(tmp_path, name, 0, content=content) for name in ("a.jpg", "b.jpg")]

    assert [stack.series is not None for stack in Grouper().group(batch)] == [expected] * 2
