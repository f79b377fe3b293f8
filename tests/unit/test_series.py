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


def test_a_burst_may_follow_an_object() -> None:
    """Each frame moves by 5 % of its width."""
    shots = [shot(f"{n}.jpg", n * 0.5, moved(45 * n)) for n in range(6)]

    assert kinds(shots) == [SeriesKind.BURST] * 6


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


def by_hand(times: Sequence[float], gap: float = 20, picture: Image.Image = SCENE) -> list[Assessment]:
    """Shots of one view, so many seconds apart, of which only the exposure time changes."""
    second, shots = 0.0, []
    for number, time_s in enumerate(times):
        lit = ImageEnhance.Brightness(picture).enhance(min(4.0, time_s * 60))
        shots.append(shot(f"{number}.jpg", second, lit, exposure=replace(STEADY, time_s=time_s)))
        second += gap + time_s
    return shots


@pytest.mark.parametrize(
    "times",
    [
        [1 / 250, 1 / 125, 1 / 60],
        [1 / 15, 1 / 30, 1 / 60, 1 / 125, 1 / 250],
        [1 / 60, 1 / 90, 1 / 125],
        [1 / 8, 1 / 6, 1 / 4],
        [1 / 60, 1 / 250, 1 / 15],
        [1 / 60, 1 / 30],
        [15, 2.5, 1 / 4, 1 / 30],
    ],
    ids=["rises", "falls", "half stops", "rounded half stops", "middle first", "two", "uneven"],
)
def test_exposure_times_set_by_hand_are_a_bracket(times: list[float]) -> None:
    """The shots are up to a minute apart, and no fact but the time says it."""
    assert kinds(by_hand(times)) == [SeriesKind.BRACKET] * len(times)
    assert kinds(by_hand(times, gap=59)) == [SeriesKind.BRACKET] * len(times)
    assert kinds(by_hand(times, gap=150)) == [None] * len(times)


def test_the_aperture_or_the_iso_may_change_instead_of_the_time() -> None:
    """One of them alone."""
    apertures = [replace(STEADY, aperture=value) for value in (4.0, 5.6, 8.0)]
    isos = [replace(STEADY, iso=value) for value in (100, 200, 800)]

    for exposures in (apertures, isos):
        shots = [shot(f"{n}.jpg", 20 * n, SCENE, exposure=exposure) for n, exposure in enumerate(exposures)]
        assert kinds(shots) == [SeriesKind.BRACKET] * 3


def test_a_bias_set_by_hand_makes_a_bracket() -> None:
    """Whatever the automatic exposure changes to reach it."""
    exposures = [Exposure(1 / 250, 8.0, 200, 0.0), Exposure(1 / 200, 5.6, 100, 1.0), Exposure(1 / 60, 4.0, 200, 2.0)]
    shots = [shot(f"{n}.jpg", 20 * n, SCENE, exposure=exposure) for n, exposure in enumerate(exposures)]

    assert kinds(shots) == [SeriesKind.BRACKET] * 3


@pytest.mark.parametrize(
    "times", [(1 / 250, 1 / 200, 1 / 250), (1 / 250, 1 / 320, 1 / 200, 1 / 250), (1 / 250, 1 / 160)]
)
def test_second_tries_from_hand_are_no_bracket(times: tuple[float, ...]) -> None:
    """The automatic exposure wanders by third stops, and the view moves."""
    shots = [
        shot(f"{n}.jpg", 15 * n, moved(30 * n), exposure=replace(STEADY, time_s=time_s))
        for n, time_s in enumerate(times)
    ]

    assert kinds(shots) == [None] * len(times)


def test_a_bracket_ends_at_another_scene() -> None:
    """The photos before and after it stay alone."""
    before = shot("a.jpg", -30, OTHER, exposure=replace(STEADY, time_s=1 / 250))
    after = shot("z.jpg", 80, factories.picture(4), exposure=replace(STEADY, time_s=1 / 200))
    bracket = by_hand([1 / 15, 1 / 30, 1 / 60])

    assert kinds([before, *bracket, after]) == [None, *[SeriesKind.BRACKET] * 3, None]


def test_a_try_at_other_settings_does_not_hide_a_bracket() -> None:
    """Of the same scene, with another aperture."""
    first = shot("a.jpg", -30, SCENE, exposure=Exposure(1 / 60, 2.8, 400, 0.0))

    assert kinds([first, *by_hand([1 / 15, 1 / 30, 1 / 60])]) == [None, *[SeriesKind.BRACKET] * 3]


