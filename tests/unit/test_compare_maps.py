"""The maps of a comparison on drawn scenes: content, sharpness and light."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from culld.compare.content import content_change
from culld.compare.difference import without_specks
from culld.compare.light import LINEAR, match_light
from culld.compare.places import changed_places, sharper_places
from culld.compare.registry import entry, open_model
from culld.compare.sharpness_change import MARKED, sharpness_change
from harness import factories, scenes

SIZE = (768, 512)
SCENE = scenes.picture(scenes.Scene(3, size=SIZE))
SHARP = factories.picture(5, size=SIZE)
HERE = np.eye(3)


def pixels(image: Image.Image) -> np.ndarray:
    """RGB pixels of a picture."""
    return np.asarray(image.convert("RGB"))


def luma(image: Image.Image) -> np.ndarray:
    """The luma of a picture."""
    return np.asarray(image.convert("L"))


def shot(image: Image.Image, seed: int = 1, ev: float = 0, noise: float = 2, quality: int = 90) -> Image.Image:
    """A picture with exposure in linear light, noise and compression."""
    rng = np.random.default_rng(seed)
    light = np.minimum(LINEAR[pixels(image)] * 2**ev, 1)
    level = 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    noisy = np.clip(level + rng.normal(0, noise, level.shape), 0, 255).astype(np.uint8)
    return Image.open(io.BytesIO(factories.encoded(Image.fromarray(noisy), quality=quality)))


def refocused(image: Image.Image, radius: float, box: tuple[int, int, int, int] | None = None) -> Image.Image:
    """A picture that is out of focus in a box, or everywhere."""
    soft = image.filter(ImageFilter.GaussianBlur(radius))
    if box is None:
        return soft
    mixed = image.copy()
    mixed.paste(soft.crop(box), box[:2])
    return mixed


def with_ball(image: Image.Image, box: tuple[int, int, int, int]) -> Image.Image:
    """A picture with a ball that was not there."""
    changed = image.copy()
    ImageDraw.Draw(changed).ellipse(box, fill=(205, 30, 70))
    return changed


def changed_share(first: Image.Image, second: Image.Image) -> float:
    """The share of the pixels whose content differs."""
    return float(without_specks(content_change(pixels(first), pixels(second)) > 0.5).mean())


@pytest.mark.parametrize(
    "second",
    [
        shot(SCENE, 2),
        shot(refocused(SCENE, 1.2), 2),
        shot(refocused(SCENE, 3), 2),
        shot(refocused(SCENE, 3, (0, 256, 384, 512)), 2),
        shot(SCENE, 2, ev=1),
        shot(SCENE, 2, ev=-1.5),
        shot(SCENE, 2, noise=8),
        shot(SCENE, 2, quality=50),
        shot(refocused(SCENE, 2), 2, ev=-0.7, noise=6, quality=70),
        shot(SCENE.transform(SIZE, Image.Transform.AFFINE, (1, 0, 0.7, 0, 1, -0.6), Image.Resampling.BICUBIC), 2),
    ],
    ids=["noise", "focus 1.2", "focus 3", "part", "+1 EV", "-1.5 EV", "noise 8", "JPEG 50", "all", "shift"],
)
def test_what_is_no_content_does_not_light_up(second: Image.Image) -> None:
    """Of the area, under 2 % is marked, whichever frame comes first."""
    first = shot(SCENE)

    assert changed_share(first, second) < 0.02
    assert changed_share(second, first) < 0.02


@pytest.mark.parametrize("ev", [0, 0.8, -0.8])
def test_an_object_that_came_is_marked_also_in_other_light_and_focus(ev: float) -> None:
    """By its outline: the overlap is at least 0.75."""
    box = (300, 150, 400, 250)
    truth = pixels(with_ball(Image.new("RGB", SIZE), box))[..., 0] > 0
    second = shot(refocused(with_ball(SCENE, box), 1), 2, ev=ev)

    found = content_change(pixels(shot(SCENE)), pixels(second)) > 0.5

    assert (found & truth).sum() / (found | truth).sum() > 0.75


def test_an_object_that_moved_is_marked_where_it_was_and_where_it_is() -> None:
    """Both places, and hardly anything else."""
    first, second = (shot(with_ball(SCENE, (x, 300, x + 80, 380)), x) for x in (100, 500))

    found = content_change(pixels(first), pixels(second)) > 0.5

    assert found[310:370, 110:170].mean() > 0.8
    assert found[310:370, 510:570].mean() > 0.8
    assert found.mean() < 0.05


def test_the_content_model_is_in_the_registry() -> None:
    """Under the name `content`, and it is the function."""
    assert open_model(entry("content")) is content_change


def test_the_same_sharpness_in_other_places_of_the_pixels_is_no_lead() -> None:
    """The photo is reduced twice from one four times as fine, once shifted by three quarters of a pixel."""
    fine = factories.picture(5, size=(2408, 2008))
    frames = [fine.crop((x, x, x + 2400, x + 2000)).resize((600, 500), Image.Resampling.BOX) for x in (0, 3)]
    matrix = np.array([[1, 0, 0.75], [0, 1, 0.75], [0, 0, 1]])

    found = sharpness_change(luma(shot(frames[0])), luma(shot(frames[1], 2)), matrix)

    assert found.ratio == pytest.approx(1, abs=0.03)
    assert float(np.nanmean(np.abs(found.map) > MARKED)) < 0.05


def test_the_sharper_frame_is_found_whichever_comes_first() -> None:
    """The ratio is above 1 if it is the first one."""
    sharp, soft = luma(shot(SHARP)), luma(shot(refocused(SHARP, 1.5), 2))

    ahead, behind = sharpness_change(sharp, soft, HERE), sharpness_change(soft, sharp, HERE)

    assert ahead.ratio > 1.3
    assert not ahead.lead.tie
    assert behind.ratio == pytest.approx(1 / ahead.ratio, rel=0.02)
    assert behind.lead.amount < 0


def test_the_sharpness_map_shows_the_part_that_is_out_of_focus() -> None:
    """At least 80 % of its textured cells, and hardly any beside it."""
    box = (384, 0, 768, 512)

    found = sharpness_change(luma(shot(SHARP)), luma(shot(refocused(SHARP, 2, box), 2)), HERE).map

    half = found.shape[1] // 2
    soft, same = found[:, half + 1 :], found[:, : half - 1]
    assert (soft[np.isfinite(soft)] > MARKED).mean() > 0.8
    assert (np.abs(same[np.isfinite(same)]) > MARKED).mean() < 0.05


def test_a_reduced_copy_is_as_sharp_as_its_original_at_its_own_scale() -> None:
    """The finer frame is reduced before it is measured."""
    large = factories.picture(5, size=(1536, 1024))
    small = large.resize(SIZE, Image.Resampling.BOX)
    matrix = np.array([[2, 0, 0.5], [0, 2, 0.5], [0, 0, 1]])

    found = sharpness_change(luma(shot(large)), luma(shot(small, 2)), matrix)
    reverse = sharpness_change(luma(shot(small)), luma(shot(large, 2)), np.linalg.inv(matrix))

    assert found.ratio == pytest.approx(1, abs=0.15)
    assert reverse.ratio == pytest.approx(1, abs=0.15)


def test_without_edges_there_is_no_sharpness_to_compare() -> None:
    """Every cell is NaN."""
    grey = np.full((512, 768), 120, np.uint8)

    found = sharpness_change(grey, grey, HERE)

    assert np.isnan(found.map).all()
    assert found.ratio == 1


def test_frames_smaller_than_a_tile_have_no_sharpness() -> None:
    """Nothing is measured, and nothing fails."""
    small = luma(SHARP.resize((80, 66)))

    assert np.isnan(sharpness_change(small, small, HERE).map).all()


@pytest.mark.parametrize("ev", [-2, -0.5, 0, 0.5, 1])
def test_the_exposure_is_measured_in_linear_light(ev: float) -> None:
    """Within a tenth of an EV, of a frame with a changed part too."""
    second = with_ball(shot(SCENE, 2, ev=ev), (300, 150, 450, 300))

    assert match_light(pixels(shot(SCENE)), pixels(second)).exposure_ev == pytest.approx(ev, abs=0.1)


def test_the_light_from_the_second_frame_to_the_first_is_the_inverse() -> None:
    """There and back again."""
    light = match_light(pixels(shot(SCENE)), pixels(shot(SCENE, 2, ev=0.5)))
    back = light.inverse.inverse

    assert back.offset == pytest.approx(light.offset)
    assert light.inverse.exposure_ev == -light.exposure_ev


def test_black_or_white_frames_have_no_light_to_compare() -> None:
    """The exposure is NaN, and no tone curve is made up."""
    black, white = (np.full((512, 768, 3), level, np.uint8) for level in (0, 255))

    light = match_light(black, white)

    assert math.isnan(light.exposure_ev)
    assert light.offset == (0, 0, 0)


def test_a_place_is_named_by_thirds() -> None:
    """The frame that is sharper there, and the share of the cells."""
    values = np.zeros((9, 9), np.float32)
    values[:3, :3] = 0.5
    values[6:, 6:8] = -0.5
    values[3:6, 3:6] = np.nan

    places = [(place.where, place.frame, round(place.share, 2)) for place in sharper_places(values, MARKED)]

    assert places == [("top left", "first", 1.0), ("bottom right", "second", 0.67)]


def test_changes_are_named_by_their_share_of_the_change() -> None:
    """The largest first; small parts are not named."""
    changed = np.zeros((90, 90), np.bool_)
    changed[30:60, 40:50] = True
    changed[70:80, 80:90] = True
    changed[0, 0] = True

    assert [place.where for place in changed_places(changed)] == ["centre", "bottom right"]
    assert changed_places(np.zeros((9, 9), np.bool_)) == ()
