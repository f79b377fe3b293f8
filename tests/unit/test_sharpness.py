"""Sharpness at native resolution, on drawn pictures with edges of a known width."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from culld.imaging.edge_tiles import TILE, busiest, edge_sums, noise_level
from culld.imaging.sharpness import RISE, Lead, lead, ranked, sharpness_in, sharpness_of, tiles_in
from culld.training.blur_kernels import convolve, gaussian, motion

Pixels = NDArray[np.uint8]


def step(sigma: float, degrees: float, side: int = 256) -> Pixels:
    """Return a step of 120 grey levels, blurred by a Gaussian."""
    y, x = np.mgrid[:side, :side] - side / 2
    turn = math.radians(degrees)
    distance = (x * math.cos(turn) + y * math.sin(turn)) / (sigma * math.sqrt(2))
    return np.rint(128 + 60 * np.vectorize(math.erf)(distance)).astype(np.uint8)


def drawn(seed: int = 0, size: tuple[int, int] = (384, 320)) -> Pixels:
    """Return random ellipses and lines, drawn at four times the size."""
    rng = np.random.default_rng(seed)
    image = Image.new("L", (4 * size[0], 4 * size[1]), 120)
    pen = ImageDraw.Draw(image)
    for _ in range(150):
        x, y = rng.uniform(0, 4 * size[0]), rng.uniform(0, 4 * size[1])
        box = (x, y, x + rng.uniform(20, 300), y + rng.uniform(20, 300))
        pen.ellipse(box, fill=int(rng.integers(30, 220)))
        pen.line(box, fill=int(rng.integers(30, 220)), width=int(rng.integers(4, 24)))
    return np.asarray(image.resize(size, Image.Resampling.BOX))


def blurred(pixels: Pixels, kernel: NDArray[np.float64]) -> Pixels:
    """Return pixels convolved with a kernel."""
    plane = convolve((pixels[..., None] / 255).astype(np.float32), kernel)[..., 0]
    return np.rint(plane * 255).astype(np.uint8)


def noisy(pixels: Pixels, sigma: float, seed: int = 1) -> Pixels:
    """Return pixels with Gaussian noise of this many grey levels."""
    noise = np.random.default_rng(seed).normal(0, sigma, pixels.shape)
    return np.clip(np.rint(pixels + noise), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("sigma", [1.0, 1.5, 2.0, 3.0, 5.0])
@pytest.mark.parametrize("degrees", [3.0, 20.0, 70.0])
def test_the_value_is_one_over_the_width_of_an_edge(sigma: float, degrees: float) -> None:
    """A blurred step of a known width, within a tenth."""
    assert 1 / sharpness_of(step(sigma, degrees)).value == pytest.approx(RISE * sigma, rel=0.1)


def test_noise_hardly_moves_the_value() -> None:
    """A step of 5 px with noise of 8 grey levels, within a tenth of the one without."""
    clean = step(2.0, 20.0)

    assert sharpness_of(noisy(clean, 8)).value == pytest.approx(sharpness_of(clean).value, rel=0.1)


@pytest.mark.parametrize(("first", "second"), [(0, 0), (3, 3), (8, 8), (8, 3), (3, 8)])
@pytest.mark.parametrize("kernel", [gaussian(1), gaussian(3), motion(3, 20)], ids=["1 px", "3 px", "motion"])
def test_the_sharper_frame_leads_whatever_the_noise(first: float, second: float, kernel: NDArray[np.float64]) -> None:
    """Noise on either frame neither makes nor hides sharpness."""
    sharp = drawn()
    ahead = lead(sharpness_of(noisy(sharp, first)), sharpness_of(noisy(blurred(sharp, kernel), second, 2)))

    assert ahead.amount > 0
    assert not ahead.tie


def test_a_shifted_and_darker_frame_is_compared_as_well() -> None:
    """A burst from the hand moves by some pixels, and its exposure changes."""
    sharp = drawn(4, (448, 384))
    soft = blurred(sharp, gaussian(1))
    dark = (soft[:-24, :-24] * 0.7).astype(np.uint8)
    ahead = lead(sharpness_of(noisy(dark, 3)), sharpness_of(noisy(sharp[24:, 24:], 3, 2)))

    assert ahead.amount < 0
    assert not ahead.tie


def test_smoothed_noise_is_no_texture() -> None:
    """Noise of a small camera after its JPEG and a reduction: stronger at the coarse scale than white noise."""
    rng = np.random.default_rng(2)
    plane = np.clip(0.4 + 0.08 * rng.standard_normal((320, 320, 1)), 0, 1).astype(np.float32)
    grain = np.rint(convolve(plane, gaussian(0.9)) * 255).astype(np.uint8)[..., 0]

    assert sharpness_of(grain).value == 0


def test_equal_frames_are_a_tie() -> None:
    """Two frames that differ in their noise alone."""
    ahead = lead(sharpness_of(noisy(drawn(), 5, 1)), sharpness_of(noisy(drawn(), 5, 2)))

    assert ahead.tie


def test_frames_without_edges_are_a_tie() -> None:
    """A grey wall has no sharpness, and leads nobody."""
    wall = sharpness_of(noisy(np.full((256, 256), 90, np.uint8), 4))

    assert wall.value == 0
    assert wall.share == 0
    assert lead(wall, wall).tie


def test_frames_of_different_sizes_are_not_compared() -> None:
    """A portrait and a landscape frame are no burst."""
    with pytest.raises(ValueError, match="are no burst"):
        lead(sharpness_of(drawn()), sharpness_of(drawn(0, (320, 384))))


def test_the_peak_is_in_the_sharp_part_and_the_share_follows() -> None:
    """A picture whose right half is out of focus."""
    sharp = drawn(3, (512, 256))
    half = blurred(sharp, gaussian(3)).copy()
    half[:, :256] = sharp[:, :256]
    found = sharpness_of(half)

    assert found.peak[0] < 0.5
    assert 0.35 < found.share < 0.65
    assert sharpness_of(sharp).share > 0.9
    assert sharpness_in(half, [(0.6, 0.0, 0.4, 1.0)]).share < 0.1


def test_colour_is_measured_as_its_luma() -> None:
    """A grey picture as RGB."""
    grey = drawn()

    assert sharpness_of(np.repeat(grey[..., None], 3, axis=2)).value == sharpness_of(grey).value


def test_boxes_choose_the_tiles_that_they_touch() -> None:
    """A box over the corner of four tiles."""
    mask = tiles_in([(0.4, 0.4, 0.2, 0.2)], 2 * TILE + 10, 2 * TILE + 10)

    assert mask.all()
    assert not tiles_in([(0.0, 0.0, 0.3, 0.3)], 4 * TILE, 4 * TILE)[2:].any()


def test_a_box_beyond_the_picture_chooses_what_lies_inside() -> None:
    """A face at the left border, and one that is outside."""
    mask = tiles_in([(-0.2, 0.0, 0.4, 0.25), (-0.5, -0.5, 0.2, 0.2)], 4 * TILE, 4 * TILE)

    assert np.argwhere(mask).tolist() == [[0, 0]]


def test_without_tiles_there_is_no_sharpness() -> None:
    """A box in the rest of the picture beside the last whole tile."""
    found = sharpness_in(drawn(0, (384 + 30, 320)), [(0.95, 0.0, 0.05, 1.0)])

    assert found.value == 0
    assert lead(found, found).tie


def test_of_a_large_picture_one_tile_in_each_block_is_measured() -> None:
    """The tile with the most contrast in each block of four."""
    luma = np.full((8 * TILE, 9 * TILE), 90, np.uint8)
    luma[TILE + 20 :, TILE + 20 :] = 200
    mask = busiest(luma, 20)

    assert mask.shape == (8, 9)
    assert mask.sum() == 4 * 5
    assert mask[1, 1]


def test_a_picture_smaller_than_a_tile_has_no_sharpness() -> None:
    """There is no tile to measure."""
    assert sharpness_of(np.zeros((40, 200), np.uint8)).value == 0


def test_the_noise_is_found_beside_edges() -> None:
    """Noise of 5 grey levels over a picture with edges."""
    pixels = noisy(drawn(), 5)
    tiles = np.lib.stride_tricks.sliding_window_view(pixels, (74, 74))[::64, ::64].reshape(-1, 74, 74)

    assert noise_level(tiles) == pytest.approx(5, rel=0.2)
    assert edge_sums(pixels, busiest(pixels))[1] == pytest.approx(5, rel=0.2)


def test_frames_are_ranked_in_groups_of_ties() -> None:
    """Two sharp frames tie, a soft one is behind them, and a softer one last."""
    sharp = drawn()
    planes = [blurred(sharp, gaussian(3)), sharp, blurred(sharp, gaussian(1)), sharp]
    frames = [sharpness_of(noisy(pixels, 3, seed)) for seed, pixels in enumerate(planes)]
    first, *others = ranked(frames)

    assert set(first) == {1, 3}
    assert others == [[2], [0]]


def test_a_subject_is_compared_by_its_own_tiles() -> None:
    """One frame has the left half in focus, the other one the right half."""
    sharp = drawn(3, (512, 256))
    soft = blurred(sharp, gaussian(2))
    left, right = (np.hstack([sharp[:, :256], soft[:, 256:]]), np.hstack([soft[:, :256], sharp[:, 256:]]))
    subject = tiles_in([(0.1, 0.2, 0.3, 0.5)], 256, 512)

    assert lead(sharpness_of(left), sharpness_of(right), subject).amount > 0
    assert lead(sharpness_of(right), sharpness_of(left), subject).amount < 0


def test_only_tiles_that_both_frames_measured_are_compared() -> None:
    """A frame that measured its left half alone ties with itself."""
    pixels = drawn(3, (512, 256))

    assert lead(sharpness_of(pixels), sharpness_in(pixels, [(0.0, 0.0, 0.5, 1.0)])).tie


def test_a_lead_within_its_error_is_a_tie() -> None:
    """The resolution of the measure."""
    assert Lead(0.02, 0.02).tie
    assert not Lead(0.05, 0.02).tie
