"""RAW files: recognised before Pillow sees them, judged by their preview, and never written to."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from culld.errors import TagRefusedError
from culld.imaging.decode import Region
from culld.imaging.formats import HEAD_BYTES, recognise, supported_extensions
from culld.imaging.image_file import DecodeLimits, UnreadableError
from culld.imaging.raw import Raw, open_raw
from culld.records import Assessment, Camera, FileSnapshot, FileStat, Format, Photo, RootedPath, Scores
from culld.records.frame import HEIGHT, WIDTH
from culld.stages.read import ReadRequest, WorkerSettings
from culld.stages.read.assess import Scorer
from culld.stages.read.worker import PhotoWorker
from culld.tags.containers.registry import read_container
from harness import factories, fakes, raw_files

SHARP = factories.picture(3, (1024, 768))
BURNT = SHARP.point(lambda value: min(255, value * 3))
LIMITS = DecodeLimits()


def light(pixels: NDArray[np.uint8]) -> tuple[float, float, float]:
    """In place of the network: over-exposed is what is bright."""
    return 0.0, 0.0, float(pixels.mean()) / 255


class FakeWorker(PhotoWorker):
    """A worker whose network is `light`."""

    def __init__(self) -> None:
        """Nothing to load."""
        self._settings = WorkerSettings(Path(), "light@1", 10**8, 10**8)
        self._limits = LIMITS
        self._scorer = Scorer(fakes.ConstantNetwork(scores_of=light))


def judged(folder: Path, data: bytes) -> Assessment:
    """Return the worker's assessment of a file."""
    place = RootedPath(folder, Path("a.dng"))
    place.path.write_bytes(data)
    found = FakeWorker().read(ReadRequest(FileSnapshot(place, FileStat.of(place.path.lstat()))))
    assert isinstance(found, Assessment)
    return found


@pytest.mark.parametrize(
    ("head", "name", "expected"),
    [
        (b"II*\0\x10\0\0\0CR\2\0", "a.cr2", Format.RAW),
        (b"II*\0\x10\0\0\0CR\2\0", "a.tif", Format.RAW),
        (b"\0\0\0\x18ftypcrx ", "a.cr3", Format.RAW),
        (b"FUJIFILMCCD-RAW 0201", "a.raf", Format.RAW),
        (b"IIRO\x08\0\0\0", "a.orf", Format.RAW),
        (b"IIU\0\x18\0\0\0", "a.rw2", Format.RAW),
        (b"II*\0\x08\0\0\0", "a.NEF", Format.RAW),
        (b"MM\0*\0\0\0\x08", "a.dng", Format.RAW),
        (b"II*\0\x08\0\0\0", "a.tif", Format.TIFF),
        (b"\xff\xd8\xff\xe0", "a.cr2", Format.JPEG),
    ],
)
def test_raw_files_are_distinguished_from_tiff(head: bytes, name: str, expected: Format) -> None:
    """Opened as TIFF, Pillow would give their thumbnail for the photo."""
    assert recognise(head.ljust(HEAD_BYTES, b"\0"), name) is expected


def preview_frame(raw: Raw) -> NDArray[np.uint8]:
    """The network frame of what is decoded of a RAW."""
    with raw.decode_once() as decoded:
        return decoded.frame()


def test_with_the_extras_raw_and_jpeg_xl_files_are_scanned_for() -> None:
    """They are installed with the tests."""
    assert {".nef", ".dng", ".jpg", ".jxl"} <= supported_extensions()


def test_a_preview_is_decoded_in_place_of_the_sensor() -> None:
    """That is ten times as fast."""
    data = raw_files.dng(factories.picture(4, (1024, 768)), preview=SHARP)
    with open_raw(io.BytesIO(data), LIMITS) as raw:
        picture, light = preview_frame(raw), raw.linear_rgb()

    seen = np.asarray(SHARP.resize((WIDTH, HEIGHT)), float)
    assert picture.shape == light.shape == (HEIGHT, WIDTH, 3)
    assert np.abs(picture - seen).mean() < 5 < np.abs(light - seen).mean()


@pytest.mark.parametrize("preview", [None, SHARP.resize((160, 120))])
def test_without_a_useful_preview_the_sensor_is_decoded(preview: Image.Image | None) -> None:
    """At half size; the picture is the one that the sensor saw."""
    with open_raw(io.BytesIO(raw_files.dng(SHARP, preview=preview)), LIMITS) as raw:
        picture = preview_frame(raw)

    assert np.abs(picture - np.asarray(SHARP.resize((WIDTH, HEIGHT)), float)).mean() < 12


