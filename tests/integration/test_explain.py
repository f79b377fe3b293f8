"""Photos of every kind are explained: upright, with the light value, by the face, or with one clear refusal."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from culld.app.explain_messages import ExplainRequest, ExplainSettings, PhotoExplanation
from culld.app.explain_worker import NO_FACE, ExplainWorker, focus_explanation
from culld.errors import PhotoError
from culld.explain.method import Method
from culld.imaging.decode import decode
from culld.imaging.image_file import DecodeLimits
from culld.records import Defect, Face, Format, RootedPath
from culld.stages.read.scoring import open_litert, score
from harness import factories, raw_files

MODELS = Path(__file__).parents[2] / "models"


@pytest.fixture(scope="module")
def worker() -> ExplainWorker:
    """The handler of the worker process, in this process."""
    return ExplainWorker(ExplainSettings(MODELS / "defects", MODELS / "faces", pixels=10**8, file_size=10**8))


def explained(worker: ExplainWorker, folder: Path, name: str, data: bytes, **options: object) -> PhotoExplanation:
    """The explanation of a photo with these bytes."""
    found = tried(worker, folder, name, data, **options)
    assert isinstance(found, PhotoExplanation), found
    return found


def tried(
    worker: ExplainWorker, folder: Path, name: str, data: bytes, head: Defect | None = None, **options: object
) -> object:
    """The explanation, or the error."""
    (folder / name).write_bytes(data)
    return worker.explain(ExplainRequest(RootedPath(folder, Path(name)), head, **options))


def burnt_top(size: tuple[int, int]) -> Image.Image:
    """A flat bright picture whose upper third is burnt out."""
    pixels = np.asarray(factories.picture(4, size)).astype(int) // 2 + 110
    pixels[: size[1] // 3] = 255
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def test_a_blurred_photo_is_explained_as_such(worker: ExplainWorker, tmp_path: Path) -> None:
    """The defect need not be named; probability and logit are those of the model."""
    data = factories.encoded(factories.blurred(factories.picture(1)), quality=92)

    found = explained(worker, tmp_path, "a.jpg", data)

    frame = decode(io.BytesIO(data), Format.JPEG, DecodeLimits())
    scores = score(open_litert(MODELS / "defects" / "model.tflite"), frame)
    assert (found.head, found.method, found.light_value) == (Defect.BLUR, Method.HIRESCAM, None)
    assert found.probability == pytest.approx(scores.blur, abs=1e-3)
    assert found.sentence.startswith("blur: strongest at ")
    assert (len(found.values), len(found.values[0])) == (24, 32)
    assert Image.open(io.BytesIO(found.picture)).size[0] == 960


def test_a_portrait_is_explained_upright(worker: ExplainWorker, tmp_path: Path) -> None:
    """The network sees it lying on its side; the burnt sky is at its top all the same."""
    found = explained(worker, tmp_path, "a.jpg", factories.encoded(burnt_top((720, 960)), quality=95), head=Defect.OVER)
    values = np.maximum(np.array(found.values), 0)

    assert values.shape == (32, 24)
    assert values[:11].sum() > values[11:].sum()
    width, height = Image.open(io.BytesIO(found.picture)).size
    assert height > width


def test_an_orientation_in_exif_is_followed(worker: ExplainWorker, tmp_path: Path) -> None:
    """The pixels lie on their side; the picture stands."""
    lying = burnt_top((720, 960)).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6

    found = explained(worker, tmp_path, "a.jpg", factories.encoded(lying, quality=95, exif=exif), head=Defect.OVER)

    values = np.maximum(np.array(found.values), 0)
    assert values.shape == (32, 24)
    assert values[:11].sum() > values[11:].sum()


def test_the_light_value_is_named_where_it_moved_the_probability(worker: ExplainWorker, tmp_path: Path) -> None:
    """A dark photo at the settings of a night: the map is the network's, the probability the daemon's."""
    dark = factories.picture(2).point(lambda value: value // 7)
    exif = Image.Exif()
    exif.get_ifd(0x8769).update({0x829A: (1, 4), 0x829D: (2, 1), 0x8827: 1600})

    plain = explained(worker, tmp_path, "plain.jpg", factories.encoded(dark, quality=95), head=Defect.UNDER)
    night = explained(worker, tmp_path, "night.jpg", factories.encoded(dark, quality=95, exif=exif), head=Defect.UNDER)

    assert plain.light_value is None
    assert night.logit == pytest.approx(plain.logit, abs=1e-3)
    assert night.probability < plain.probability
    assert night.light_value is not None
    assert "the camera settings (light value 0.0 EV) move the probability from" in night.sentence


def test_over_exposure_of_a_raw_is_that_of_its_sensor_data(worker: ExplainWorker, tmp_path: Path) -> None:
    """As in `culld score`: the preview is burnt, the sensor is not, so there is nothing to see."""
    image = factories.picture(3)
    burnt = image.point(lambda value: min(255, value * 5))
    data = raw_files.dng(image, light=0.5, preview=burnt)

    found = explained(worker, tmp_path, "a.dng", data, head=Defect.OVER)
    preview = explained(worker, tmp_path, "a.jpg", factories.encoded(burnt, quality=92), head=Defect.OVER)

    assert preview.probability > 0.5
    assert found.probability < 0.5


def test_a_sharp_photo_has_no_mark(worker: ExplainWorker, tmp_path: Path) -> None:
    """Its strongest cell is not drawn as if it were a defect."""
    grey = Image.new("RGB", (640, 480), (128, 128, 128))
    grey.paste(factories.picture(5, (640, 480)))

    found = explained(worker, tmp_path, "a.png", factories.encoded(grey, "PNG"), head=Defect.BLUR)

    assert "so no place is marked" in found.sentence
    drawn = np.asarray(Image.open(io.BytesIO(found.picture)))[-480:].astype(int)
    assert np.abs(drawn - np.asarray(grey).astype(int)).max() <= 4


def test_missed_focus_needs_a_face(worker: ExplainWorker, tmp_path: Path) -> None:
    """It does not come from this network: without a face there is one sentence."""
    found = tried(worker, tmp_path, "a.jpg", factories.encoded(factories.picture(1), quality=92), head=Defect.FOCUS)

    assert isinstance(found, PhotoError)
    assert str(found) == NO_FACE


def test_missed_focus_is_explained_by_the_box_of_the_face() -> None:
    """The main face, its place, and the probability; there is no map."""
    face = Face((0.1, 0.1, 0.2, 0.25), ((0.15, 0.2), (0.25, 0.2)), 0.9, 0.8)

    found = focus_explanation(face, 0.93, np.full((300, 400, 3), 90, np.uint8))

    assert found.sentence == "focus: the main face, at upper left, is out of focus with probability 0.93"
    assert found.strongest == pytest.approx((0.2, 0.225))
    assert found.values == ()
    assert Image.open(io.BytesIO(found.picture)).size[0] == 400


@pytest.mark.parametrize("data", [b"", b"no photo", np.random.default_rng(1).bytes(4000)])
@pytest.mark.parametrize("head", [None, Defect.FOCUS])
def test_what_is_no_photo_is_refused(worker: ExplainWorker, tmp_path: Path, data: bytes, head: Defect | None) -> None:
    """In one sentence, without an exception."""
    assert isinstance(tried(worker, tmp_path, "a.jpg", data, head=head), PhotoError)


def test_a_cut_photo_is_refused_or_explained_but_never_crashes(worker: ExplainWorker, tmp_path: Path) -> None:
    """An upload may have stopped anywhere."""
    data = factories.encoded(factories.picture(1), quality=92)

    for share in (0.01, 0.3, 0.9):
        found = tried(worker, tmp_path, "a.jpg", data[: round(len(data) * share)])
        assert isinstance(found, (PhotoError, PhotoExplanation))


def test_a_file_above_the_limit_is_refused(tmp_path: Path) -> None:
    """As in the daemon."""
    worker = ExplainWorker(ExplainSettings(MODELS / "defects", MODELS / "faces", pixels=10**8, file_size=1000))

    found = tried(worker, tmp_path, "a.jpg", factories.encoded(factories.picture(1), quality=92))

    assert str(found) == "larger than limits.file_size allows"


def test_a_link_is_not_followed(worker: ExplainWorker, tmp_path: Path) -> None:
    """A photo is a regular file."""
    (tmp_path / "real.jpg").write_bytes(factories.encoded(factories.picture(1), quality=92))
    (tmp_path / "link.jpg").symlink_to(tmp_path / "real.jpg")

    found = worker.explain(ExplainRequest(RootedPath(tmp_path, Path("link.jpg")), None))

    assert isinstance(found, PhotoError)
