"""Training of the restoration network: its values, its patches, what is measured, and pairs with a known original."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from culld.errors import ConfigError
from culld.training.restoration.degrade import MARGIN, compressed, pair
from culld.training.restoration.experiment import RestorationExperiment, load_restoration
from culld.training.restoration.known_pairs import Kind, decibels, judged, known_pair
from culld.training.restoration.measure import CASES, Case, blocking_effect, figure, measure, scores, ssim
from culld.training.restoration.patches import batch_of

SHIPPED = Path(__file__).parents[2] / "models" / "restore-jpeg" / "train.yaml"
ONLY = RestorationExperiment(clean=0, grey=0, twice=0)


def scene(height: int = 200, width: int = 260, seed: int = 0) -> np.ndarray:
    """A coloured picture with soft areas, edges and fine texture."""
    rng = np.random.default_rng(seed)
    down, across = np.mgrid[0:height, 0:width]
    base = np.stack([120 + 60 * np.sin(across / 37 + phase) * np.cos(down / 23) for phase in (0, 1, 2)], axis=2)
    base[40:90, 60:150] = (200, 60, 40)
    base += rng.normal(0, 6, (height, width, 1))
    return np.clip(np.rint(base), 0, 255).astype(np.uint8)


def wide(seed: int = 0) -> np.ndarray:
    """A patch of 64 px with its margin."""
    return np.ascontiguousarray(scene(seed=seed)[: 64 + 2 * MARGIN, : 64 + 2 * MARGIN])


def test_the_shipped_values_are_those_of_the_recipe() -> None:
    """The file of the model is read, and names its recipe."""
    found = load_restoration(SHIPPED)

    assert found == RestorationExperiment(steps=20000)


def test_other_keys_are_refused(tmp_path: Path) -> None:
    """All of them at once."""
    file = tmp_path / "train.yaml"
    file.write_text("recipe: restoration\nlayers: 3\nsteps: many\n", "utf-8")

    with pytest.raises(ConfigError, match=r"layers[\s\S]*steps"):
        load_restoration(file)


def test_batches_depend_on_the_step_alone() -> None:
    """The same step gives the same patches, so that an interrupted run can go on; another step gives others."""
    photos = [scene(seed=seed) for seed in range(3)]
    experiment = RestorationExperiment(batch=4)

    first, again, other = (batch_of(photos, experiment, step) for step in (7, 7, 8))

    assert np.array_equal(first[0], again[0])
    assert np.array_equal(first[1], again[1])
    assert not np.array_equal(first[1], other[1])
    assert first[0].shape == first[1].shape == (4, 64, 64, 3)
    assert first[0].dtype == first[1].dtype == np.float32


def test_a_share_of_the_patches_is_not_compressed() -> None:
    """The network learns to change nothing there."""
    spoilt, clean = pair(wide(), replace(ONLY, clean=1), np.random.default_rng(0))

    assert np.array_equal(spoilt, clean)


def test_grey_patches_have_no_colour() -> None:
    """Neither the original nor the compressed one."""
    spoilt, clean = pair(wide(), replace(ONLY, grey=1), np.random.default_rng(0))

    for patch in (spoilt, clean):
        assert np.ptp(patch.astype(int), axis=2).max() <= 1


def test_the_original_of_a_patch_lies_where_the_patch_lies() -> None:
    """However the grid is shifted, a patch of a high quality equals its original nearly."""
    experiment = replace(ONLY, qualities=(95, 95, 95, 95, 95), free_quality=0, full_colour=1)
    for seed in range(20):
        spoilt, clean = pair(wide(), experiment, np.random.default_rng(seed))

        assert np.abs(spoilt.astype(int) - clean).mean() < 3


def test_the_grid_of_blocks_starts_anywhere() -> None:
    """Patches of one quality differ by the place of their grid."""
    experiment = replace(ONLY, qualities=(10, 10, 10, 10, 10), free_quality=0)
    found = {pair(wide(), experiment, np.random.default_rng(seed))[0].tobytes() for seed in range(40)}

    assert len(found) > 20


def test_colour_is_halved_or_kept() -> None:
    """4:2:0 and 4:4:4 give other pixels."""
    assert not np.array_equal(compressed(scene(), 50), compressed(scene(), 50, full_colour=True))


def test_each_case_of_the_measurement_gives_a_pair_of_one_size() -> None:
    """Twice compressed photos are cut between the compressions; photos without a quality stay as they are."""
    for case in CASES:
        spoilt, original = case.pair(scene())

        assert spoilt.shape == original.shape
        assert np.array_equal(spoilt, original) == (not case.qualities)
    assert Case("", (50, 10)).pair(scene())[0].shape == (194, 250, 3)


def test_equal_pictures_have_the_best_scores() -> None:
    """100 dB stands for no error."""
    assert scores(scene(), scene()) == {"psnr": 100.0, "ssim": pytest.approx(1.0), "psnrb": pytest.approx(100, abs=99)}


def test_noise_ratio_is_that_of_its_definition() -> None:
    """Every pixel wrong by 5 levels is 34.15 dB."""
    pixels = np.full((40, 40, 3), 100, np.uint8)

    assert scores(pixels + 5, pixels)["psnr"] == pytest.approx(34.15, abs=0.01)


def test_structure_falls_with_compression() -> None:
    """The lower the quality, the less structure; at the lowest the blocks count."""
    spoilt = [compressed(scene(), quality) for quality in (70, 30, 5)]

    alike = [ssim(each, scene()) for each in spoilt]

    assert sorted(alike, reverse=True) == alike
    assert blocking_effect(spoilt[2][..., 1].astype(np.float64)) > blocking_effect(scene()[..., 1].astype(np.float64))


def test_blocks_count_only_on_their_grid() -> None:
    """Steps at every eighth line count; steps beside it, and none at all, do not."""
    stripes = np.repeat(np.arange(8) % 2 * 20.0, 8)
    on_grid = np.tile(stripes, (64, 1))

    assert blocking_effect(on_grid) > 1
    assert blocking_effect(np.roll(on_grid, 3, axis=1)) == 0
    assert blocking_effect(np.full((64, 64), 7.0)) == 0
    assert blocking_effect(np.zeros((1, 5))) == 0


def test_a_repair_that_changes_nothing_gains_nothing() -> None:
    """And one that knows the original gains up to 100 dB."""
    counted: list[int] = []
    cases = (Case("q10", (10,)),)

    found = measure([scene(), scene(seed=1)], lambda before: before, cases, counted.append)
    perfect = measure([scene()], lambda _before: scene()[3:, 5:], cases)

    assert found["q10"]["gain psnr"].mean == 0
    assert perfect["q10"]["repaired psnr"].mean == 100
    assert counted == [1, 2]


def test_an_interval_holds_the_mean_and_shrinks_with_photos() -> None:
    """The bootstrap draws the same for the same values."""
    few, many = figure([0.0, 1.0] * 4), figure([0.0, 1.0] * 200)

    assert few.low < few.mean == 0.5 < few.high
    assert many.high - many.low < few.high - few.low
    assert few == figure([0.0, 1.0] * 4)


def test_every_kind_of_known_pair_is_drawn() -> None:
    """They have one size; those that were never degraded equal their original."""
    photo = scene(390, 420)
    found = [known_pair(photo, "a.jpg", number) for number in range(60)]

    assert {each.kind for each in found} == set(Kind)
    for each in found:
        assert each.before.shape == each.original.shape == (256, 256, 3)
        assert np.array_equal(each.before, each.original) == (each.compression is None)
        assert (each.quality is None) >= (each.kind is Kind.NO_TABLES)
    assert np.array_equal(found[3].before, known_pair(photo, "a.jpg", 3).before)
    assert known_pair(photo, "a.jpg", 3, side=None).before.shape[0] > 256


def test_the_true_gain_is_that_of_noise_ratio() -> None:
    """An error of a half is 6 dB better; damage to a photo that was never degraded is a loss."""
    original = np.full((16, 16, 3), 100, np.uint8)

    assert decibels(original + 8, original + 4, original) == pytest.approx(6.02, abs=0.01)
    assert decibels(original, original + 4, original) < -20


def test_known_pairs_are_judged_one_by_one() -> None:
    """With the features of a repair, and its true gain."""
    pairs = [known_pair(scene(390, 420), "a.jpg", number) for number in range(3)]

    rows, gains = judged(pairs, lambda before: before, lambda *given: np.array([float(given[2] or 0), 1.0]))

    assert rows.shape == (3, 2)
    assert gains.tolist() == [0.0, 0.0, 0.0]


def test_patches_come_from_saved_files() -> None:
    """What `compressed` gives is what a file of this quality holds."""
    saved = io.BytesIO()
    Image.fromarray(scene()).save(saved, "JPEG", quality=30, subsampling=2)

    assert np.array_equal(compressed(scene(), 30), np.asarray(Image.open(saved)))
