"""A worker finds the regions of a photo where a rule needs them, and only there."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from culld.app.segment_messages import SegmentSettings
from culld.app.segment_worker import SegmentWorker
from culld.records import Assessment, FileSnapshot, FileStat, RootedPath, Unreadable
from culld.records.regions import RegionClass
from culld.stages.read import ReadRequest, WorkerSettings
from culld.stages.read.worker import PhotoWorker
from harness import factories, raw_files

MODELS = Path(__file__).parents[2] / "models"


def worker(segment: Path | None = MODELS / "segment") -> PhotoWorker:
    """A worker with the networks that ship."""
    return PhotoWorker(WorkerSettings(MODELS / "defects/model.tflite", "model@1", 10**8, 10**8, segment=segment))


def saved(folder: Path, data: bytes, name: str = "a.jpg") -> FileSnapshot:
    """A photo in a folder."""
    (folder / name).write_bytes(data)
    return FileSnapshot(RootedPath(folder, Path(name)), FileStat.of((folder / name).lstat()))


def clipped(size: tuple[int, int] = (1200, 800)) -> Image.Image:
    """A picture whose left quarter is white."""
    pixels = np.asarray(factories.picture(1, size).convert("RGB")).clip(20, 220).copy()
    pixels[:, : size[0] // 4] = 255
    return Image.fromarray(pixels)


@pytest.mark.parametrize("name", ["a.jpg", "a.dng"])
def test_regions_are_those_of_culld_segment_and_come_only_when_asked_for(tmp_path: Path, name: str) -> None:
    """Of a RAW they are those of its preview."""
    picture = clipped()
    data = raw_files.dng(picture, preview=picture) if name == "a.dng" else factories.encoded(picture, quality=92)
    seen, at_work = saved(tmp_path, data, name), worker()

    plain = at_work.read(ReadRequest(seen))
    found = at_work.read(ReadRequest(seen, segment=True))

    assert isinstance(plain, Assessment)
    assert isinstance(found, Assessment)
    assert plain.regions is None
    assert found.regions is not None
    segmented = SegmentWorker(SegmentSettings(MODELS / "segment", 10**8, 10**8)).regions(seen.place)
    assert found.regions.shares == segmented.shares
    assert 0.2 < found.regions.shares[RegionClass.HIGHLIGHT] < 0.3
    assert found.result == plain.result


def test_a_photo_that_cannot_be_decoded_has_no_regions(tmp_path: Path) -> None:
    """Its assessment has the reason, as without them."""
    found = worker().read(ReadRequest(saved(tmp_path, b"no photo"), segment=True))

    assert isinstance(found, Assessment)
    assert isinstance(found.result, Unreadable)
    assert found.regions is None


@pytest.mark.parametrize("folder", [None, MODELS / "faces"])
def test_without_a_network_that_fits_photos_are_judged_all_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, folder: Path | None
) -> None:
    """The rule variables are not known; the log says so once."""
    seen, at_work = saved(tmp_path, factories.encoded(clipped())), worker(folder)
    with caplog.at_level(logging.WARNING):
        found = [at_work.read(ReadRequest(seen, segment=True)) for _ in range(2)]

    assert [isinstance(each, Assessment) and each.regions is None for each in found] == [True, True]
    assert len(caplog.records) == (folder is not None)
