"""Degradations that one kernel cannot make."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from culld.training import blur_kernels
from culld.training.degradations import averaged, blurred_ground, lifted, moved_subject, rolling_shake, small_file

Plane = NDArray[np.float32]


def stripes() -> Plane:
    """Black and white stripes of four pixels, (96, 128, 3)."""
    line = (np.arange(128) // 4 % 2).astype(np.float32)
    return np.repeat(np.tile(line, (96, 1))[..., None], 3, axis=-1)


def left_half() -> Plane:
    """A matte that is 1 on the left half."""
    matte = np.zeros((96, 128), np.float32)
    matte[:, :64] = 1
    return matte


def contrast(part: Plane) -> float:
    """The standard deviation of the pixels."""
    return float(part.std())


@pytest.mark.parametrize("blur", [rolling_shake, averaged])
def test_a_shaken_picture_keeps_its_light_and_loses_its_edges(blur: object) -> None:
    """Nothing is brighter or darker on the whole, and equal generators give equal pictures."""
    sharp = stripes()

    first, second = (blur(sharp, np.random.default_rng(3)) for _ in range(2))  # type: ignore[operator]

    assert first.shape == sharp.shape
    assert contrast(first) < 0.8 * contrast(sharp)
    assert first.mean() == pytest.approx(sharp.mean(), abs=0.05)
    np.testing.assert_array_equal(first, second)


def test_a_moved_subject_leaves_its_ground_sharp() -> None:
    """Far from the subject every pixel keeps its value."""
    sharp = stripes()

    found = moved_subject(sharp, left_half(), blur_kernels.motion(15, 0))

    assert contrast(found[:, 20:44]) < 0.5 * contrast(sharp[:, 20:44])
    np.testing.assert_allclose(found[:, 90:], sharp[:, 90:], atol=1e-5)


def test_a_blurred_ground_leaves_its_subject_sharp() -> None:
    """The other way round."""
    sharp = stripes()

    found = blurred_ground(sharp, left_half(), blur_kernels.disk(6))

    assert contrast(found[:, 84:108]) < 0.5 * contrast(sharp[:, 84:108])
    np.testing.assert_allclose(found[:, :64], sharp[:, :64], atol=1e-5)


def test_lifted_shadows_have_the_light_of_the_scene() -> None:
    """Without noise nothing changes."""
    np.testing.assert_allclose(lifted(stripes() * 0.5, 3, lambda plane: plane), stripes() * 0.5, atol=1e-6)


def test_a_small_file_comes_back_in_the_size_of_the_frame() -> None:
    """It was saved small, and is softer."""
    frame = (stripes() * 255).astype(np.uint8)
    saved = []

    found = small_file(frame, 32, 0.75, lambda pixels: saved.append(pixels.shape) or pixels)  # type: ignore[func-returns-value]

    assert saved == [(24, 32, 3)]
    assert found.shape == frame.shape
    assert found.std() < frame.std()
