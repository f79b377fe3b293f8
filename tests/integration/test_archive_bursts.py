"""The frames of bursts in an archive: compared in full resolution as the daemon compares them; other photos are not."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from PIL import Image, ImageFilter

from culld.app.model_files import locate_face_networks
from culld.archive.parquet.folder import ArchiveFolder
from culld.archive.records import MAX_TRIES, Shard, SharpnessChoice, Tally
from culld.archive.scoring.burst_sharpness import bursts_in
from culld.archive.scoring.shards import ShardScorer
from culld.errors import WorkerLostError
from culld.imaging.image_file import DecodeLimits
from culld.inference.pending import PendingResults
from culld.records import Assessment, Camera, DHash, Exposure, RootedPath
from culld.stages.decide.bursts import MOST_COMPARED
from culld.stages.group.grouping import Grouper
from culld.stages.read import ReadRequest, WorkerSettings
from culld.stages.read.full_resolution import compare_frames
from culld.stages.read.messages import SharpnessRequest
from culld.stages.read.worker import PhotoWorker
from harness import factories
from harness.archives import rows_of

pytest.importorskip("pyarrow")

MODEL = Path(__file__).resolve().parents[2] / "models" / "defects" / "model.tflite"
SETTINGS = WorkerSettings(MODEL, "model@1", 10**8, 10**8, faces=locate_face_networks())
NAMES = ("a.jpg", "b.jpg", "c.jpg", "far.jpg", "other.jpg")
Request = ReadRequest | SharpnessRequest


@dataclass
class HereWorkers:
    """Workers in this process; the first `losses` comparisons lose theirs."""

    losses: int = 0
    asked: Counter[str] = field(default_factory=Counter)
    read: list[Assessment] = field(default_factory=list)
    _worker: PhotoWorker = field(default_factory=lambda: PhotoWorker(SETTINGS))

    def submit(self, requests: list[Request], *, urgent: bool = False) -> PendingResults[object]:
        """Answer at once."""
        pending = PendingResults(requests)
        for number, request in enumerate(requests):
            self.asked[type(request).__name__] += 1
            pending.put(number, self._answer(request))
        return pending

    def _answer(self, request: Request) -> object:
        if isinstance(request, SharpnessRequest) and self.losses:
            self.losses -= 1
            return WorkerLostError("the worker process ended with code -9")
        answer = request.handle(self._worker)
        if isinstance(answer, Assessment):
            self.read.append(answer)
        return answer


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Three frames of one scene in a second, of which the second is sharp; the scene an hour later; another scene."""
    scene, root = factories.picture(1, (640, 480)), tmp_path / "photos"
    root.mkdir()
    frames = (
        (factories.blurred(scene, 1), 0), (scene, 0), (factories.blurred(scene, 0.7), 1),
        (scene.filter(ImageFilter.SHARPEN), 3600), (factories.picture(2, (640, 480)), 1),
    )  # fmt: skip
    for name, (picture, after_s) in zip(NAMES, frames, strict=True):
        (root / name).write_bytes(_encoded(picture, after_s))
    return root


def _encoded(picture: Image.Image, after_s: int) -> bytes:
    exif = Image.Exif()
    exif[0x0110] = "X100"
    exif.get_ifd(0x8769)[0x9003] = (factories.NOON + timedelta(seconds=after_s)).strftime("%Y:%m:%d %H:%M:%S")
    return factories.encoded(picture, quality=92, exif=exif)


def scored(root: Path, out: Path, workers: HereWorkers, choice: SharpnessChoice) -> Tally:
    """Score all photos of a folder as one shard."""
    places = tuple(RootedPath(root, Path(path.name)) for path in sorted(root.iterdir()))
    return ShardScorer(workers, ArchiveFolder(out), choice).score(Shard(1, 0, places))


def columns(out: Path, *names: str) -> dict[str, tuple[object, ...]]:
    """Some columns of each row by the name of its photo."""
    return {Path(str(row["path"])).name: tuple(row[name] for name in names) for row in rows_of(out)}