@pytest.mark.parametrize("grey", [0, 255])
def test_a_black_or_white_shot_at_the_end_of_a_bracket_belongs_to_it(grey: int) -> None:
    """It has no gradients in common with the others, but its exposure time goes on."""
    times = (1 / 15, 1 / 30, 1 / 60)
    blank = Image.new("RGB", SCENE.size, (grey, grey, grey))
    last = shot("z.jpg", 65, blank, exposure=replace(STEADY, time_s=1 / 8000 if grey == 0 else 4.0))
    same = shot("z.jpg", 65, blank, exposure=replace(STEADY, time_s=1 / 30))

    assert kinds([*by_hand(times), last]) == [SeriesKind.BRACKET] * 4
    assert kinds([*by_hand(times), same]) == [*[SeriesKind.BRACKET] * 3, None]


def test_four_equal_steps_are_a_bracket_whatever_the_shots_show() -> None:
    """At night most shots of a bracket are black or white; three such steps may be chance."""
    shots = [
        shot(f"{n}.jpg", 20 * n, factories.picture(10 + n), exposure=replace(STEADY, time_s=2.0**n / 60))
        for n in range(4)
    ]

    assert kinds(shots) == [SeriesKind.BRACKET] * 4
    assert kinds(shots[:3]) == [None] * 3


def test_a_blank_shot_amid_a_bracket_belongs_to_it() -> None:
    """The order is middle, dark, bright."""
    bracket = by_hand([1 / 60, 1 / 8000, 1 / 30])
    blank = dhash_of(to_network_frame(Image.new("RGB", SCENE.size)))
    bracket[1] = replace(bracket[1], dhash=blank)

    assert kinds(bracket) == [SeriesKind.BRACKET] * 3


@pytest.mark.parametrize("seconds", [(0, 10, 20), (0, 3, 20, 26), (0, 9, 30, 70, 75)])
def test_a_slow_focus_stack_needs_three_shots_and_no_even_gaps(seconds: tuple[float, ...]) -> None:
    """The focus is set by hand; a telephone changes the exposure a little."""
    shots = [
        shot(
            f"{n}.jpg",
            second,
            factories.blurred(SCENE, 2 + 3 * n),
            exposure=replace(STEADY, time_s=1 / (250 + 20 * (n % 2))),
        )
        for n, second in enumerate(seconds)
    ]

    assert kinds(shots) == [SeriesKind.FOCUS_STACK] * len(seconds)
    assert kinds(shots[:2]) == [None] * 2


@pytest.mark.parametrize(
    ("blurs", "kind"),
    [
        ((0.9, 0.4, 0.0, 0.3), SeriesKind.FOCUS_STACK),
        ((0.0, 0.3, 0.99), SeriesKind.FOCUS_STACK),
        ((0.9, 0.3, 0.0, 0.6, 0.99, 0.9, 0.1, 0.0, 0.7), SeriesKind.FOCUS_STACK),
        ((0.99, 0.98, 0.99), SeriesKind.FOCUS_STACK),
        ((0.0, 0.99, 0.0, 0.0), SeriesKind.BURST),
        ((0.99, 0.0, 0.99, 0.0), SeriesKind.BURST),
        ((0.0, 0.0, 0.1), SeriesKind.BURST),
    ],
)
def test_in_quick_succession_the_sharpness_of_a_stack_moves(blurs: tuple[float, ...], kind: SeriesKind) -> None:
    """Forth and back, too. A burst from a tripod does not move either; single blurred shots in it are no stack."""
    shots = [shot(f"{n}.jpg", 0.5 * n, SCENE, blur=blur) for n, blur in enumerate(blurs)]

    assert kinds(shots) == [kind] * len(blurs)


def test_a_focus_stack_and_a_panorama_may_lack_the_exposure() -> None:
    """If all shots lack it, as those of a microscope do."""
    unknown = Exposure()
    stack = [shot(f"{n}.jpg", 5 * n, SCENE, exposure=unknown) for n in range(3)]
    views = [shot(f"{n}.jpg", 5 * n, moved(380 * n), exposure=unknown) for n in range(4)]

    assert kinds(stack) == [SeriesKind.FOCUS_STACK] * 3
    assert kinds(views) == [SeriesKind.PANORAMA] * 4
    assert kinds([*stack[:2], shot("2.jpg", 10, SCENE)]) == [None] * 3


