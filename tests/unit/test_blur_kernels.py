"""Blur kernels against the published values of the functions that they follow."""

from __future__ import annotations

import numpy as np
import pytest

from culld.training.blur_kernels import cat_eye, convolve, disk, gaussian, motion, shake, small_blur

DISK_1 = [[0.0251, 0.1453, 0.0251], [0.1453, 0.3183, 0.1453], [0.0251, 0.1453, 0.0251]]
DISK_2 = [
    [0.0000, 0.0170, 0.0381, 0.0170, 0.0000],
    [0.0170, 0.0784, 0.0796, 0.0784, 0.0170],
    [0.0381, 0.0796, 0.0796, 0.0796, 0.0381],
]


def test_a_disk_of_radius_one_has_matlabs_values() -> None:
    """The golden kernel of `fspecial('disk', 1)`, to four digits."""
    np.testing.assert_allclose(DISK_1, disk(1), atol=5e-5)


def test_a_disk_of_radius_two_has_matlabs_values() -> None:
    """The golden kernel of `fspecial('disk', 2)`; its lower half mirrors the upper."""
    found = disk(2)

    np.testing.assert_allclose(DISK_2, found[:3], atol=5e-5)
    np.testing.assert_allclose(found, found[::-1])


def test_a_level_motion_of_odd_length_is_a_row_of_equal_shares() -> None:
    """`fspecial('motion', 9, 0)` is nine ninths in a row."""
    kernel = motion(9, 0)

    np.testing.assert_allclose(np.full(9, 1 / 9), kernel[kernel.shape[0] // 2, 1:-1])
    assert pytest.approx(1.0) == kernel.sum()


def test_a_level_motion_of_even_length_shares_its_ends() -> None:
    """`fspecial('motion', 4, 0)` covers half of either end pixel."""
    kernel = motion(4, 0)
    row = kernel[kernel.shape[0] // 2]

    np.testing.assert_allclose([0.125, 0.25, 0.25, 0.25, 0.125], row[row > 0])


def test_a_motion_of_ninety_degrees_is_the_level_one_turned() -> None:
    """Upwards is sideways, turned."""
    np.testing.assert_allclose(motion(7, 0), motion(7, 90).T, atol=1e-12)


def test_a_positive_angle_rises_to_the_right() -> None:
    """Angles count counter-clockwise, as in MATLAB: the upper right corner is lit, the upper left is not."""
    kernel = motion(9, 45)
    size = kernel.shape[0]

    assert kernel[: size // 2, size // 2 + 1 :].sum() > 0.3
    assert pytest.approx(0.0) == kernel[: size // 2 - 1, : size // 2 - 1].sum()


@pytest.mark.parametrize(
    "kernel",
    [
        disk(4.3),
        motion(6, 30),
        gaussian(2.5),
        shake(20, np.random.default_rng(3)),
        cat_eye(6, np.random.default_rng(3)),
    ],
)
def test_every_kernel_is_square_and_keeps_the_light(kernel: np.ndarray) -> None:
    """Kernels have an odd side, no negative weight, and the sum 1."""
    assert kernel.shape[0] == kernel.shape[1]
    assert kernel.shape[0] % 2 == 1
    assert kernel.min() >= 0
    assert pytest.approx(1.0) == kernel.sum()


def test_a_hand_path_is_the_same_for_the_same_seed() -> None:
    """The generator alone decides the path."""
    np.testing.assert_array_equal(shake(15, np.random.default_rng(5)), shake(15, np.random.default_rng(5)))


def test_a_flat_picture_stays_flat_up_to_its_border() -> None:
    """Borders are replicated, so nothing dark creeps in."""
    flat = np.full((40, 50, 3), 0.3, np.float32)

    np.testing.assert_allclose(flat, convolve(flat, disk(6)), atol=1e-6)


def test_convolution_is_the_weighted_sum_of_neighbours() -> None:
    """Away from the border a pixel is the kernel, turned, times its surroundings."""
    image = np.random.default_rng(0).random((30, 30, 3), dtype=np.float32)
    kernel = motion(5, 20)
    reach = kernel.shape[0] // 2
    around = image[15 - reach : 16 + reach, 12 - reach : 13 + reach]

    wanted = (around * kernel[::-1, ::-1, None]).sum(axis=(0, 1))

    np.testing.assert_allclose(wanted, convolve(image, kernel)[15, 12], atol=1e-5)


def test_the_small_blur_is_the_binomial_kernel() -> None:
    """The quick blur equals the convolution with 1 2 1 in both directions."""
    image = np.random.default_rng(1).random((16, 20, 3), dtype=np.float32)
    kernel = np.outer([1, 2, 1], [1, 2, 1]) / 16

    np.testing.assert_allclose(convolve(image, kernel), small_blur(image), atol=1e-6)


def test_the_cat_eye_kernel_is_a_disk_with_one_side_cut_off() -> None:
    """Light stays inside the disk, and a part of the disk is dark."""
    eye, whole = cat_eye(6, np.random.default_rng(3)), disk(6)

    assert ((eye > 0) <= (whole > 0)).all()
    assert 0.3 < (eye > 0).sum() / (whole > 0).sum() < 0.9