def test_frames_of_a_burst_have_the_sharpness_by_which_the_daemon_chooses_the_best(
    photos: Path, tmp_path: Path
) -> None:
    """The photo of a later hour and the other scene have none; all other columns are those of the first reading."""
    workers = HereWorkers()
    scored(photos, tmp_path / "bursts", workers, SharpnessChoice.BURSTS)
    scored(photos, tmp_path / "none", HereWorkers(), SharpnessChoice.NONE)

    stack = next(each for each in Grouper().group(workers.read) if each.primary.photo.place.relative.name == "b.jpg")
    assert stack.series is not None
    expected = compare_frames(stack.series.members, DecodeLimits(10**8))
    rows = columns(tmp_path / "bursts", "sharpness", "sharp_share")
    assert [rows[name] for name in NAMES] == [
        *((each.sharpness, each.sharp_share) for each in expected), (None, None), (None, None)
    ]  # fmt: skip
    assert max(NAMES[:3], key=lambda name: rows[name]) == "b.jpg"
    kept = ("blur", "faces", "brightness", "dhash", "digest", "taken_at", "status")
    assert columns(tmp_path / "bursts", *kept) == columns(tmp_path / "none", *kept)
    assert workers.asked == {"ReadRequest": len(NAMES), "SharpnessRequest": 1}


def test_all_and_none_measure_no_burst(photos: Path, tmp_path: Path) -> None:
    """`all` measures each photo by itself while it is read."""
    for choice, measured in ((SharpnessChoice.ALL, len(NAMES)), (SharpnessChoice.NONE, 0)):
        workers = HereWorkers()
        scored(photos, tmp_path / choice, workers, choice)
        found = columns(tmp_path / choice, "sharpness")
        assert sum(value is not None for (value,) in found.values()) == measured
        assert workers.asked == {"ReadRequest": len(NAMES)}


@pytest.mark.parametrize(("losses", "measured"), [(MAX_TRIES - 1, 3), (MAX_TRIES, 0)])
def test_a_worker_that_is_lost_over_a_burst_costs_it_a_retry(
    losses: int, measured: int, photos: Path, tmp_path: Path
) -> None:
    """After three the frames have a row without sharpness."""
    tally = scored(photos, tmp_path / "out", HereWorkers(losses), SharpnessChoice.BURSTS)

    assert tally.losses == losses
    assert sum(value is not None for (value,) in columns(tmp_path / "out", "sharpness").values()) == measured
    assert tally.photos == len(NAMES)


def test_a_burst_with_a_frame_of_another_size_has_no_sharpness(photos: Path, tmp_path: Path) -> None:
    """The rows are there, as in the daemon the burst is judged without it."""
    small = factories.blurred(factories.picture(1, (640, 480)), 0.7).resize((480, 360))
    (photos / "c.jpg").write_bytes(_encoded(small, 1))
    workers = HereWorkers()

    scored(photos, tmp_path / "out", workers, SharpnessChoice.BURSTS)

    assert workers.asked["SharpnessRequest"] == 1
    assert set(columns(tmp_path / "out", "sharpness").values()) == {(None,)}


@pytest.mark.parametrize(("frames", "bursts"), [(MOST_COMPARED, 1), (MOST_COMPARED + 1, 0)])
def test_a_burst_of_too_many_frames_for_one_request_is_left_out(frames: int, bursts: int, tmp_path: Path) -> None:
    """As in the daemon."""
    shots = [_shot(tmp_path, number) for number in range(frames)]

    assert [len(each.members) for each in bursts_in(shots)] == [frames] * bursts


def test_photos_of_a_folder_that_is_gone_are_in_no_burst(tmp_path: Path) -> None:
    """The files of their shots cannot be told; those of another folder are compared."""
    (tmp_path / "here").mkdir()
    shots = [_shot(tmp_path / folder, number) for folder in ("here", "gone") for number in range(3)]

    assert [each.members[0].photo.place.root.name for each in bursts_in(shots)] == ["here"]


def _shot(root: Path, number: int) -> Assessment:
    """One of several shots a second, of one scene, with an aperture that changes as that of no focus stack does."""
    name = f"{number:03}.jpg"
    taken = factories.NOON + timedelta(seconds=number // 4)
    camera = Camera("X100", taken, exposure=Exposure(aperture=2.8 + number % 2))
    found = factories.assessment(name)
    photo = replace(factories.photo(name, name.encode()), place=RootedPath(root, Path(name)), camera=camera)
    return replace(found, photo=photo, dhash=DHash(1 << 9, 1 << 7))