@pytest.mark.parametrize("preview", [None, SHARP.resize((160, 120)), SHARP.resize((600, 450))])
def test_the_size_of_a_raw_is_that_of_the_photo_not_of_its_preview(tmp_path: Path, preview: Image.Image | None) -> None:
    """The preview is smaller, and so is the sensor at half size, which stands in for it."""
    assert judged(tmp_path, raw_files.dng(SHARP, preview=preview)).full_size == (1024, 768)


def test_a_preview_is_decoded_upright_at_any_size_and_by_region() -> None:
    """The preview in full resolution; the orientation is that of the RAW, not that of the preview."""
    data = raw_files.dng(factories.picture(4, (1024, 768)), preview=SHARP, orientation=6)
    upright = SHARP.transpose(Image.Transpose.ROTATE_270)
    with open_raw(io.BytesIO(data), LIMITS) as raw:
        whole, small, part = raw.upright(), raw.upright(256), raw.region(Region(0.5, 0.25, 0.25, 0.25))

    assert (whole.shape, small.shape, part.shape) == ((1024, 768, 3), (256, 192, 3), (256, 192, 3))
    assert np.abs(whole - np.asarray(upright, float)).mean() < 5
    assert np.abs(small - np.asarray(upright.resize((192, 256)), float)).mean() < 8
    assert np.abs(part - np.asarray(upright.crop((384, 256, 576, 512)), float)).mean() < 5


def test_without_a_preview_the_sensor_is_shown_upright() -> None:
    """At half its size."""
    with open_raw(io.BytesIO(raw_files.dng(SHARP, orientation=6)), LIMITS) as raw:
        whole, small = raw.upright(), raw.upright(256)

    assert (whole.shape, small.shape) == ((512, 384, 3), (256, 192, 3))
    upright = SHARP.transpose(Image.Transpose.ROTATE_270).resize((384, 512))
    assert np.abs(whole - np.asarray(upright, float)).mean() < 12


def test_a_burnt_preview_of_a_well_exposed_raw_is_no_over_exposure(tmp_path: Path) -> None:
    """The camera's tone curve clips what the sensor has kept."""
    kept = judged(tmp_path, raw_files.dng(SHARP, preview=BURNT)).result
    lost = judged(tmp_path, raw_files.dng(BURNT, preview=BURNT)).result

    assert isinstance(kept, Scores)
    assert isinstance(lost, Scores)
    assert kept.over < 0.6 < lost.over


@pytest.mark.parametrize("share", [0.001, 0.3, 0.9, 0.999])
def test_a_raw_that_is_cut_short_is_never_judged(share: float) -> None:
    """Its preview may be whole by then."""
    data = raw_files.dng(SHARP, preview=SHARP)

    with (
        pytest.raises(UnreadableError, match="incomplete"),
        open_raw(io.BytesIO(data[: int(len(data) * share)]), LIMITS),
    ):
        pass


def test_a_raw_beyond_the_limit_is_not_developed() -> None:
    """As with any other photo."""
    with (
        pytest.raises(UnreadableError, match=r"limits\.pixels"),
        open_raw(io.BytesIO(raw_files.dng(SHARP)), DecodeLimits(1000)),
    ):
        pass


def test_a_raw_gets_its_tags_beside_it_only() -> None:
    """No RAW is ever opened for writing."""
    with pytest.raises(TagRefusedError, match="raw files get their tags beside them only"):
        read_container(raw_files.dng(SHARP), Format.RAW)


def test_a_raw_that_was_judged_is_not_developed(tmp_path: Path) -> None:
    """The name distinguishes it from a TIFF, and the camera's name comes with the preview."""
    place = RootedPath(tmp_path, Path("a.dng"))
    place.path.write_bytes(raw_files.dng(SHARP, preview=SHARP))
    digest = hashlib.sha256(place.path.read_bytes()).hexdigest()

    found = FakeWorker().read(ReadRequest(FileSnapshot(place, FileStat.of(place.path.lstat())), frozenset({digest})))

    assert isinstance(found, Photo)
    assert (found.format, found.camera) == (Format.RAW, Camera(model="Camera"))
