"""The tone curve that repairs an exposure, on pixels and on the data of a sensor."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from culld.enhance.exposure import (
    MOST_STOPS,
    TONE_NETWORK,
    clipped_share,
    darkening_curve,
    open_tone_network,
    predict_curve,
    repair_exposure,
)
from culld.imaging.image_file import DecodeLimits
from culld.imaging.raw import develop_corrected, open_raw
from culld.imaging.tone_curve import ToneCurve, apply, to_linear, to_srgb
from culld.inference.network import Signature
from culld.records import Defect
from harness import raw_files, scenes

CURVES = [ToneCurve(stops, shoulder) for stops in (-4.0, -1.0, 0.0, 2.0, 4.0) for shoulder in (0.5, 1.5, 3.0)]
MODEL = Path(__file__).resolve().parents[2] / "models" / "restore-exposure"


@dataclass
class FakeNetwork:
    """Gives one curve, and keeps the thumbnails that it got."""

    stops: float
    shoulder: float = 1.5
    seen: list[NDArray[np.uint8]] = field(default_factory=list)
    signature: Signature = TONE_NETWORK

    def run(self, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
        """Return the curve."""
        self.seen.append(arrays["thumbnail"][0])
        return {"curve": np.array([[self.stops, self.shoulder]], np.float32)}


def colours(seed: int = 1) -> NDArray[np.uint8]:
    """Pixels of every kind: more rows than a block."""
    return np.random.default_rng(seed).integers(0, 256, (150, 40, 3), np.uint8)


def darkened(pixels: NDArray[np.uint8], stops: float) -> NDArray[np.uint8]:
    """The same light, less by these stops, in sRGB."""
    return np.rint(255 * to_srgb(to_linear(pixels / 255) * 2.0**-stops)).astype(np.uint8)


@pytest.mark.parametrize("curve", CURVES)
def test_black_and_white_stay_and_no_two_levels_change_places(curve: ToneCurve) -> None:
    """Whatever the numbers of the curve."""
    levels = curve.levels()

    assert (levels[0], levels[255]) == pytest.approx((0, 255), abs=1e-9)
    assert (np.diff(levels) > 0).all()


def test_a_curve_without_stops_changes_no_pixel() -> None:
    """Whatever its shoulder."""
    pixels = colours()

    np.testing.assert_array_equal(pixels, apply(pixels, ToneCurve(0.0, 0.5)))
    assert ToneCurve(0.0, 3.0).is_neutral()
    assert not ToneCurve(0.5).is_neutral()


def test_the_slope_at_black_is_the_gain() -> None:
    """Three stops are eight times the light."""
    (found,) = ToneCurve(3.0, 1.5).of_light(np.array([1e-6]))

    assert found == pytest.approx(8e-6, rel=1e-3)


def test_dark_tones_get_back_the_light_that_they_lost() -> None:
    """A shadow at three stops less is as before within two levels."""
    shadow = np.full((8, 8, 3), (60, 50, 40), np.uint8)

    found = apply(darkened(shadow, 3), ToneCurve(3.0, 3.0))

    assert np.abs(found.astype(int) - shadow).max() <= 3


def test_channels_are_scaled_alike() -> None:
    """In linear light, so the hue stays: red has as many times the light of blue as before."""
    before = np.array([[[120, 90, 60]]], np.uint8)

    after = apply(before, ToneCurve(1.5, 1.5))

    old, new = (to_linear(each[0, 0] / 255) for each in (before, after))
    np.testing.assert_allclose(new[:2] / new[2], old[:2] / old[2], rtol=0.03)


@pytest.mark.parametrize("stops", [-3.0, 3.0])
def test_a_clipped_area_stays_white_without_detail_or_cast(stops: float) -> None:
    """Nothing is known of what was there."""
    white = np.full((70, 5, 3), 255, np.uint8)

    np.testing.assert_array_equal(white, apply(white, ToneCurve(stops)))


def test_a_lift_clips_no_channel_that_was_not() -> None:
    """A saturated red keeps its steps."""
    red = np.stack([np.arange(20, 250), np.full(230, 10), np.full(230, 10)], axis=-1).astype(np.uint8)[None]

    found = apply(red, ToneCurve(2.0, 1.5))[0, :, 0].astype(int)

    assert found.max() < 255
    assert (np.diff(found) >= 0).all()


def test_blocks_of_rows_leave_no_seam() -> None:
    """A photo is as its rows are alone."""
    pixels, curve = colours(), ToneCurve(2.0)

    rows = [apply(row[None], curve)[0] for row in pixels]

    np.testing.assert_array_equal(np.stack(rows), apply(pixels, curve))


def test_a_shoulder_of_nothing_is_refused() -> None:
    """The formula divides by it."""
    with pytest.raises(ValueError, match="is not above 0"):
        ToneCurve(1.0, 0.0)


def test_a_lift_is_limited() -> None:
    """The noise of dark tones grows 16 times at most; a darker curve has no noise to fear."""
    assert predict_curve(colours(), FakeNetwork(9.0)) == ToneCurve(MOST_STOPS)
    assert predict_curve(colours(), FakeNetwork(-4.5)) == ToneCurve(-4.5)


def test_the_network_takes_a_portrait_turned() -> None:
    """As the defect network does: its frame lies."""
    network = FakeNetwork(1.0)
    portrait = np.zeros((400, 300, 3), np.uint8)
    portrait[:200] = 255

    found = repair_exposure(portrait, Defect.UNDER, network)

    (seen,) = network.seen
    assert seen.shape == (192, 256, 3)
    assert (seen[:, :100] == 255).all() != (seen[:, -100:] == 255).all()
    np.testing.assert_array_equal(found, apply(portrait, ToneCurve(1.0)))


def test_a_bright_photo_is_darkened_to_grey_without_the_network() -> None:
    """By 4 EV at most; a photo that is darker than grey already stays as it is."""
    network = FakeNetwork(1.0)
    bright = np.full((192, 256, 3), 220, np.uint8)
    white, dark = np.full_like(bright, 255), np.full_like(bright, 40)

    found = repair_exposure(bright, Defect.OVER, network)

    assert network.seen == []
    assert found.max() < 130
    assert darkening_curve(white).stops == pytest.approx(np.log2(0.14), abs=0.01)
    np.testing.assert_array_equal(repair_exposure(dark, Defect.OVER, network), dark)


def test_what_is_just_below_white_counts_as_clipped() -> None:
    """JPEG leaves 252 where the sensor was full."""
    half = np.full((10, 10, 3), 252, np.uint8)
    half[:5] = 180

    assert clipped_share(half) == 0.5


@pytest.mark.parametrize(("fault", "sign"), [("under", 1), ("over", -1)])
def test_the_shipped_network_moves_a_wrong_exposure_back(fault: str, sign: int) -> None:
    """On landscapes that we draw."""
    network = open_tone_network(MODEL / "model.tflite")

    stops = [
        predict_curve(np.asarray(scenes.picture(scenes.Scene(seed, fault, size=(300, 200)))), network).stops
        for seed in range(4)
    ]

    assert min(sign * each for each in stops) > 0.3


def developed(image: Image.Image, light: float, curve: ToneCurve, orientation: int = 1) -> NDArray[np.uint8]:
    """Develop a DNG whose sensor saw an image."""
    file = io.BytesIO(raw_files.dng(image, light=light, orientation=orientation))
    with open_raw(file, DecodeLimits()) as raw:
        raw.linear_rgb()  # as before a prediction: at half size
        return develop_corrected(raw, curve)


def test_a_dark_raw_is_lifted_from_the_data_of_its_sensor() -> None:
    """Nearer to the well exposed shot than eight bits that are lifted."""
    pytest.importorskip("rawpy")
    image = scenes.picture(scenes.Scene(3, size=(240, 160)))
    curve, plain = ToneCurve(5.0, 3.0), ToneCurve(0.0)

    wanted = developed(image, 0.3, plain).astype(int)
    from_sensor = developed(image, 0.3 / 32, curve).astype(int)
    from_pixels = apply(developed(image, 0.3 / 32, plain), curve).astype(int)

    errors = [float(np.sqrt(np.square(found - wanted).mean())) for found in (from_sensor, from_pixels)]
    assert errors[0] < 0.95 * errors[1]


def test_a_raw_is_developed_upright_and_in_full_resolution() -> None:
    """A turned camera gives a portrait; a plain curve does not darken white."""
    pytest.importorskip("rawpy")
    image = Image.new("RGB", (120, 80), "white")

    found = developed(image, 1.5, ToneCurve(-2.0), orientation=6)

    assert found.shape == (120, 80, 3)
    assert (found == 255).all()
