"""`culld segment`: the regions of photos in px of the upright original, with the network that ships, or a refusal."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from culld.app.segment_messages import PhotoRegions, SegmentRequest, SegmentSettings
from culld.app.segment_worker import SegmentWorker
from culld.cli import main
from culld.errors import PhotoError
from culld.records import RootedPath
from culld.records.regions import REGION_CLASSES, RegionClass
from culld.segment import rules
from culld.training.dataset import read_index, split
from culld.training.experiment import Splits
from culld.training.segmentation import degrade
from harness import factories, raw_files

MODEL = Path(__file__).parents[2] / "models" / "segment"


def worker(**limits: int) -> SegmentWorker:
    """The handler of the worker process, in this process."""
    return SegmentWorker(SegmentSettings(MODEL, limits.get("pixels", 10**8), limits.get("file_size", 10**8)))


def segmented(folder: Path, name: str, data: bytes, **limits: int) -> PhotoRegions | PhotoError:
    """The answer for a photo with these bytes."""
    (folder / name).write_bytes(data)
    return worker(**limits).segment(SegmentRequest(RootedPath(folder, Path(name))))


def regions(folder: Path, data: bytes, name: str = "a.jpg") -> PhotoRegions:
    """The regions of a photo with these bytes."""
    found = segmented(folder, name, data)
    assert isinstance(found, PhotoRegions), found
    return found


def burnt_top(size: tuple[int, int]) -> Image.Image:
    """A picture full of edges whose upper third is burnt out."""
    pixels = np.asarray(factories.picture(4, size)).copy()
    pixels[: size[1] // 3] = 255
    return Image.fromarray(pixels)


def extent(found: PhotoRegions, kind: RegionClass) -> tuple[float, float, float, float]:
    """The left, top, right and bottom of the largest region of a class."""
    points = np.array(found.polygons[kind][0].points)
    return (*points.min(axis=0), *points.max(axis=0))


def test_polygons_are_in_pixels_of_the_original(tmp_path: Path) -> None:
    """Of a photo that is larger than the frame that the network sees."""
    found = regions(tmp_path, factories.encoded(burnt_top((1800, 1200)), quality=92))

    assert (found.width, found.height) == (1800, 1200)
    assert found.shares[RegionClass.HIGHLIGHT] == pytest.approx(1 / 3, abs=0.02)
    assert extent(found, RegionClass.HIGHLIGHT) == pytest.approx((0, 0, 1800, 400), abs=16)
    assert "clipped highlight 3" in found.sentence


def test_an_orientation_in_exif_is_followed(tmp_path: Path) -> None:
    """The pixels lie on their side; sizes, polygons and picture stand."""
    lying = burnt_top((900, 1200)).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6

    found = regions(tmp_path, factories.encoded(lying, quality=92, exif=exif))

    assert (found.width, found.height) == (900, 1200)
    assert extent(found, RegionClass.HIGHLIGHT) == pytest.approx((0, 0, 900, 400), abs=16)
    picture = Image.open(io.BytesIO(found.picture))
    assert picture.height > picture.width


def test_a_raw_is_segmented_by_its_preview(tmp_path: Path) -> None:
    """As it is shown; the polygons fit the size that is named."""
    image = factories.picture(3)

    found = regions(tmp_path, raw_files.dng(image, light=0.5, preview=burnt_top(image.size)), "a.dng")

    right, bottom = extent(found, RegionClass.HIGHLIGHT)[2:]
    assert right == pytest.approx(found.width, abs=found.width / 50)
    assert bottom == pytest.approx(found.height / 3, abs=found.height / 20)


@pytest.mark.parametrize("size", [(1, 1), (3, 700), (30, 20)])
def test_tiny_photos_have_regions_too(tmp_path: Path, size: tuple[int, int]) -> None:
    """However few pixels they have; the shares of classes that exclude each other are at most 1."""
    found = regions(tmp_path, factories.encoded(Image.new("RGB", size, "white"), "PNG"), "a.png")

    assert set(found.shares) == set(REGION_CLASSES)
    assert found.shares[RegionClass.HIGHLIGHT] == pytest.approx(1)


@pytest.mark.parametrize(
    ("data", "limits", "complaint"),
    [
        (b"no photo", {}, ""),
        (b"", {}, ""),
        (factories.encoded(factories.picture())[:2000], {}, ""),
        (factories.encoded(factories.picture()), {"pixels": 1000}, "limits.pixels"),
        (factories.encoded(factories.picture()), {"file_size": 1000}, "limits.file_size"),
    ],
)
def test_what_cannot_be_segmented_is_refused_in_words(
    tmp_path: Path, data: bytes, limits: dict[str, int], complaint: str
) -> None:
    """Damaged, empty, or larger than the limits allow."""
    found = segmented(tmp_path, "a.jpg", data, **limits)

    assert isinstance(found, PhotoError)
    assert complaint in str(found)
    assert str(found)


@pytest.mark.slow
def test_the_command_prints_json_and_writes_the_picture(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """In a worker process; the photo stays as it was."""
    photo, out = tmp_path / "a.jpg", tmp_path / "o.png"
    data = factories.encoded(burnt_top((600, 450)), quality=92)
    photo.write_bytes(data)

    assert main(["segment", str(photo), "--out", str(out), "--json"]) == 0

    found = json.loads(capfd.readouterr().out)
    assert (found["width"], found["height"]) == (600, 450)
    assert set(found["shares"]) == set(REGION_CLASSES)
    assert found["model"].startswith("segment-")
    (first, *_) = [each for each in found["regions"] if each["class"] == "highlight"]
    assert first["hole"] is False
    assert max(x for x, _ in first["polygon"]) == pytest.approx(600, abs=2)
    assert Image.open(io.BytesIO(out.read_bytes())).width == 600
    assert photo.read_bytes() == data


@pytest.mark.slow
def test_the_command_refuses_what_it_cannot_do(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """No photo, and a picture that would replace the photo."""
    photo = tmp_path / "a.jpg"
    assert main(["segment", str(photo)]) == 1
    data = factories.encoded(factories.picture(0, (200, 150)))
    photo.write_bytes(data)

    assert main(["segment", str(photo), "--out", str(photo)]) == 3

    assert "name another file" in capfd.readouterr().err
    assert photo.read_bytes() == data


def test_a_region_out_of_focus_is_found_and_its_surroundings_are_not(tmp_path: Path, shared: Path) -> None:
    """In most of twelve photographs that the network never saw, of which the left half is out of focus."""
    photos = shared / "photos"
    scenes = [each for each in split(read_index(photos), Splits(1, 0.2, 0.1)).test if not each.hard][::12][:24]
    found_right = judged = 0
    for scene in scenes:
        pixels = np.asarray(Image.open(photos / scene.file).convert("RGB"))
        half = pixels.shape[1] // 2
        sharp = rules.sharp(pixels)
        if sharp.mean() < 0.7 or judged == 12:
            continue
        judged += 1
        light = degrade.light_of(pixels)
        blurred = degrade.convolve(light, degrade.disk(5.0))
        light[:, :half] = blurred[:, :half]
        data = factories.encoded(Image.fromarray(degrade.pixels_of(light)), "PNG")
        regions_found = regions(tmp_path, data, "a.png")
        rings = regions_found.polygons[RegionClass.DEFOCUS]
        if rings and 0.25 < regions_found.shares[RegionClass.DEFOCUS] < 0.6:
            centre = np.array(rings[0].points).mean(axis=0)[0]
            found_right += centre < half

    assert judged >= 6
    assert found_right >= 0.7 * judged
