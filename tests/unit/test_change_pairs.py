"""Drawn pairs: their masks are exact, what is no change of content is not in them, and a seed repeats them."""

from __future__ import annotations

import numpy as np
import pytest

from culld.training.change.contents import CHANGES, change_content
from culld.training.change.pairs import KINDS, UNCHANGED, ChangePair, make_pair
from culld.training.change.regions import LARGEST, SMALLEST, draw_region
from culld.training.change.shots import develop, disk_blur, refocus
from harness.drawn_scenes import tiles

pytest.importorskip("cv2", reason="needs OpenCV")

SIZE = (96, 128)


def pair(seed: int, **options: object) -> ChangePair:
    """A pair of two drawn photographs."""
    return make_pair(tiles(1), tiles(2), np.random.default_rng(seed), size=SIZE, **options)


@pytest.mark.parametrize("kind", KINDS)
def test_frames_and_masks_have_the_size_and_type_that_was_asked_for(kind: str) -> None:
    """Of every kind."""
    found = pair(3, kind=kind)

    assert found.kind == kind
    assert found.first.shape == found.second.shape == (*SIZE, 3)
    assert found.mask.shape == found.refocused.shape == SIZE
    assert found.first.dtype == found.second.dtype == np.uint8
    assert found.mask.dtype == found.refocused.dtype == bool


@pytest.mark.parametrize("kind", CHANGES)
def test_a_change_of_content_changes_its_region_and_nothing_else(kind: str) -> None:
    """Before the shots differ in light and noise; soft edges reach a few pixels beyond the mask."""
    import cv2

    for seed in range(10):
        scene, other = tiles(1, SIZE), tiles(2, SIZE)
        changed, mask = change_content(kind, scene, other, np.random.default_rng(seed))
        differs = np.abs(scene.astype(int) - changed).max(axis=2)
        near = cv2.dilate(mask.astype(np.uint8), np.ones((21, 21))) > 0

        assert SMALLEST <= mask.mean() <= 1.2 * LARGEST
        assert differs[~near].max(initial=0) == 0
        assert (differs[mask] > 4).mean() > 0.5


def test_an_unchanged_pair_has_an_empty_mask_even_when_it_is_refocused() -> None:
    """Another focus is no other content."""
    sharp, blurred = pair(4, kind=UNCHANGED, refocused=False), pair(4, kind=UNCHANGED, refocused=True)

    assert not sharp.mask.any()
    assert not blurred.mask.any()
    assert not sharp.refocused.any()
    assert blurred.refocused.any()


def test_the_same_seed_gives_the_same_pair_and_another_seed_another() -> None:
    """Down to the pixel."""
    one, again, other = pair(5), pair(5), pair(6)

    assert np.array_equal(one.first, again.first)
    assert np.array_equal(one.second, again.second)
    assert np.array_equal(one.mask, again.mask)
    assert not np.array_equal(one.first, other.first)


def test_one_pair_in_four_is_unchanged_and_the_others_are_of_all_kinds() -> None:
    """Within what chance allows in 200 pairs."""
    kinds = [make_pair(tiles(1), tiles(2), np.random.default_rng(seed), size=(32, 32)).kind for seed in range(200)]

    assert 30 <= kinds.count(UNCHANGED) <= 70
    assert all(kinds.count(kind) >= 20 for kind in CHANGES)


def test_both_frames_stay_within_one_and_a_half_pixels_of_each_other() -> None:
    """In each direction, by phase correlation of pairs without a change."""
    import cv2

    for seed in range(20):
        found = pair(seed, kind=UNCHANGED, refocused=False)
        grey = [frame.mean(axis=2).astype(np.float32) for frame in (found.first, found.second)]
        (dx, dy), _ = cv2.phaseCorrelate(*grey, cv2.createHanningWindow(SIZE[::-1], cv2.CV_32F))

        assert max(abs(dx), abs(dy)) < 2  # 1.5, and what phase correlation is wrong by


@pytest.mark.parametrize("size", [(96, 128), (128, 96), (400, 500)])
def test_photos_of_any_size_and_aspect_can_be_used(size: tuple[int, int]) -> None:
    """Small ones are enlarged."""
    found = make_pair(tiles(1, (60, 90)), tiles(2, (333, 200)), np.random.default_rng(1), size=size)

    assert found.first.shape == (*size, 3)


@pytest.mark.parametrize("share", [0.003, 0.02, 0.25])
def test_a_region_covers_about_the_share_that_was_asked_for(share: float) -> None:
    """In the mean of many: a part of some lies outside of the frame."""
    covers = [draw_region((192, 256), share, np.random.default_rng(seed)).mean() for seed in range(60)]

    assert 0.7 * share < np.mean(covers) < 1.3 * share


def test_refocus_leaves_the_rest_of_the_frame_as_it_was() -> None:
    """Where the frame is not blurred and no edge of the region is near."""
    import cv2

    scene = tiles(7, SIZE)
    changed, where = refocus(scene, np.random.default_rng(2))
    far = cv2.dilate(where.astype(np.uint8), np.ones((61, 61))) == 0

    assert where.any()
    assert np.abs(scene.astype(int) - changed)[far].max(initial=0) <= 1


def test_a_disk_blurs_by_its_radius_and_keeps_the_light() -> None:
    """A point becomes a disk of the same sum."""
    point = np.zeros((41, 41, 3), np.float32)
    point[20, 20] = 1

    disk = disk_blur(point, 5.0)[:, :, 0]

    assert disk.sum() == pytest.approx(1, abs=1e-4)
    assert disk[20, 24] > 0
    assert abs(disk[20, 27]) < 1e-9


def test_developing_twice_gives_the_same_scene_in_another_light() -> None:
    """It correlates closely, and it is not the same file."""
    scene = tiles(8, SIZE)
    one, other = (develop(scene, np.random.default_rng(seed)) for seed in (1, 2))

    assert not np.array_equal(one, other)
    assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > 0.9
