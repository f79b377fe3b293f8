"""Composites with exact masks: what each label means, and where it has no weight."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from culld.records.regions import REGION_CLASSES, REGION_DEFECTS, RegionClass
from culld.segment import rules
from culld.training.segmentation import degrade
from culld.training.segmentation.composites import Composite, composite
from culld.training.segmentation.experiment import SegmentationExperiment
from culld.training.segmentation.regions import _assigned, draw_cover, ellipse, half_plane, softened, superpixels
from culld.training.segmentation.train import batch_of
from harness import factories

EXPERIMENT = SegmentationExperiment(crop=96, batch=2)
PLAIN = replace(EXPERIMENT, plain=1.0, foreign=0.0)


def photo(seed: int = 0) -> np.ndarray:
    """A sharp picture."""
    return np.asarray(factories.picture(seed, (300, 260)))


def sky() -> np.ndarray:
    """A picture without texture."""
    return np.full((260, 300, 3), 150, np.uint8)


def made(picture: np.ndarray, experiment: SegmentationExperiment, seed: int = 0) -> Composite:
    """A composite of a picture and another one."""
    return composite(picture, photo(9), experiment, rules, np.random.default_rng(seed))


def share(each: Composite, kind: RegionClass) -> float:
    """The share of the known pixels with this label."""
    at = REGION_CLASSES.index(kind)
    known = each.weights[..., at]
    return float(each.labels[..., at][known].sum() / max(known.sum(), 1))


def sound(each: Composite) -> bool:
    """Whether no pixel of known sharpness has a defect: each is fine or without texture."""
    fine, flat = (each.labels[..., REGION_CLASSES.index(kind)] for kind in (RegionClass.FINE, RegionClass.FLAT))
    known = each.weights[..., REGION_CLASSES.index(RegionClass.FINE)]
    return bool((fine | flat)[known].all()) and all(share(each, kind) == 0 for kind in REGION_DEFECTS)


def test_the_same_seed_gives_the_same_composite() -> None:
    """So a run goes on exactly where it was interrupted, and a set that is measured stays the same."""
    one, other, third = made(photo(), EXPERIMENT), made(photo(), EXPERIMENT), made(photo(), EXPERIMENT, 1)

    np.testing.assert_array_equal(one.pixels, other.pixels)
    np.testing.assert_array_equal(one.labels, other.labels)
    assert not np.array_equal(one.pixels, third.pixels)


def test_a_batch_depends_on_its_step_only() -> None:
    """Photos are taken in turn; labels and weights lie behind each other."""
    photos = [photo(seed) for seed in range(3)]

    pixels, truth = batch_of(photos, EXPERIMENT, rules, 4)
    again, _ = batch_of(photos, EXPERIMENT, rules, 4)

    assert pixels.shape == (2, 96, 96, 3)
    assert truth.shape == (2, 96, 96, 16)
    np.testing.assert_array_equal(pixels, again)


def test_a_plain_sharp_picture_is_fine_all_over() -> None:
    """No defect has a label; where there is no texture, it is called so."""
    each = made(photo(), PLAIN)

    assert sound(each)
    assert each.weights.mean() > 0.8


@pytest.mark.parametrize("seed", range(6))
def test_a_region_pasted_without_degradation_is_fine(seed: int) -> None:
    """Its seam is no defect, or the network would learn seams."""
    each = made(photo(), replace(PLAIN, foreign=1.0), seed)

    assert sound(each)


def test_a_photo_that_is_soft_by_itself_is_neither_fine_nor_out_of_focus() -> None:
    """What its photographer left soft has no weight for focus; it was not moved, for that is rare."""
    each = made(np.asarray(factories.blurred(factories.picture(0, (300, 260)), 4)), PLAIN)

    textured = ~each.labels[..., REGION_CLASSES.index(RegionClass.FLAT)]
    assert textured.mean() > 0.3
    for kind in (RegionClass.FINE, RegionClass.DEFOCUS):
        assert (each.weights[..., REGION_CLASSES.index(kind)] & textured).mean() < 0.1
    for kind in (RegionClass.MOTION, RegionClass.NOISE):
        assert each.weights[..., REGION_CLASSES.index(kind)].all()
        assert share(each, kind) == 0


def test_blur_of_a_sky_is_no_texture_and_no_blur() -> None:
    """It cannot be seen there, so it must not be called so."""
    for seed in range(12):
        each = made(sky(), replace(EXPERIMENT, plain=0.0, whole=1.0, foreign=0.0), seed)
        assert share(each, RegionClass.DEFOCUS) == 0
        assert share(each, RegionClass.MOTION) == 0


def test_every_defect_is_drawn_and_its_pixels_show_it() -> None:
    """In sixty composites each class has a region; where it has a label, the picture differs from the plain one."""
    seen = dict.fromkeys(REGION_CLASSES, 0.0)
    for seed in range(60):
        each = made(photo(seed % 5), replace(EXPERIMENT, plain=0.0), seed)
        for at, kind in enumerate(REGION_CLASSES):
            seen[kind] = max(seen[kind], float((each.labels & each.weights)[..., at].mean()))

    assert min(seen[kind] for kind in (*REGION_DEFECTS, RegionClass.FINE)) > 0.05


def test_crushed_and_clipped_labels_are_values_that_clip() -> None:
    """Nearly all pixels with the label are at the end of the scale, unless noise or compression came after."""
    for seed in range(40):
        each = made(photo(seed % 5), replace(EXPERIMENT, plain=0.0), seed)
        spoilt = each.labels[..., REGION_CLASSES.index(RegionClass.NOISE)].any()
        spoilt |= each.labels[..., REGION_CLASSES.index(RegionClass.BLOCKS)].any()
        mask = each.labels[..., REGION_CLASSES.index(RegionClass.SHADOW)]
        if mask.mean() > 0.02 and not spoilt:
            assert np.mean(each.pixels[mask].max(axis=1) <= 20) > 0.7


def test_covers_are_regions_with_soft_or_hard_borders() -> None:
    """Of every kind, within 0..1, and neither empty nor everything."""
    rng = np.random.default_rng(3)
    picture = photo()[:120, :120]
    for _ in range(10):
        for cover in (superpixels(picture, rng), ellipse((120, 120), rng), half_plane((120, 120), rng)):
            assert cover.shape == (120, 120)
            assert 0.005 < cover.mean() < 0.95
    assert draw_cover(picture, 1.0, rng).min() == 1
    hard = ellipse((120, 120), rng)
    soft = softened(hard, 5.0)
    assert 0 <= soft.min() <= soft.max() <= 1
    assert ((soft > 0.1) & (soft < 0.9)).mean() > ((hard > 0.1) & (hard < 0.9)).mean()


def test_superpixels_follow_the_borders_of_colours() -> None:
    """Each lies on one side of a diagonal between black and white."""
    small = np.zeros((90, 90, 3), np.float32)
    small[np.triu_indices(90)] = 255
    for seed in range(5):
        nearest, _ = _assigned(small, 6, np.random.default_rng(seed))
        white = np.bincount(nearest.ravel(), weights=small[..., 0].ravel() / 255, minlength=36)
        size = np.bincount(nearest.ravel(), minlength=36)
        pure = np.maximum(white, size - white).sum() / size.sum()
        assert pure > 0.99


def test_noise_grows_with_the_light_as_that_of_a_sensor() -> None:
    """Its deviation in a bright field is larger than in a dark one; the mean stays."""
    dark, bright = (
        degrade.noisy(np.full((80, 80, 3), level, np.float32), np.random.default_rng(7)) for level in (0.01, 0.8)
    )

    assert bright.std() > 2 * dark.std()
    assert abs(float(bright.mean()) - 0.8) < 0.02


def test_compression_leaves_blocks_on_a_grid_that_begins_anywhere() -> None:
    """Steps across columns 8 apart are the largest, at a place that the seed decides."""
    starts = set()
    for seed in range(6):
        found = degrade.compressed(photo()[:200, :200], np.random.default_rng(seed)).astype(int)
        steps = np.abs(np.diff(found, axis=1)).sum(axis=(0, 2))[8:192].reshape(-1, 8).sum(axis=0)
        starts.add(int(steps.argmax()))

    assert len(starts) > 2


def test_pixels_survive_the_way_to_light_and_back() -> None:
    """All 256 levels."""
    levels = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)

    np.testing.assert_array_equal(degrade.pixels_of(degrade.light_of(levels)), levels)


def test_a_photo_of_exactly_the_least_size_serves() -> None:
    """Crop and margins."""
    picture = np.asarray(Image.fromarray(photo()).crop((0, 0, 128, 128)))

    assert made(picture, PLAIN).pixels.shape == (96, 96, 3)
