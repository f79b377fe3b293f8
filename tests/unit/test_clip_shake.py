"""The path of the camera, and what of it is shake."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PIL import Image

from culld.segment.clips.shake import Position, displacement, next_position, shake_at, spectrum
from harness import scenes

SHAPE = (90, 160)
LARGE = np.asarray(scenes.picture(scenes.Scene(5, size=(900, 600))).convert("L"))


def small(right: float, down: float) -> np.ndarray:
    """The picture seen by a camera that moved by these pixels of the reduced frame, multiples of a quarter."""
    left, top = 80 + round(4 * right), 80 + round(4 * down)
    return np.asarray(Image.fromarray(LARGE).crop((left, top, left + 640, top + 360)).reduce(4))


def path(moves: list[tuple[float, float]], rate: float = 30.0) -> list[Position]:
    """A path through these positions."""
    return [Position(number / rate, right, down, 0) for number, (right, down) in enumerate(moves)]


def shake(points: list[Position], at: float) -> float | None:
    """The shake of a path at a moment."""
    return shake_at(points, np.array([each.at for each in points]), at)


@pytest.mark.parametrize("moved", [(0.0, 0.0), (3.0, -2.0), (0.25, 0.75), (-11.5, 6.25), (-25.0, 8.0)])
def test_a_displacement_is_found_to_a_fraction_of_a_pixel(moved: tuple[float, float]) -> None:
    """The picture moves against the camera."""
    before, after = spectrum(small(0, 0)), spectrum(small(*moved))
    assert before is not None
    assert after is not None

    found = displacement(before, after, SHAPE)

    assert found == pytest.approx((-moved[0], -moved[1]), abs=0.15)


def test_other_light_moves_nothing() -> None:
    """A camera adapts its exposure while it films."""
    before, after = spectrum(small(0, 0)), spectrum((small(2, 1) * 0.4).astype(np.uint8))
    assert before is not None
    assert after is not None

    assert displacement(before, after, SHAPE) == pytest.approx((-2, -1), abs=0.25)


def test_another_picture_has_no_displacement() -> None:
    """A cut is no shake."""
    other = np.asarray(scenes.picture(scenes.Scene(8, size=(160, 90))).convert("L"))
    before, after = spectrum(small(0, 0)), spectrum(other[::-1, ::-1].copy())
    assert before is not None
    assert after is not None

    assert displacement(before, after, SHAPE) is None


def test_a_jump_within_a_scene_is_a_cut() -> None:
    """No hand moves a third of the frame between two frames."""
    before, after = spectrum(small(0, 0)), spectrum(small(50, 0))
    assert before is not None
    assert after is not None

    assert displacement(before, after, SHAPE) is None


def test_a_picture_without_texture_has_no_spectrum() -> None:
    """A wall, fog, or a covered lens."""
    assert spectrum(np.full(SHAPE, 90, np.uint8)) is None


def test_a_pan_is_no_shake() -> None:
    """However fast, and while it gets faster."""
    steady = path([(0.01 * n, 0.0) for n in range(60)])
    faster = path([(0.0005 * n**2, 0.002 * n) for n in range(60)])

    assert shake(steady, 1.0) == pytest.approx(0.0, abs=1e-9)
    assert shake(faster, 1.0) == pytest.approx(0.0, abs=1e-9)


def test_tremor_is_measured_by_its_root_mean_square() -> None:
    """A sine of 6 Hz on top of a pan."""
    waves = [(0.01 * n + 0.008 * math.sin(2 * math.pi * 6 * n / 30), 0.0) for n in range(90)]

    assert shake(path(waves), 1.5) == pytest.approx(0.008 / math.sqrt(2), rel=0.1)


def test_too_short_a_path_is_not_judged() -> None:
    """Nor one that is cut before and behind."""
    points = path([(0.0, 0.0)] * 60)
    cut = [Position(p.at, 0.0, 0.0, int(p.at > 0.95) + int(p.at > 1.05)) for p in points]

    assert shake(points[:4], 0.0) is None
    assert shake(cut, 1.0) is None
    assert shake([], 0.0) is None


def test_an_unknown_displacement_starts_a_new_piece() -> None:
    """What lies before and behind it is not compared."""
    first = Position(0.0, 0.2, 0.1, 0)

    assert next_position(first, None, 0.1, 100.0) == Position(0.1, 0.0, 0.0, 1)
    assert next_position(first, (10.0, -5.0), 0.1, 100.0) == Position(0.1, pytest.approx(0.3), pytest.approx(0.05), 0)
