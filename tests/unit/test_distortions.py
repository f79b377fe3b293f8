"""Distortions and the defects that they cause."""

from __future__ import annotations

import numpy as np
import pytest

from culld.records import Defect
from culld.training.distortions import KADIS_LEVELS, Distortion, Kind, distort

PICTURE = np.random.default_rng(2).random((48, 64, 3), dtype=np.float32)


def test_the_kadis_levels_are_those_of_its_paper() -> None:
    """Levels 2-4 of lens blur, 4-5 of the others, in the units of KADID-10k."""
    wanted = {
        Kind.LENS: (2, 4, 6),
        Kind.STREAK: (6, 10),
        Kind.BRIGHTEN: (0.7, 1.1),
        Kind.DARKEN: (0.4, 0.8),
    }

    assert wanted == KADIS_LEVELS


@pytest.mark.parametrize(
    ("kind", "level", "defect"),
    [
        (Kind.LENS, 4, Defect.BLUR),
        (Kind.SHAKE, 20, Defect.BLUR),
        (Kind.DARKEN, 0.4, Defect.UNDER),
        (Kind.BRIGHTEN, 0.7, Defect.OVER),
        (Kind.EXPOSURE, -2, Defect.UNDER),
        (Kind.EXPOSURE, 2, Defect.OVER),
    ],
)
def test_every_step_names_the_defect_it_brings(kind: Kind, level: float, defect: Defect) -> None:
    """The label of a picture follows from what was done to it."""
    assert defect is Distortion(kind, level).defect


@pytest.mark.parametrize("kind", list(Kind))
def test_equal_generators_make_equal_pictures_and_do_change_them(kind: Kind) -> None:
    """Training pictures can be made again bit by bit."""
    steps = [Distortion(kind, 2.0)]

    first = distort(PICTURE, steps, np.random.default_rng(9))
    second = distort(PICTURE, steps, np.random.default_rng(9))

    np.testing.assert_array_equal(first, second)
    assert np.abs(first - PICTURE).max() > 0.01
    assert first.min() >= 0
    assert first.max() <= 1


def test_a_lamp_blurred_in_linear_light_stays_brighter() -> None:
    """The reason for linear light: a blurred bright point keeps its energy."""
    night = np.full((31, 31, 3), 0.02, np.float32)
    night[15, 15] = 1.0
    rng = np.random.default_rng(0)

    real = distort(night, [Distortion(Kind.DEFOCUS, 3)], rng)
    on_numbers = distort(night, [Distortion(Kind.LENS, 3)], rng)

    assert real[15, 13, 0] > 2 * on_numbers[15, 13, 0]


def test_a_stronger_disk_leaves_less_detail() -> None:
    """Contrast between neighbours falls with every level."""
    left = [
        float(
            np.abs(
                np.diff(distort(PICTURE, [Distortion(Kind.DEFOCUS, level)], np.random.default_rng(0)), axis=1)
            ).mean()
        )
        for level in (1, 2, 4, 8)
    ]

    assert sorted(left, reverse=True) == left
