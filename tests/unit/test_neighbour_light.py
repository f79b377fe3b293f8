"""The light of a photo against that of its neighbours."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from culld.records import Assessment, Camera, Exposure, Subject
from culld.stages.group.neighbour_light import light_against_neighbours
from culld.subject.light import stops
from harness import factories

FLASH = Exposure(1 / 60, 4.0, 400)


def shot(name: str, second: float, brightness: float | None, exposure: Exposure = FLASH) -> Assessment:
    """A shot so many seconds after noon, with this median brightness in EV above mid grey."""
    made = factories.assessment(name)
    camera = Camera("X", factories.NOON + timedelta(seconds=second), exposure=exposure)
    return replace(made, photo=replace(made.photo, camera=camera), subject=Subject(brightness=brightness))


def light_of(*shots: Assessment) -> dict[str, float]:
    """The light against the neighbours, by name."""
    return {place.relative.name: round(light, 2) for place, light in light_against_neighbours(shots).items()}


def test_a_flash_that_did_not_fire_shows_as_a_dark_frame_at_equal_settings() -> None:
    """The frames beside it are as bright as each other."""
    found = light_of(shot("a", 0, -0.5), shot("b", 4, -0.4), shot("dark", 8, -2.6), shot("c", 12, -0.5))

    assert found["dark"] == pytest.approx(-2.1)
    assert all(abs(found[name]) <= 0.1 for name in "abc")


def test_the_frames_of_a_bracket_show_the_same_light() -> None:
    """The dark one was exposed shorter."""
    times = {"dark": 1 / 240, "middle": 1 / 60, "bright": 1 / 15}
    bracket = [
        shot(name, second, brightness, replace(FLASH, time_s=times[name]))
        for second, (name, brightness) in enumerate({"dark": -2.5, "middle": -0.5, "bright": 1.5}.items())
    ]

    assert light_of(*bracket) == {"dark": 0, "middle": 0, "bright": 0}


def test_a_shot_long_before_is_no_neighbour() -> None:
    """Nor is one neighbour enough: it may be the wrong one."""
    assert light_of(shot("a", 0, -0.5), shot("b", 100, -0.5), shot("c", 130, -2.5), shot("d", 155, -0.5)) == {
        "b": 1.0,
        "c": -2.0,
        "d": 1.0,
    }
    assert light_of(shot("a", 0, -0.5), shot("b", 4, -2.5)) == {}


def test_without_settings_or_brightness_there_is_no_value() -> None:
    """Such a shot does not count as a neighbour either."""
    unknown = shot("unknown", 2, None), shot("bare", 3, -3.0, Exposure())

    assert light_of(shot("a", 0, -0.5), shot("b", 4, -0.5), shot("c", 8, -0.5), *unknown).keys() == {"a", "b", "c"}


def test_stops_are_counted_from_the_grey_card() -> None:
    """A level of 118 is 18 % of the light (IEC 61966-2-1)."""
    grey = np.full((6, 8, 3), 118, np.uint8)

    assert stops(grey) == pytest.approx(0, abs=0.05)
    assert stops(np.full_like(grey, 255)) == pytest.approx(2.47, abs=0.01)
    assert stops(np.zeros_like(grey)) < -6
