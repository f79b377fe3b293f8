"""The bench of `subject_sharp`: the threshold that it proposes, and what it draws."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from bench.subject_sharp import KINDS, SHARP_KINDS, SPOTS, Found, best_threshold, lines, spot, spread, taken
from culld.records import Face, Subject
from culld.records.regions import REGION_CLASSES, Regions
from harness import factories

FACE = Face((0.1, 0.2, 0.3, 0.4), ((0.2, 0.3), (0.3, 0.3)), 0.9, blur=0.9)


def found(kind: str, sharpest: float, *, face: bool = False) -> Found:
    """A picture whose largest sharp region has this share."""
    regions = Regions(dict.fromkeys(REGION_CLASSES, 0.0), 0.5, sharpest)
    subject = Subject((FACE,) if face else ())
    return Found(kind, frozenset(), replace(factories.assessment(), regions=regions, subject=subject))


def test_the_threshold_parts_sharp_kinds_from_blurred_ones() -> None:
    """Photos with a face have no say, for theirs decides."""
    pictures = [found(kind, 0.3 if kind in SHARP_KINDS else 0.02) for kind in KINDS]
    pictures += [found(KINDS[0], 0.0, face=True), found(KINDS[1], 0.06)]

    assert 0.02 < best_threshold(pictures) <= 0.06


def test_a_line_counts_what_rules_would_see() -> None:
    """A sharp subject in a photo that is half blurred is kept by the rule of the documentation."""
    name, number, faces, sharp, right, blur, kept = lines(
        "x", [found(KINDS[0], 0.9), found(KINDS[0], 0.0), found(KINDS[0], 0.9, face=True)], sharp=True
    )

    assert (name, number, faces, sharp, blur) == ("x", "3", "1", "1", "0.50")
    assert right.startswith("0.333 (")
    assert kept.startswith("0.333 (")


def test_a_spot_lies_inside_and_has_its_share() -> None:
    """With a soft border."""
    for seed in range(5):
        matte = spot((200, 300), np.random.default_rng(seed))
        assert SPOTS[0] * 0.9 < matte.mean() < SPOTS[1] * 1.15
        assert matte.max() == 1
        assert max(matte[0].max(), matte[-1].max(), matte[:, 0].max(), matte[:, -1].max()) < 0.6


def test_a_picture_is_taken_with_noise_as_jpeg() -> None:
    """On plain grey."""
    data = taken(np.full((64, 64, 3), 100, np.uint8), np.random.default_rng(0))

    assert data.startswith(b"\xff\xd8")
    assert np.asarray(Image.open(io.BytesIO(data))).std() > 0.5


@pytest.mark.parametrize(("count", "wanted", "expected"), [(5, 10, 5), (100, 10, 10), (101, 10, 10)])
def test_scenes_are_spread_over_all(count: int, wanted: int, expected: int) -> None:
    """Never more than wanted."""
    assert len(spread([object()] * count, wanted)) <= expected  # type: ignore[list-item]
