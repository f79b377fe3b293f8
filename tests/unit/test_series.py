"""Series: bursts, brackets, focus stacks and panoramas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from culld.imaging.decode import to_network_frame
from culld.records import Assessment, Camera, Exposure, Series, SeriesKind, Threshold
from culld.stages.decide.bursts import best_of
from culld.stages.group.series import series_of
from culld.stages.read.assess import dhash_of
from harness import factories

STEADY = Exposure(1 / 250, 4.0, 200, 0.0)
WIDE = factories.picture(1, (2400, 720))
SCENE, OTHER = factories.picture(2), factories.picture(3)


def shot(
    name: str, second: float, picture: Image.Image | None = None, *, blur: float = 0.0, exposure: Exposure = STEADY
) -> Assessment:
    """A shot some seconds after noon."""
    found = factories.assessment(name, blur=blur)
    camera = Camera("X", factories.NOON + timedelta(seconds=second), exposure=exposure, focal_mm=35)
    likeness = None if picture is None else dhash_of(to_network_frame(picture))
    return replace(found, photo=replace(found.photo, camera=camera), dhash=likeness)


def moved(by: int) -> Image.Image:
    """The wide scene through a window of 900 pixels, so far from its left."""
    return WIDE.crop((by, 0, by + 900, 720))


def kinds(shots: Sequence[Assessment]) -> list[SeriesKind | None]:
    """The kind of series that each shot is in."""
    found = series_of(shots)
    return [found[each.photo.place].kind if each.photo.place in found else None for each in shots]


def test_shots_of_one_view_in_quick_succession_are_a_burst() -> None:
    """A hand-held camera moves a little; another scene ends the burst, and so does a pause."""
    hand = [moved(by) for by in (0, 12, 3)]
    shots = [shot(f"{n}.jpg", n * 0.5, picture) for n, picture in enumerate([*hand, OTHER])]
    late = shot("late.jpg", 30, moved(0))

    assert kinds([*shots, late]) == [SeriesKind.BURST] * 3 + [None, None]


def test_one_shot_alone_is_no_series() -> None:
    """Nor are shots without a time."""
    timeless = replace(factories.assessment("b.jpg"), dhash=dhash_of(to_network_frame(SCENE)))

    assert kinds([shot("a.jpg", 0, SCENE), timeless, replace(timeless, photo=factories.photo("c.jpg"))]) == [None] * 3


@pytest.mark.parametrize(
    "exposures",
    [
        [replace(STEADY, bias_ev=bias) for bias in (0.0, -2.0, 2.0)],
        [replace(STEADY, time_s=seconds) for seconds in (1 / 1000, 1 / 250, 1 / 60)],
        [replace(STEADY, bias_ev=bias) for bias in (0, -0.7, 0.7, 0, -0.7, 0.7)],
    ],
)
def test_exposures_in_even_steps_are_a_bracket(exposures: list[Exposure]) -> None:
    """By the bias, or in manual mode by the exposure value; two brackets in a row are brackets, too."""
    shots = [
        shot(f"{n}.jpg", n / 2, ImageEnhance.Brightness(SCENE).enhance(0.5 + n / 4), exposure=exposure)
        for n, exposure in enumerate(exposures)
    ]

    assert kinds(shots) == [SeriesKind.BRACKET] * len(shots)


def test_auto_bracket_in_the_exif_makes_a_bracket() -> None:
    """Whatever the steps are."""
    shots = [shot(f"{n}.jpg", n / 2, SCENE) for n in range(3)]
    told = [
        replace(each, photo=replace(each.photo, camera=replace(each.photo.camera, auto_bracket=True))) for each in shots
    ]

    assert kinds(shots) == [SeriesKind.BURST] * 3
    assert kinds(told) == [SeriesKind.BRACKET] * 3


def test_an_exposure_that_wanders_is_no_bracket() -> None:
    """A burst under changing light."""
    times = (1 / 250, 1 / 240, 1 / 150, 1 / 40)
    shots = [shot(f"{n}.jpg", n / 2, SCENE, exposure=replace(STEADY, time_s=s)) for n, s in enumerate(times)]

    assert kinds(shots) == [SeriesKind.BURST] * 4


def test_a_view_that_does_not_move_through_many_shots_is_a_focus_stack() -> None:
    """On a tripod, at one setting, in even time, with the sharpness wandering."""
    pictures = [factories.blurred(SCENE, radius) for radius in (9, 4, 1, 4, 9)]
    shots = [shot(f"{n}.jpg", n, picture) for n, picture in enumerate(pictures)]

    assert kinds(shots) == [SeriesKind.FOCUS_STACK] * 5
    assert kinds(shots[:4]) == [SeriesKind.BURST] * 4


@pytest.mark.parametrize("way", [1, -1])
@pytest.mark.parametrize("upright", [True, False])
def test_views_that_overlap_and_move_one_way_are_a_panorama(way: int, upright: bool) -> None:  # noqa: FBT001
    """With the camera held either way, and turned either way."""
    steps = [0, 380, 760, 1140][::way]
    width = 500 if upright else 900
    pictures = [WIDE.crop((by // (2 if upright else 1), 0, by // (2 if upright else 1) + width, 720)) for by in steps]
    shots = [shot(f"{n}.jpg", 3 * n, picture) for n, picture in enumerate(pictures)]

    assert kinds(shots) == [SeriesKind.PANORAMA] * 4


def test_photos_of_different_subjects_are_no_panorama() -> None:
    """For example at one setting in a studio."""
    shots = [shot(f"{n}.jpg", 3 * n, factories.picture(n)) for n in range(10, 16)]

    assert kinds(shots) == [None] * 6


def test_the_best_of_a_burst_is_one_that_nothing_rejects() -> None:
    """Then the one with the least of all defects, then the first."""
    rules = replace(factories.rules(), over=Threshold(0.1, 0.2))
    scores = [(0.98, 0.0), (0.6, 0.1), (0.1, 0.3), (0.6, 0.1)]
    shots = [
        replace(each, result=replace(each.result, over=over))
        for n, (blur, over) in enumerate(scores)
        for each in [shot(f"{n}.jpg", n, blur=blur)]
    ]

    best = best_of(Series(SeriesKind.BURST, tuple(shots)), rules)
    assert best.photo.place.relative.name == "1.jpg"


def test_likeness_ignores_blur_and_darkness_and_distinguishes_scenes() -> None:
    """Bursts depend on it; the generated photos have harder edges than real ones."""
    here, other = dhash_of(to_network_frame(SCENE)), dhash_of(to_network_frame(OTHER))

    assert here.distance(here) == 0
    assert here.distance(dhash_of(to_network_frame(factories.blurred(SCENE)))) < 0.1
    assert here.distance(dhash_of(to_network_frame(ImageEnhance.Brightness(SCENE).enhance(0.2)))) < 0.1
    assert here.distance(other) > 0.36
    assert here.distance(other) == other.distance(here)


def test_a_moved_picture_is_compared_where_it_overlaps() -> None:
    """Eight of sixteen columns to the right, or rows down, the other half fits exactly."""
    noise = np.random.default_rng(1).integers(0, 255, (17, 34), dtype=np.uint8)
    wide = [dhash_of(np.repeat(noise[:, x : x + 17, None], 3, axis=2)) for x in (0, 8)]
    tall = [dhash_of(np.repeat(noise.T[y : y + 17, :, None], 3, axis=2)) for y in (0, 8)]

    for one, other, way in [(*wide, "right"), (*tall, "down")]:
        assert one.distance(other, **{way: 8}) == 0
        assert one.distance(other) > 0.3
        assert other.distance(one, **{way: 8}) > 0.3
    assert [a.distance(b) for a, b in pairwise(wide)]