def test_the_blurred_end_of_a_stack_belongs_to_it() -> None:
    """A sharp photo of another scene at the same setting does not."""
    stack = [shot(f"{n}.jpg", 5 * n, SCENE) for n in range(3)]
    grey = Image.new("RGB", SCENE.size, (99, 99, 99))

    assert kinds([*stack, shot("z.jpg", 15, grey, blur=0.99)]) == [SeriesKind.FOCUS_STACK] * 4
    assert kinds([*stack, shot("z.jpg", 15, OTHER)]) == [*[SeriesKind.FOCUS_STACK] * 3, None]


def test_shots_of_one_second_are_in_the_order_of_their_names() -> None:
    """A clock without fractions gives several shots one time."""
    shots = by_hand([1 / 15, 1 / 60, 1 / 250], gap=0)
    moment = shots[0].photo.camera.taken_at
    told = [replace(s, photo=replace(s.photo, camera=replace(s.photo.camera, taken_at=moment))) for s in shots]

    found = series_of(told[::-1])
    assert [each.photo.place.relative.name for each in found[told[0].photo.place].members] == [
        "0.jpg",
        "1.jpg",
        "2.jpg",
    ]


@pytest.mark.parametrize("way", [1, -1])
@pytest.mark.parametrize("upright", [True, False])
def test_views_that_overlap_and_move_one_way_are_a_panorama(way: int, upright: bool) -> None:  # noqa: FBT001
    """With the camera held either way, and turned either way."""
    steps = [0, 380, 760, 1140][::way]
    width = 500 if upright else 900
    pictures = [WIDE.crop((by // (2 if upright else 1), 0, by // (2 if upright else 1) + width, 720)) for by in steps]
    shots = [shot(f"{n}.jpg", 3 * n, picture) for n, picture in enumerate(pictures)]

    assert kinds(shots) == [SeriesKind.PANORAMA] * 4


@pytest.mark.parametrize("shift", [0, 25])
def test_a_panorama_may_have_rows(shift: int) -> None:
    """From left to right, up, and back; from hand the rows are not straight."""
    large = factories.picture(1, (2000, 1500))
    corners = [(0, 700), (450, 700), (900, 700), (900, 250), (450, 250), (0, 250)]
    views = [(x, y + shift * (n % 2)) for n, (x, y) in enumerate(corners)]
    pictures = [large.crop((x, y, x + 900, y + 675)) for x, y in views]
    shots = [shot(f"{n}.jpg", 8 * n, picture) for n, picture in enumerate(pictures)]

    assert kinds(shots) == [SeriesKind.PANORAMA] * 6
    assert kinds(shots[:2]) == [None] * 2


def test_shots_of_a_panorama_may_overlap_by_a_fifth() -> None:
    """One such overlap is found in other photos as well, three in a row are not."""
    large = factories.picture(1, (4000, 720))
    shots = [shot(f"{n}.jpg", 5 * n, large.crop((731 * n, 0, 731 * n + 900, 720))) for n in range(4)]

    assert kinds(shots) == [SeriesKind.PANORAMA] * 4


def test_a_bare_sky_amid_a_panorama_or_beside_it_belongs_to_it() -> None:
    """Two shots at most at either end, because other photos may follow."""
    sky = Image.new("RGB", (900, 720), (120, 150, 220))
    views = [moved(0), moved(380), moved(760), sky, moved(760), moved(1140), sky, sky, OTHER]
    shots = [shot(f"{n}.jpg", 5 * n, picture, blur=0.99 * (picture is sky)) for n, picture in enumerate(views)]

    assert kinds(shots) == [*[SeriesKind.PANORAMA] * 8, None]


def test_second_tries_from_hand_are_no_panorama() -> None:
    """The view moves by less than a fifth of its width."""
    shots = [shot(f"{n}.jpg", 10 * n, moved(by)) for n, by in enumerate((0, 110, 30, 130))]

    assert kinds(shots) == [None] * 4


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


def test_a_hash_is_shifted_either_way() -> None:
    """A shift by a negative number is that of the other hash by the positive one."""
    noise = np.random.default_rng(2).integers(0, 255, (22, 22, 1), dtype=np.uint8).repeat(3, axis=2)
    one, other = (dhash_of(noise[y : y + 17, x : x + 17]) for x, y in ((3, 0), (0, 2)))

    assert one.distance(other, -3, 2) == other.distance(one, 3, -2) == 0
    assert one.distance(other, 3, -2) > 0.3
