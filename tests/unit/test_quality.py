"""Structural similarity, noise ratio and overlap, against their definitions."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

pytest.importorskip("cv2", reason="OpenCV is an extra: pip install culld[vision]")

from culld.imaging.quality import iou, psnr, ssim_map


def _pictures(*shape: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    first = np.kron(rng.integers(0, 256, (6, 8, *shape[2:])), np.ones((8, 8, *[1] * (len(shape) - 2)))).astype(np.uint8)
    noisy = first + rng.normal(0, 12, first.shape)
    return first, np.clip(noisy, 0, 255).astype(np.uint8)


def _by_definition(first: np.ndarray, second: np.ndarray, row: int, column: int) -> float:
    """The SSIM of one pixel: weighted means, variances and covariance of the 11 x 11 pixels around it."""
    offsets = np.arange(-5, 6)
    bell = np.exp(-(offsets**2) / (2 * 1.5**2))
    weight = np.outer(bell, bell) / bell.sum() ** 2
    x, y = (p.astype(float)[row - 5 : row + 6, column - 5 : column + 6] for p in (first, second))
    ux, uy = (weight * x).sum(), (weight * y).sum()
    vx, vy = (weight * (x - ux) ** 2).sum(), (weight * (y - uy) ** 2).sum()
    cov = (weight * (x - ux) * (y - uy)).sum()
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    return (2 * ux * uy + c1) * (2 * cov + c2) / ((ux**2 + uy**2 + c1) * (vx + vy + c2))


def test_similarity_is_that_of_its_definition_inside_the_picture() -> None:
    """Four pixels equal the formula of Wang et al., window by window."""
    first, second = _pictures(48, 64)
    found = ssim_map(first, second)
    assert found.dtype == np.float32
    assert found.shape == (48, 64)
    for row, column in ((5, 5), (20, 31), (40, 58), (23, 24)):
        assert found[row, column] == pytest.approx(_by_definition(first, second, row, column), abs=2e-4)


def test_the_border_mirrors_the_picture() -> None:
    """A picture that is mirrored by hand has the same values up to its border."""
    first, second = _pictures(48, 64)
    wide = ssim_map(np.pad(first, 5, mode="symmetric"), np.pad(second, 5, mode="symmetric"))
    assert ssim_map(first, second) == pytest.approx(wide[5:-5, 5:-5], abs=1e-5)


def test_similarity_of_colours_is_the_mean_of_the_channels() -> None:
    """Each channel counts alike."""
    first, second = _pictures(48, 64, 3)
    single = [ssim_map(first[..., channel], second[..., channel]) for channel in range(3)]
    assert ssim_map(first, second) == pytest.approx(np.mean(single, axis=0), abs=1e-5)


def test_equal_pictures_are_wholly_alike() -> None:
    """A picture has similarity 1 with itself, and no noise."""
    first, _ = _pictures(48, 64, 3)
    assert ssim_map(first, first) == pytest.approx(1.0, abs=1e-4)
    assert psnr(first, first) == math.inf


def test_an_inverted_picture_is_unlike() -> None:
    """Opposed structure has a negative similarity."""
    first, _ = _pictures(48, 64)
    assert ssim_map(first, 255 - first).mean() < 0


def test_a_difference_of_ten_levels_is_28_decibels() -> None:
    """The peak is 255."""
    flat = np.full((8, 8, 3), 100, np.uint8)
    assert psnr(flat, flat + 10) == pytest.approx(20 * math.log10(25.5))


def test_overlap_is_intersection_over_union() -> None:
    """Two empty masks agree; half of two columns is a third of three."""
    first, second = np.zeros((4, 4), bool), np.zeros((4, 4), bool)
    assert iou(first, second) == 1.0
    first[:, :2] = True
    assert iou(first, second) == 0.0
    second[:, 1:3] = True
    assert iou(first, second) == pytest.approx(1 / 3)


@pytest.mark.parametrize("measure", [ssim_map, psnr])
def test_pictures_of_two_sizes_are_refused(measure: Callable[..., object]) -> None:
    """Nothing is broadcast."""
    with pytest.raises(ValueError, match="pixel by pixel"):
        measure(np.zeros((4, 5), np.uint8), np.zeros((5, 4), np.uint8))


def test_masks_of_two_sizes_are_refused() -> None:
    """Nothing is broadcast."""
    with pytest.raises(ValueError, match="cannot overlap"):
        iou(np.zeros((4, 5), bool), np.zeros((5, 4), bool))
