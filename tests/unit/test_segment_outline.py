"""The outlines of masks: closed, with holes, and no further from the border than allowed."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from culld.segment.outline import Ring, rings


def drawn(size: tuple[int, int], found: list[Ring]) -> np.ndarray:
    """The mask that rings enclose: each pixel whose centre lies inside."""
    image = Image.new("1", (size[1] * 4, size[0] * 4))
    pen = ImageDraw.Draw(image)
    for ring in found:  # the largest first, so that a hole comes after what it lies in
        pen.polygon([(4 * float(x), 4 * float(y)) for x, y in ring.points], fill=0 if ring.is_hole else 1)
    return np.asarray(image)[2::4, 2::4]


def test_a_rectangle_has_four_corners() -> None:
    """On the edges of its pixels, clockwise on the screen."""
    mask = np.zeros((40, 60), bool)
    mask[10:20, 5:35] = True

    (ring,) = rings(mask)

    assert not ring.is_hole
    assert {tuple(point) for point in ring.points.tolist()} == {(5, 10), (35, 10), (35, 20), (5, 20)}


def test_a_hole_is_a_ring_of_its_own() -> None:
    """After the one that it lies in."""
    mask = np.zeros((50, 50), bool)
    mask[5:45, 5:45] = True
    mask[20:30, 20:30] = False

    found = rings(mask)

    assert [ring.is_hole for ring in found] == [False, True]
    np.testing.assert_array_equal(drawn(mask.shape, found)[6:44, 6:44], mask[6:44, 6:44])


def test_regions_that_touch_at_a_corner_stay_apart() -> None:
    """Two squares, not one polygon that crosses itself."""
    mask = np.zeros((20, 20), bool)
    mask[2:10, 2:10] = mask[10:18, 10:18] = True

    found = rings(mask)

    assert len(found) == 2
    assert all(len(ring.points) == 4 for ring in found)


def test_a_mask_to_the_border_is_closed() -> None:
    """The border of the frame is a border of the region."""
    (ring,) = rings(np.ones((7, 9), bool))

    assert {tuple(point) for point in ring.points.tolist()} == {(0, 0), (9, 0), (9, 7), (0, 7)}


def test_specks_have_no_outline_and_no_mask_has_none() -> None:
    """A region below the limit is left out."""
    mask = np.zeros((100, 100), bool)
    assert rings(mask) == []
    mask[50:52, 50:52] = True

    assert rings(mask) == []
    assert len(rings(mask, smallest=0.0001)) == 1


@pytest.mark.parametrize("seed", range(4))
def test_polygons_keep_to_the_border_within_the_tolerance(seed: int) -> None:
    """Of a rough mask, drawn again, only pixels beside the border differ."""
    rng = np.random.default_rng(seed)
    rough = Image.fromarray(rng.integers(0, 256, (12, 12), np.uint8)).resize((120, 120), Image.Resampling.BICUBIC)
    mask = np.asarray(rough) > 128

    again = drawn(mask.shape, rings(mask, smallest=0, tolerance=1.0))

    differs = mask != again
    padded = np.pad(mask, 2, mode="edge")
    near = np.zeros_like(mask)
    for down in range(5):
        for right in range(5):
            near |= padded[down : down + 120, right : right + 120] != mask
    assert differs.mean() < 0.05
    assert not (differs & ~near)[2:-2, 2:-2].any()
