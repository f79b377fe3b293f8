"""From maps to masks: tiles, thresholds, rules, what excludes what; the picture and its legend."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from PIL import Image

from culld.inference.network import ArraySpec, Signature
from culld.records.regions import REGION_CLASSES, RegionClass
from culld.segment.maps import SCALE, maps_of, starts
from culld.segment.masks import LONGEST, RULES, Segmentation, Segmenter, blur_of, reached_of
from culld.segment.outline import rings
from culld.segment.picture import COLOURS, SHOWN_FROM, picture, sentence

SIDE = 160


@dataclass
class FakeNetwork:
    """Gives the red of a pixel as defocus, its green as noise; remembers how often it ran."""

    side: int = SIDE
    runs: list[int] = field(default_factory=list)

    @property
    def signature(self) -> Signature:
        """One tile in, eight maps out."""
        half = self.side // SCALE
        return Signature(
            {"tile": ArraySpec((self.side, self.side, 3), "uint8")},
            {"maps": ArraySpec((half, half, len(REGION_CLASSES)), "float32")},
        )

    def run(self, arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
        """The maps of one tile."""
        self.runs.append(1)
        seen = arrays["tile"][:, ::SCALE, ::SCALE] / np.float32(255)
        found = np.zeros((*seen.shape[:3], len(REGION_CLASSES)), np.float32)
        found[..., REGION_CLASSES.index(RegionClass.DEFOCUS)] = seen[..., 0]
        found[..., REGION_CLASSES.index(RegionClass.NOISE)] = seen[..., 1]
        found[..., REGION_CLASSES.index(RegionClass.FLAT)] = 1
        return {"maps": found}


def segmenter(by_rule: frozenset[RegionClass] = frozenset()) -> Segmenter:
    """With a threshold of 0.5 for each class."""
    return Segmenter(FakeNetwork(), dict.fromkeys(REGION_CLASSES, 0.5), by_rule)


@pytest.mark.parametrize("size", [(160, 160), (683, 1024), (1024, 683), (40, 501), (5, 3)])
def test_tiles_give_every_square_of_pixels_its_own_value(size: tuple[int, int]) -> None:
    """Whatever the size: no seam, no shift, no pixel without a value; those of 2x2 pixels share one."""
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)

    maps = maps_of(pixels, FakeNetwork())

    assert maps.shape == (*size, 8)
    red = pixels[::SCALE, ::SCALE, 0].repeat(SCALE, axis=0).repeat(SCALE, axis=1)[: size[0], : size[1]]
    np.testing.assert_allclose(maps[..., REGION_CLASSES.index(RegionClass.DEFOCUS)], red / 255, atol=1e-5)


def test_a_frame_of_three_to_two_needs_six_tiles() -> None:
    """Those of 384 px, which ship."""
    assert starts(1024, 384) == (0, 320, 640)
    assert starts(684, 384) == (0, 300)
    assert starts(384, 384) == (0,)


def test_masks_follow_the_thresholds_and_exclude_each_other() -> None:
    """What has a defect is not fine, what is blurred has texture; two defects may share a region."""
    pixels = np.zeros((200, 200, 3), np.uint8)
    pixels[:, :120, 0] = 200  # defocus
    pixels[:, 80:, 1] = 140  # noise
    pixels[:60] = 0

    found = segmenter().segment(pixels)

    assert tuple(found.masks) == REGION_CLASSES
    assert found.shares[RegionClass.DEFOCUS] == pytest.approx(0.6 * 0.7, abs=0.02)
    assert found.shares[RegionClass.NOISE] == pytest.approx(0.6 * 0.7, abs=0.02)
    assert found.shares[RegionClass.FLAT] == pytest.approx(1 - 0.6 * 0.7, abs=0.02)
    assert found.shares[RegionClass.FINE] == 0
    assert not (found.masks[RegionClass.DEFOCUS] & found.masks[RegionClass.FLAT]).any()
    assert (found.masks[RegionClass.NOISE] & found.masks[RegionClass.FLAT]).any(), "noise on a flat surface is both"


@pytest.mark.parametrize(
    ("defocus", "motion", "kinds"),
    [
        (0.3, 0.3, {RegionClass.DEFOCUS, RegionClass.MOTION}),
        (0.6, 0.2, {RegionClass.DEFOCUS}),
        (0.1, 0.55, {RegionClass.MOTION}),
        (0.25, 0.25, set()),
    ],
)
def test_blur_of_an_undecided_kind_is_blur_of_both(defocus: float, motion: float, kinds: set[RegionClass]) -> None:
    """What counts is the probability that it is one of both."""
    maps = np.zeros((8, 8, len(REGION_CLASSES)), np.float32)
    maps[..., REGION_CLASSES.index(RegionClass.DEFOCUS)] = defocus
    maps[..., REGION_CLASSES.index(RegionClass.MOTION)] = motion

    reached = reached_of(maps, dict.fromkeys(REGION_CLASSES, 0.5))

    assert {kind for kind, mask in reached.items() if mask.all()} == kinds
    assert blur_of(maps)[0, 0] == pytest.approx(1 - (1 - defocus) * (1 - motion))


def test_the_kind_of_blur_is_that_of_its_surroundings() -> None:
    """One place that looks moved in a region out of focus is out of focus."""
    maps = np.zeros((64, 160, len(REGION_CLASSES)), np.float32)
    defocus, motion = (maps[..., REGION_CLASSES.index(kind)] for kind in (RegionClass.DEFOCUS, RegionClass.MOTION))
    defocus[:, :80], motion[:, 80:] = 0.8, 0.8
    defocus[30:34, 20:24], motion[30:34, 20:24] = 0.1, 0.8

    reached = reached_of(maps, dict.fromkeys(REGION_CLASSES, 0.5))

    assert reached[RegionClass.DEFOCUS][:, :60].all()
    assert not reached[RegionClass.MOTION][:, :55].any()
    assert reached[RegionClass.MOTION][:, 100:].all()
    assert not reached[RegionClass.DEFOCUS][:, 105:].any()


def test_a_class_by_rule_is_not_asked_of_the_network() -> None:
    """The network of this test never says shadow; the rule does."""
    pixels = np.zeros((100, 100, 3), np.uint8)

    assert segmenter().segment(pixels).shares[RegionClass.SHADOW] == 0
    assert segmenter(frozenset(RULES)).segment(pixels).shares[RegionClass.SHADOW] == 1


def test_what_is_nothing_else_is_fine() -> None:
    """A textured picture with the rules only."""
    checks = (np.indices((96, 96)).sum(axis=0) // 8 % 2 * 90 + 20).astype(np.uint8)

    found = segmenter(frozenset(RULES)).segment(np.repeat(checks[..., None], 3, axis=2))

    assert found.shares[RegionClass.FINE] == 1


def test_the_picture_shows_each_contour_in_the_colour_of_its_legend() -> None:
    """On the photo, which is darker below it; under a band with the legend."""
    pixels = np.full((120, 200, 3), 150, np.uint8)
    mask = np.zeros((120, 200), bool)
    mask[30:90, 40:140] = True
    found = Segmentation({RegionClass.MOTION: mask})

    shown = np.asarray(Image.open(io.BytesIO(picture(pixels, {RegionClass.MOTION: rings(mask)}, found.shares))))
    band = shown.shape[0] - 120

    assert shown.shape[1] == 200
    assert tuple(shown[band + 60, 40]) == COLOURS[RegionClass.MOTION]
    assert tuple(shown[band + 60, 90]) == (100, 100, 100)
    assert (shown[:band] == COLOURS[RegionClass.MOTION]).all(axis=2).any()


def test_a_region_that_is_too_small_for_the_legend_has_no_contour() -> None:
    """A colour without a name tells nothing."""
    mask = np.zeros((120, 200), bool)
    mask[50:58, 50:58] = True
    found = Segmentation({RegionClass.NOISE: mask})
    photo = np.full((120, 200, 3), 150, np.uint8)

    shown = np.asarray(Image.open(io.BytesIO(picture(photo, {RegionClass.NOISE: rings(mask)}, found.shares))))

    assert found.shares[RegionClass.NOISE] < SHOWN_FROM
    assert not (shown == COLOURS[RegionClass.NOISE]).all(axis=2).any()


def test_a_legend_that_is_too_long_for_a_line_wraps() -> None:
    """All seven classes in a narrow picture stay inside."""
    shares = {kind: 0.1 + 0.01 * at for at, kind in enumerate(COLOURS)}

    narrow = Image.open(io.BytesIO(picture(np.zeros((50, 240, 3), np.uint8), {}, shares)))
    wide = Image.open(io.BytesIO(picture(np.zeros((50, LONGEST, 3), np.uint8), {}, shares)))

    assert narrow.height > wide.height > 50


def test_the_colours_of_the_classes_differ_in_brightness_or_hue_for_everybody() -> None:
    """No two are the same, and none is that of the edge or of text."""
    assert len(set(COLOURS.values())) == len(COLOURS) == len(REGION_CLASSES) - 1
    assert not {(0, 0, 0), (255, 255, 255)} & set(COLOURS.values())


def test_the_sentence_names_the_largest_class_first() -> None:
    """With its share; what covers next to nothing is left out."""
    shares = {RegionClass.NOISE: 0.2, RegionClass.DEFOCUS: 0.31, RegionClass.SHADOW: SHOWN_FROM / 2}

    assert sentence(shares) == "out of focus 31 %, noise 20 %"
    assert sentence({RegionClass.FINE: 1.0}) == "nothing is wrong with any region"
