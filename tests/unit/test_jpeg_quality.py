"""The quality of a JPEG file from its tables."""

from __future__ import annotations

import io
import shutil
import subprocess

import pytest
from PIL import Image

from culld.enhance.jpeg_quality import estimated_quality


def tables(data: bytes) -> dict[int, list[int]]:
    """The tables of a file, as Pillow gives them."""
    with Image.open(io.BytesIO(data)) as image:
        found: dict[int, list[int]] = image.quantization  # type: ignore[attr-defined]
    return found


def saved(mode: str = "RGB", **options: object) -> bytes:
    """A small JPEG file."""
    stream = io.BytesIO()
    Image.new(mode, (16, 16), 90).save(stream, "JPEG", **options)
    return stream.getvalue()


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_every_quality_of_pillow_is_found(mode: str) -> None:
    """From 1 to 100, with colour and without."""
    found = [estimated_quality(tables(saved(mode, quality=quality))) for quality in range(1, 101)]

    assert list(range(1, 101)) == found


@pytest.mark.skipif(shutil.which("cjpeg") is None, reason="cjpeg is not installed (Debian: libjpeg-turbo-progs)")
@pytest.mark.parametrize("quality", [5, 10, 24, 25, 30, 50, 51, 70, 90, 95, 100])
def test_every_quality_of_cjpeg_is_found(quality: int) -> None:
    """Files of the reference program."""
    picture = io.BytesIO()
    Image.new("RGB", (16, 16), (90, 120, 30)).save(picture, "PPM")

    # libjpeg keeps tables within 8 bits only with -baseline
    asked = ["cjpeg", "-quality", str(quality), "-baseline"]
    data = subprocess.run(asked, input=picture.getvalue(), capture_output=True, check=True).stdout

    assert quality == estimated_quality(tables(data))


@pytest.mark.parametrize("quality", [10, 40, 80])
def test_other_tables_get_the_nearest_quality(quality: int) -> None:
    """Tables a tenth coarser and finer than libjpeg's stay within a few points."""
    standard = tables(saved(quality=quality))
    for factor in (0.9, 1.1):
        other = {number: [round(step * factor) for step in table] for number, table in standard.items()}

        found = estimated_quality(other)

        assert found is not None
        assert abs(found - quality) <= 6


def test_brightness_decides_where_the_tables_disagree() -> None:
    """As in files of some cameras, whose colour is compressed more strongly."""
    found = estimated_quality({0: tables(saved(quality=70))[0], 1: tables(saved(quality=51))[1]})

    assert found == 70


def test_a_picture_without_tables_has_no_quality() -> None:
    """PNG has none; neither have tables of another size."""
    assert estimated_quality(None) is None
    assert estimated_quality({}) is None
    assert estimated_quality({0: [1, 2, 3]}) is None
