"""`culld why --picture`: the heat map and the regions of a photo beside each other, or a refusal."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from culld.app.explain_messages import ExplainSettings
from culld.app.segment_messages import PhotoRegions, Polygon, SegmentSettings
from culld.app.why_messages import WhyPicture, WhyRequest, WhySettings
from culld.app.why_picture import create_why
from culld.app.why_worker import drawn
from culld.errors import PhotoError
from culld.imaging.overlay import beside
from culld.records import RootedPath
from culld.records.regions import REGION_CLASSES, RegionClass
from harness import factories

MODELS = Path(__file__).parents[2] / "models"
SETTINGS = WhySettings(
    ExplainSettings(MODELS / "defects", MODELS / "faces", 10**8, 10**8),
    SegmentSettings(MODELS / "segment", 10**8, 10**8),
)


def test_a_photo_has_both_pictures_and_what_is_no_photo_is_refused(tmp_path: Path) -> None:
    """The worker goes on after a refusal."""
    photo = tmp_path / "a.jpg"
    request = WhyRequest(RootedPath(tmp_path, Path("a.jpg")), None)
    handler = create_why(SETTINGS)
    photo.write_bytes(b"no photo")
    assert isinstance(handler.why(request), PhotoError)
    photo.write_bytes(factories.encoded(factories.blurred(factories.picture(1, (900, 600)))))

    found = handler.why(request)

    assert isinstance(found, WhyPicture)
    assert found.explanation.head == "blur"
    assert found.regions.shares[RegionClass.DEFOCUS] + found.regions.shares[RegionClass.MOTION] > 0
    assert Image.open(io.BytesIO(found.picture)).width > 1800


def test_contours_are_drawn_where_they_lie_in_a_smaller_picture() -> None:
    """The left half of a photo of 800 px, drawn over 400 px: a line of its colour runs near x = 200."""
    half = Polygon(((0.0, 0.0), (400.0, 0.0), (400.0, 600.0), (0.0, 600.0)), is_hole=False)
    shares = dict.fromkeys(REGION_CLASSES, 0.0) | {RegionClass.DEFOCUS: 0.5}
    found = PhotoRegions("x", 800, 600, "", shares, {RegionClass.DEFOCUS: (half,)}, b"")

    made = np.asarray(Image.open(io.BytesIO(drawn(np.full((300, 400, 3), 90, np.uint8), found))))

    places = np.argwhere((made[-200:-100] == (230, 159, 0)).all(axis=2))[:, 1]
    assert {200} <= set(places[places > 100].tolist()) <= set(range(196, 205))


def test_two_pictures_stand_on_one_line() -> None:
    """The lower one has a taller caption."""
    first = factories.encoded(Image.new("RGB", (10, 20), "red"), "PNG")
    second = factories.encoded(Image.new("RGB", (30, 50), "blue"), "PNG")

    made = Image.open(io.BytesIO(beside(first, second))).convert("RGB")

    assert made.height == 50
    assert made.getpixel((5, 49)) == (255, 0, 0)
    assert made.getpixel((5, 29)) == (0, 0, 0)
    assert made.getpixel((made.width - 1, 0)) == (0, 0, 255)
