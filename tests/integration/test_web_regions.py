"""Real regions for the review page, as its workers make them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from culld.app.segment_messages import PhotoRegions, Polygon
from culld.errors import PhotoError
from culld.records import RootedPath
from culld.records.regions import REGION_CLASSES, RegionClass
from culld.web.regions import create_regions, drawn_json, network_digest
from harness import factories

PIXELS, BYTES = 100_000_000, 100_000_000


def saved(folder: Path, picture: Image.Image) -> RootedPath:
    """A photo in a folder."""
    (folder / "a.png").write_bytes(factories.encoded(picture, "PNG"))
    return RootedPath(folder, Path("a.png"))


def test_a_clipped_part_is_outlined_in_px_of_the_photo(tmp_path: Path) -> None:
    """The left third of a photo that is larger than the frame of the network."""
    pixels = np.asarray(factories.picture(1, (1500, 1000)).convert("RGB")).clip(20, 220).copy()
    pixels[:, :500] = 255

    found = json.loads(create_regions(PIXELS, BYTES).regions(saved(tmp_path, Image.fromarray(pixels))))

    assert (found["width"], found["height"]) == (1500, 1000)
    assert "clipped highlight" in found["sentence"]
    clipped = next(each for each in found["classes"] if each["class"] == "highlight")
    assert clipped["text"].startswith("clipped highlight 3")
    assert clipped["colour"] == "#f0e442"
    columns = [x for polygon in clipped["polygons"] for x, _ in polygon]
    assert min(columns) < 20
    assert 480 < max(columns) < 520


def test_what_is_no_photo_has_no_regions(tmp_path: Path) -> None:
    """It is refused in words, and the maker goes on."""
    place = saved(tmp_path, factories.picture(1, (640, 480)))
    maker = create_regions(PIXELS, BYTES)
    good = place.path.read_bytes()
    place.path.write_bytes(b"no photo")
    with pytest.raises(PhotoError):
        maker.regions(place)
    place.path.write_bytes(good)
    assert json.loads(maker.regions(place))["width"] == 640


def test_only_classes_of_the_legend_are_drawn_the_largest_first() -> None:
    """A class below the share of the legend has no contour, and `fine` has none at all."""
    shares = dict.fromkeys(REGION_CLASSES, 0.0) | {
        RegionClass.FINE: 0.5,
        RegionClass.NOISE: 0.1,
        RegionClass.DEFOCUS: 0.3,
        RegionClass.BLOCKS: 0.0001,
    }
    square = (Polygon(((0.4, 0.6), (9.6, 0.0), (9.0, 9.0)), is_hole=False),)
    polygons = dict.fromkeys((RegionClass.NOISE, RegionClass.DEFOCUS, RegionClass.BLOCKS), square)

    found = drawn_json(PhotoRegions("segment-1@x", 10, 10, "...", shares, polygons, b""))

    assert [(each["class"], each["text"], each["polygons"]) for each in found["classes"]] == [  # type: ignore[attr-defined]
        ("defocus", "out of focus 30 %", [[[0, 1], [10, 0], [9, 9]]]),
        ("noise", "noise 10 %", [[[0, 1], [10, 0], [9, 9]]]),
    ]


def test_regions_are_cached_by_the_network() -> None:
    """Its digest is that of the shipped card."""
    card = json.loads((Path(__file__).parents[2] / "models/segment/card.json").read_text())
    assert network_digest() == card["digest"][:12]
