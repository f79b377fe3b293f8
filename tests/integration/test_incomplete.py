"""The worker's results for photos whose last part is missing, such as the movie behind a still image."""

from __future__ import annotations

from pathlib import Path

import pytest

from culld.imaging.image_file import DecodeLimits
from culld.records import Assessment, FileSnapshot, FileStat, Format, Photo, RootedPath, Scores, UserMetadata, Verdict
from culld.stages.read import DraftRequest, ReadRequest, UserMetadataRequest, WorkerSettings
from culld.stages.read.assess import Scorer
from culld.stages.read.worker import PhotoWorker
from culld.tags.draft import TagDraft, TagRequest
from culld.tags.own_properties import DecisionProperties
from harness import containers, factories, fakes

WHOLE = containers.micro_video()


class FakeWorker(PhotoWorker):
    """A worker whose network calls everything blurred."""

    def __init__(self) -> None:
        """Nothing to load."""
        self._settings = WorkerSettings(Path(), "blurry@1", 10**8, 10**8)
        self._limits = DecodeLimits()
        self._scorer = Scorer(fakes.ConstantNetwork(blur=0.99))


def put(folder: Path, data: bytes) -> Photo:
    """Write a photo with these bytes and return it as the worker reads it."""
    place = RootedPath(folder, Path("a.jpg"))
    place.path.write_bytes(data)
    found = read(place)
    return found.photo


def read(place: RootedPath) -> Assessment:
    """Return the worker's assessment of a file."""
    found = FakeWorker().read(ReadRequest(FileSnapshot(place, FileStat.of(place.path.lstat()))))
    assert isinstance(found, Assessment)
    return found


@pytest.mark.parametrize(("missing", "expected"), [(0, ""), (1, f"{len(WHOLE):,} bytes"), (4000, "bytes or more")])
def test_a_photo_without_its_movie_is_scored_by_its_still_image(tmp_path: Path, missing: int, expected: str) -> None:
    """With a text for the missing part; the daemon decides whether to wait for it."""
    found = read(put(tmp_path, WHOLE[: len(WHOLE) - missing]).place)

    assert found.result == Scores(0.99, 0.0, 0.0)
    assert (expected in found.missing_part, bool(found.missing_part)) == (True, missing > 0)


def test_what_a_shot_lacks_is_known_before_it_is_moved(tmp_path: Path) -> None:
    """The files are read again, even if their contents are known."""
    photo = put(tmp_path, WHOLE[:-1])
    metadata = FakeWorker().user_metadata(UserMetadataRequest((photo,), ()))

    assert isinstance(metadata, UserMetadata)
    assert f"{len(WHOLE):,} bytes" in metadata.incomplete


def test_a_photo_that_lacks_a_part_is_tagged_beside_only(tmp_path: Path) -> None:
    """Its own bytes stay: the rest may still come, at its old offset."""
    stripped = put(tmp_path, WHOLE[:-4000])
    record = DecisionProperties(Scores(0.99, 0, 0), factories.rules(), Verdict.TAG, "blurry@1", factories.NOON, "1")
    sidecar = stripped.place.beside("a.jpg.xmp")
    request = TagRequest(stripped.place, Format.JPEG, stripped.digest, ("defect:blur",), record, sidecar, embed=True)
    drafted = FakeWorker().draft(DraftRequest(request))

    assert isinstance(drafted, TagDraft)
    assert [rewrite.place for rewrite in drafted.rewrites] == [sidecar]
    assert "a part of it is missing" in drafted.notes[0]
