"""Assessing bytes that lie in no file: the same result as that of a worker that reads them from a disk."""

from __future__ import annotations

import hashlib
from pathlib import Path

import piexif
import pytest

from culld.imaging.image_file import DecodeLimits
from culld.inference.litert import LiteRtNetwork
from culld.records import Assessment, Camera, FileSnapshot, FileStat, Format, RootedPath, Scores, Unreadable
from culld.stages.read import ReadRequest, WorkerSettings
from culld.stages.read.assess import Scorer, assess
from culld.stages.read.scoring import open_litert
from culld.stages.read.worker import PhotoWorker
from harness import containers, factories, fakes, raw_files

MODEL = Path(__file__).parents[2] / "models" / "defects" / "model.tflite"
EXIF = piexif.dump({"0th": {piexif.ImageIFD.Model: b"Camera"}})
FILES = {
    "a.jpg": factories.encoded(factories.picture(1), exif=EXIF),
    "a.png": factories.encoded(factories.blurred(factories.picture(1)), "PNG"),
    "a.dng": raw_files.dng(factories.picture(2), preview=factories.picture(2)),
    "a.tif": factories.encoded(factories.picture(3), "TIFF"),
}


@pytest.fixture(scope="module")
def network() -> LiteRtNetwork:
    """The shipped model, loaded once."""
    return open_litert(MODEL)


@pytest.mark.parametrize("name", FILES)
def test_bytes_are_assessed_as_a_worker_assesses_their_file(tmp_path: Path, network: LiteRtNetwork, name: str) -> None:
    """Digest, format, camera facts, scores and hash; for an archive that lies in no folder."""
    place = RootedPath(tmp_path, Path(name))
    place.path.write_bytes(FILES[name])
    worker = PhotoWorker(WorkerSettings(MODEL, "model@1", 10**8, 10**8))
    read = worker.read(ReadRequest(FileSnapshot(place, FileStat.of(place.path.lstat()))))
    assert isinstance(read, Assessment)

    found = assess(FILES[name], name, Scorer(network))

    assert found.digest == read.photo.digest == hashlib.sha256(FILES[name]).hexdigest()
    assert (found.format, found.camera) == (read.photo.format, read.photo.camera)
    assert (found.score.result, found.score.dhash) == (read.result, read.dhash)
    assert isinstance(found.score.result, Scores)


@pytest.mark.parametrize(
    "data", [b"", b"no photo", FILES["a.jpg"][:3000], FILES["a.png"][:3000], FILES["a.dng"][:3000]]
)
def test_bytes_that_are_no_whole_photo_are_unreadable(data: bytes) -> None:
    """With the reason; nothing is raised."""
    found = assess(data, "a.dng", Scorer(fakes.ConstantNetwork()))

    assert isinstance(found.score.result, Unreadable)
    assert found.score.result.reason
    assert found.score.dhash is None


def test_limits_and_missing_parts_are_those_of_a_file() -> None:
    """A photo beyond the limit is unreadable; one whose movie is cut off is scored, and the missing part is named."""
    large = assess(FILES["a.jpg"], "a.jpg", Scorer(fakes.ConstantNetwork()), DecodeLimits(pixels=1000))
    cut = assess(containers.micro_video()[:-1], "a.jpg", Scorer(fakes.ConstantNetwork(blur=0.5)))

    assert "limits.pixels" in str(large.score.result)
    assert (cut.format, cut.camera, cut.score.result) == (Format.JPEG, Camera(), Scores(0.5, 0.0, 0.0))
    assert "its structure needs" in cut.score.missing_part
