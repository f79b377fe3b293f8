"""Tone curves and exposure."""

from __future__ import annotations

import numpy as np
import pytest

from culld.training.photometric import (
    brighten,
    contrast,
    darken,
    expose,
    highlights,
    luma,
    parabola,
    relight,
    saturate,
    to_linear,
    to_srgb,
)

RAMP = np.repeat(np.linspace(0, 1, 33, dtype=np.float32)[None, :, None], 3, axis=2)


def test_the_parabola_goes_through_its_three_points() -> None:
    """Black and white stay; the middle moves to the given value."""
    points = np.array([0.0, 0.5, 1.0], np.float32)

    np.testing.assert_allclose([0.0, 0.7, 1.0], parabola(points, 0.7), atol=1e-6)


def test_a_steep_parabola_is_clipped_to_white() -> None:
    """KADIS' strongest brighten (amount 1.1, middle 1.05) passes 1 before the end and stays there."""
    values = np.array([0.25, 0.5, 0.75], np.float32)

    np.testing.assert_allclose([0.6625, 1.0, 1.0], parabola(values, 1.05), atol=1e-6)


@pytest.mark.parametrize(("amount", "middle"), [(0.4, 0.3), (0.8, 0.1)])
def test_darken_leaves_white_at_white(amount: float, middle: float) -> None:
    """KADIS' darken bends the middle only: its levels 4 and 5."""
    found = darken(np.full((1, 1, 3), 0.5, np.float32), amount)

    np.testing.assert_allclose(np.full((1, 1, 3), middle), found, atol=1e-6)
    np.testing.assert_allclose(np.ones((1, 1, 3)), darken(np.ones((1, 1, 3), np.float32), amount), atol=1e-6)


def test_brighten_mixes_two_parts_rgb_and_one_part_lightness() -> None:
    """A grey of sRGB 0.5 has L* 53.39; the golden value for amount 0.4 (middle 0.7) is computed by hand from that.

    RGB part: 0.7. Lightness part: the curve takes 0.5339 to 0.7289, which is linear 0.4507, which is sRGB 0.7021.
    """
    found = brighten(np.full((1, 1, 3), 0.5, np.float32), 0.4)

    lightness = 0.53389
    bent = (2 - 2.8) * lightness**2 + 1.8 * lightness
    linear = ((bent + 0.16) / 1.16) ** 3
    wanted = (2 * 0.7 + 1.055 * linear ** (1 / 2.4) - 0.055) / 3
    np.testing.assert_allclose(np.full((1, 1, 3), wanted), found, atol=1e-4)


def test_brighten_by_nothing_changes_nothing() -> None:
    """The way through CIE Lab and back loses less than a 5000th."""
    colours = np.random.default_rng(0).random((20, 20, 3), dtype=np.float32)

    np.testing.assert_allclose(colours, brighten(colours, 0.0), atol=2e-4)


def test_the_transfer_curve_has_the_standards_values() -> None:
    """IEC 61966-2-1: sRGB 0.5 is 21.4 % of the light, and both ways cancel."""
    np.testing.assert_allclose([0.2140], to_linear(np.array([0.5], np.float32)), atol=1e-4)
    np.testing.assert_allclose(RAMP, to_srgb(to_linear(RAMP)), atol=1e-6)


def test_one_stop_less_halves_the_light_and_moves_white_too() -> None:
    """Real under-exposure scales linear light: unlike KADIS' darken, white falls."""
    found = expose(np.ones((64, 64, 3), np.float32), -1.0, np.random.default_rng(0))

    assert pytest.approx(0.5, abs=0.01) == found.mean()


def test_stops_above_clip_at_white() -> None:
    """Three stops more burn everything above an eighth."""
    found = expose(np.full((64, 64, 3), 0.3, np.float32), 3.0, np.random.default_rng(0))

    assert pytest.approx(1.0, abs=0.01) == found.mean()
    assert found.max() <= 1.0


def test_luma_weighs_green_most() -> None:
    """Rec. 709 weights, white is 1."""
    colours = np.array([[[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]]], np.float32)

    np.testing.assert_allclose([[0.2126, 0.7152, 0.0722, 1.0]], luma(colours), atol=1e-6)


def test_highlights_give_back_the_light_above_white() -> None:
    """White gains all the stops, three quarters of full light a quarter of them, and half none."""
    light = np.array([[[0.5] * 3, [0.75] * 3, [1.0] * 3]], np.float32)

    found = highlights(light, 2.0)

    np.testing.assert_allclose([0.5, 0.75 * 2**0.5, 4.0], found[0, :, 0], rtol=1e-5)


def test_uneven_light_is_smooth_and_the_same_for_the_same_seed() -> None:
    """No step between neighbours, no colour cast, and about as many stops of spread as asked for."""
    flat = np.full((96, 128, 3), 0.2, np.float32)

    found = relight(flat, 1.0, np.random.default_rng(3))
    stops = np.log2(found[..., 0] / 0.2)

    np.testing.assert_array_equal(found, relight(flat, 1.0, np.random.default_rng(3)))
    np.testing.assert_array_equal(found[..., 0], found[..., 2])
    assert 0.3 < stops.std() < 1.5
    assert max(np.abs(np.diff(stops, axis=0)).max(), np.abs(np.diff(stops, axis=1)).max()) < 0.25


def test_contrast_keeps_black_grey_and_white() -> None:
    """By hand: a quarter at strength 0.5 becomes 0.25 - 2 * 0.25 * 0.25 * 0.75."""
    found = contrast(np.array([0.0, 0.25, 0.5, 1.0], np.float32), 0.5)

    np.testing.assert_allclose([0.0, 0.15625, 0.5, 1.0], found, atol=1e-6)


def test_saturation_moves_colours_and_leaves_grey() -> None:
    """Half the saturation is half the way to the mean of the channels."""
    colours = np.array([[[0.6, 0.3, 0.0], [0.4, 0.4, 0.4]]], np.float32)

    np.testing.assert_allclose([[[0.45, 0.3, 0.15], [0.4, 0.4, 0.4]]], saturate(colours, 0.5), atol=1e-6)
