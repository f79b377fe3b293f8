"""Photos are repaired, and their copies judged, in the handler of the worker process."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from culld.app.enhance import settings_of
from culld.app.enhance_messages import Enhanced, EnhanceRequest, Repair
from culld.app.enhance_worker import EnhanceWorker
from culld.config import built_in_config
from culld.errors import PhotoError
from culld.records import RootedPath
from harness import factories, raw_files, scenes

SMALL = (720, 480)
DARK = scenes.picture(scenes.Scene(3, "under", size=SMALL))
CLEAN = scenes.picture(scenes.Scene(4, size=SMALL))


@pytest.fixture(scope="module")
def worker() -> EnhanceWorker:
    """The handler of the worker process, in this process, with the default policy."""
    return EnhanceWorker(settings_of(built_in_config({"HOME": "/nonexistent"})))


def answered(
    worker: EnhanceWorker, folder: Path, name: str, data: bytes, repair: Repair = Repair.AUTO
) -> Enhanced | PhotoError:
    """What the worker answers about a photo with these bytes, which it leaves alone."""
    (folder / name).write_bytes(data)
    found = worker.enhance(EnhanceRequest(RootedPath(folder, Path(name)), repair))
    assert (folder / name).read_bytes() == data
    return found


def enhanced(worker: EnhanceWorker, folder: Path, name: str, data: bytes, repair: Repair = Repair.AUTO) -> Enhanced:
    """The answer about a photo that can be read."""
    found = answered(worker, folder, name, data, repair)
    assert isinstance(found, Enhanced), found
    return found


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_dark_photo_gets_a_lighter_copy_that_culld_would_keep(
    worker: EnhanceWorker, tmp_path: Path, format_: str
) -> None:
    """In the same size, whatever its format."""
    found = enhanced(worker, tmp_path, f"a.{format_.lower()}", factories.encoded(DARK, format_))

    assert found.copy, found.reason
    assert found.before is not None
    assert found.after is not None
    assert found.before.under > 0.6 > found.after.under
    assert (found.repair, found.gain_db) == (Repair.EXPOSURE, None)
    assert found.structure is not None
    assert found.structure >= 0.9
    assert [model.partition("@")[0] for model in found.models] == ["defects-3", "restore-exposure-1"]
    with Image.open(io.BytesIO(found.copy)) as image:
        assert (image.size, image.format) == (SMALL, "JPEG")
        assert np.asarray(image).mean() > 1.5 * np.asarray(DARK).mean()


def test_a_strongly_compressed_photo_gets_a_copy_with_fewer_traces(worker: EnhanceWorker, tmp_path: Path) -> None:
    """The estimated gain and quality are told."""
    found = enhanced(worker, tmp_path, "a.jpg", factories.encoded(CLEAN, quality=10))

    assert found.copy, found.reason
    assert (found.repair, found.estimated_quality) == (Repair.JPEG, 10)
    assert found.gain_db is not None
    assert found.gain_db > 0.4
    with Image.open(io.BytesIO(found.copy)) as image:
        repaired = np.asarray(image, np.float32)
    with Image.open(io.BytesIO(factories.encoded(CLEAN, quality=10))) as image:
        before = np.asarray(image, np.float32)
    clean = np.asarray(CLEAN, np.float32)
    assert np.square(repaired - clean).mean() < np.square(before - clean).mean()


def test_a_repair_of_compression_reports_how_far_it_is(tmp_path: Path) -> None:
    """Tile by tile, up to the whole."""
    shares: list[float] = []
    worker = EnhanceWorker(settings_of(built_in_config({"HOME": "/nonexistent"})), shares.append)

    enhanced(worker, tmp_path, "a.jpg", factories.encoded(CLEAN.resize((1100, 600)), quality=10))

    assert len(shares) > 1
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_a_good_photo_gets_no_copy(worker: EnhanceWorker, tmp_path: Path) -> None:
    """By the quality of the file; if asked, by the gain that the repair would have."""
    data = factories.encoded(CLEAN, quality=97)

    untried = enhanced(worker, tmp_path, "a.jpg", data)
    tried = enhanced(worker, tmp_path, "a.jpg", data, Repair.JPEG)

    assert (untried.copy, untried.repair) == (b"", None)
    assert "hardly compressed (JPEG of quality 97): there is nothing to repair" in untried.reason
    assert (tried.copy, tried.repair) == (b"", Repair.JPEG)
    assert "no visible difference" in tried.reason


def test_of_a_photo_that_the_policy_rejected_only_strong_compression_is_repaired(
    worker: EnhanceWorker, tmp_path: Path
) -> None:
    """From the quality 50 on there is no copy, whatever the photo would gain."""
    reasons = []
    for quality in (60, 15):
        (tmp_path / "a.jpg").write_bytes(factories.encoded(CLEAN, quality=quality))
        found = worker.enhance(EnhanceRequest(RootedPath(tmp_path, Path("a.jpg")), only_coarse=True))
        assert isinstance(found, Enhanced)
        reasons.append((found.repair, found.reason))

    assert reasons[0][0] is None
    assert "not strongly compressed (JPEG of quality 60): there is nothing to repair" in reasons[0][1]
    assert reasons[1][0] is Repair.JPEG


@pytest.mark.parametrize(
    ("image", "format_", "repair", "words"),
    [
        (CLEAN, "PNG", Repair.AUTO, "neither under- nor over-exposed and only the compression of JPEG files"),
        (CLEAN, "WEBP", Repair.JPEG, "only the compression of JPEG files is repaired: there is nothing to repair"),
        (CLEAN, "JPEG", Repair.EXPOSURE, "it is neither under- nor over-exposed: there is nothing to repair"),
        (DARK.convert("CMYK"), "JPEG", Repair.AUTO, "it is in CMYK colours"),
    ],
)
def test_what_is_not_repaired_is_told_in_a_sentence(
    worker: EnhanceWorker, tmp_path: Path, image: Image.Image, format_: str, repair: Repair, words: str
) -> None:
    """No copy, and no error."""
    found = enhanced(worker, tmp_path, f"a.{format_.lower()}", factories.encoded(image, format_), repair)

    assert found.copy == b""
    assert words in found.reason
    assert found.before is not None


def test_a_burnt_out_photo_is_refused_before_a_repair(worker: EnhanceWorker, tmp_path: Path) -> None:
    """Nothing is left in the white to bring back."""
    pixels = np.clip(np.asarray(CLEAN).astype(np.int16) + 170, 0, 255).astype(np.uint8)

    found = enhanced(worker, tmp_path, "a.png", factories.encoded(Image.fromarray(pixels), "PNG"))

    assert found.copy == b""
    assert (found.repair, found.structure) == (Repair.EXPOSURE, None)
    assert "of the photo is burnt out" in found.reason


def test_a_grey_photo_stays_grey_in_both_repairs(worker: EnhanceWorker, tmp_path: Path) -> None:
    """One channel in the copy."""
    for image, quality in ((DARK, 92), (CLEAN, 10)):
        found = enhanced(worker, tmp_path, "a.jpg", factories.encoded(image.convert("L"), quality=quality))
        assert found.copy, found.reason
        with Image.open(io.BytesIO(found.copy)) as copy:
            assert copy.mode == "L"


def test_a_photo_that_cannot_be_read_is_an_error(worker: EnhanceWorker, tmp_path: Path) -> None:
    """Cut short, no photo at all, missing."""
    data = factories.encoded(DARK)

    assert isinstance(answered(worker, tmp_path, "a.jpg", data[: len(data) // 2]), PhotoError)
    assert isinstance(answered(worker, tmp_path, "b.jpg", b"no photo"), PhotoError)
    assert isinstance(worker.enhance(EnhanceRequest(RootedPath(tmp_path, Path("c.jpg")))), PhotoError)


def test_a_dark_raw_is_developed_from_its_sensor_data(worker: EnhanceWorker, tmp_path: Path) -> None:
    """In the full size of the sensor, upright."""
    pytest.importorskip("rawpy", reason="RAW files need the extra `raw`")
    scene = scenes.picture(scenes.Scene(5, size=SMALL))
    data = raw_files.dng(scene, light=0.03, orientation=6)

    found = enhanced(worker, tmp_path, "a.dng", data)

    assert found.copy, found.reason
    with Image.open(io.BytesIO(found.copy)) as image:
        assert image.size == (SMALL[1], SMALL[0])
        assert image.getexif().get(0x0112, 1) == 1
