"""Focus and light of faces, on drawn ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from culld.imaging.decode import Region
from culld.inference.card import load_card
from culld.subject.faces import Face, Point
from culld.subject.focus import FEATURES, FocusModel, face_blur, focus_features, motion
from culld.subject.patch import FACE, SIDE, face_patch, face_region
from culld.subject.portrait import JudgedFace, face_light, judge_face, judged_until_main, missed_focus, ranked
from culld.training.blur_kernels import convolve, disk
from culld.training.blur_kernels import motion as movement

WHOLE = Region(0, 0, 1, 1)
UPRIGHT = Face(
    (0.25, 0.2, 0.5, 0.6),
    (Point(0.4, 0.4), Point(0.6, 0.4)),
    Point(0.5, 0.5),
    (Point(0.42, 0.62), Point(0.58, 0.62)),
    0.9,
)
BLANK = FocusModel((0.0,) * FEATURES, (1.0,) * FEATURES, (0.0,) * FEATURES, 2.0)


def drawn(size: int = 400) -> NDArray[np.float32]:
    """A face of 0.6 of the picture's height: skin with fine texture, dark eyes and mouth with sharp edges."""
    rng = np.random.default_rng(3)
    y, x = (np.mgrid[:size, :size] + 0.5) / size
    tone = np.where(((x - 0.5) / 0.25) ** 2 + ((y - 0.5) / 0.3) ** 2 < 1, 0.65, 0.25)
    for point in (*UPRIGHT.eyes, *UPRIGHT.mouth):
        tone = np.where(np.hypot(x - point.x, (y - point.y) * 2) < 0.045, 0.1, tone)
        tone = np.where(np.hypot(x - point.x - 0.01, y - point.y + 0.005) < 0.008, 0.95, tone)
    lashes = (np.sin(x * 240) > 0.4) & (np.abs(y - 0.37) < 0.012) & (np.abs(np.abs(x - 0.5) - 0.1) < 0.05)
    tone = np.where(lashes, 0.08, tone) + rng.normal(0, 0.012, tone.shape)
    return np.repeat(tone[..., None], 3, 2).astype(np.float32)


def pixels_of(picture: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Values 0..1 as uint8."""
    return (picture * 255).round().clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def model(models: Path) -> FocusModel:
    """The model that ships."""
    return FocusModel.from_json(load_card(models / "faces").calibration["focus"])


def blur_of(picture: NDArray[np.float32], model: FocusModel, face: Face = UPRIGHT) -> float | None:
    """The probability for a face of a picture."""
    return face_blur(face_patch(pixels_of(picture), WHOLE, face), model)


@pytest.mark.parametrize("share", [0.03, 0.05, 0.08])
def test_a_sharp_face_is_in_focus_and_a_blurred_one_is_not(model: FocusModel, share: float) -> None:
    """By a disk of this share of the height of the face."""
    picture = drawn()
    sharp, blurred = blur_of(picture, model), blur_of(convolve(picture, disk(share * 240)), model)

    assert sharp is not None
    assert blurred is not None
    assert sharp < 0.3
    assert blurred > 0.7


def test_the_ground_does_not_matter(model: FocusModel) -> None:
    """A sharp face before a blurred ground gives nearly the number that it gives before a sharp one."""
    picture = drawn()
    y, x = (np.mgrid[:400, :400] + 0.5) / 400
    person = ((x - 0.5) / 0.3) ** 2 + ((y - 0.5) / 0.36) ** 2 < 1
    stripes = np.where(np.sin(x * 300) > 0, 0.8, 0.1)
    before_stripes = np.where(person[..., None], picture, stripes[..., None]).astype(np.float32)
    bokeh = np.where(person[..., None], picture, convolve(before_stripes, disk(20))).astype(np.float32)

    assert blur_of(bokeh, model) == pytest.approx(blur_of(before_stripes, model), abs=0.05)


def test_a_small_a_dark_and_a_turned_face_give_no_answer(model: FocusModel) -> None:
    """None is no probability."""
    turned = Face(UPRIGHT.box, (Point(0.5, 0.4), Point(0.52, 0.4)), Point(0.3, 0.5), UPRIGHT.mouth, 0.9)

    assert blur_of(drawn(60), model) is None
    assert blur_of(drawn() * np.float32(0.02), model) is None
    assert blur_of(drawn(), model, turned) is None
    assert blur_of(drawn(80), model) is not None


def test_a_face_that_moved_gives_no_answer_instead_of_an_alarm() -> None:
    """Movement takes detail in one direction only."""
    picture = drawn()
    patches = [
        face_patch(pixels_of(convolve(picture, kernel)), WHOLE, UPRIGHT) for kernel in (movement(20, 0), disk(7))
    ]

    assert motion(patches[0]) > motion(patches[1])
    assert face_blur(patches[0], BLANK) is None
    assert face_blur(patches[1], BLANK) == pytest.approx(1 / (1 + np.exp(-2)))


def test_a_patch_has_the_face_at_a_common_size() -> None:
    """Whatever the size of the picture, and from a region of it alone."""
    large, small = pixels_of(drawn(1200)), pixels_of(drawn(400))
    region = face_region(UPRIGHT, 1.0)
    patches = [
        face_patch(large, WHOLE, UPRIGHT),
        face_patch(small, WHOLE, UPRIGHT),
        face_patch(region.of(small), region, UPRIGHT),
    ]

    for patch in patches:
        assert patch.luma.shape == (SIDE, SIDE)
        assert patch.eyes[0] == pytest.approx((SIDE / 2 - FACE / 6, SIDE / 2 - FACE / 6), abs=1.5)
        assert patch.aspect == pytest.approx(5 / 6, abs=0.02)
    assert patches[0].height == pytest.approx(720)
    assert np.abs(patches[1].luma - patches[2].luma).mean() < 0.01


def test_a_region_ends_at_the_border_of_the_photo() -> None:
    """And a face that is cut off still has a patch: the last pixels are repeated."""
    corner = Face((0.0, 0.0, 0.3, 0.5), (Point(0.05, 0.1), Point(0.2, 0.1)), Point(0.1, 0.2), UPRIGHT.mouth, 0.9)
    region = face_region(corner, 2.0)

    assert (region.x, region.y) == (0, 0)
    patch = face_patch(region.of(np.full((100, 200, 3), 90, np.uint8)), region, corner)
    assert patch.luma == pytest.approx(90 / 255, abs=1e-3)
    assert np.isfinite(focus_features(patch)).all()


@pytest.mark.parametrize(("level", "stops"), [(118, 0.0), (0, -7.53), (255, 2.47)])
def test_light_is_in_stops_from_mid_grey(level: int, stops: float) -> None:
    """118 of 255 is mid grey; the corners of the photo do not count."""
    pixels = np.zeros((200, 200, 3), np.uint8)
    pixels[50:150, 50:150] = level

    assert face_light(pixels, WHOLE, UPRIGHT) == pytest.approx(stops, abs=0.02)


def test_the_main_face_is_large_central_and_in_focus() -> None:
    """A sharp face of similar size comes before a blurred one; a small one in the corner never does."""
    boxes = {"large": (0.1, 0.2, 0.2, 0.5), "other": (0.6, 0.2, 0.2, 0.45), "corner": (0.9, 0.9, 0.05, 0.1)}
    faces = {name: Face(box, UPRIGHT.eyes, UPRIGHT.nose, UPRIGHT.mouth, 0.9) for name, box in boxes.items()}

    def order(blur: float | None) -> list[Face]:
        judged = [
            JudgedFace(faces["corner"], 0.0, 0.0),
            JudgedFace(faces["other"], 0.0, 0.0),
            JudgedFace(faces["large"], blur, 0.0),
        ]
        return [each.face for each in ranked(judged)]

    assert order(0.0)[0] is faces["large"]
    assert order(None)[0] is faces["other"]
    assert order(0.9)[0] is faces["other"]
    assert order(0.9)[-1] is faces["corner"]


@pytest.mark.parametrize(("blurs", "judged"), [([0.1, 0.5, 0.0], 1), ([0.9, 0.1, 0.0], 2), ([None, None, None], 3)])
def test_faces_are_judged_until_none_can_be_the_main_one(blurs: list[float | None], judged: int) -> None:
    """The main face is the one that it would be if all were judged."""
    boxes = [(0.4, 0.3, 0.2, 0.4), (0.2, 0.3, 0.2, 0.38), (0.7, 0.3, 0.2, 0.36)]
    faces = [replace(UPRIGHT, box=box) for box in boxes]
    found = {face: JudgedFace(face, blur, 0.0) for face, blur in zip(faces, blurs, strict=True)}

    some = judged_until_main(faces, found.__getitem__)

    assert len(some) == judged
    assert some[0] == ranked(found.values())[0]


def test_missed_focus_is_that_of_the_main_face() -> None:
    """And no answer without one, or if it is a bystander far away."""
    pixels = pixels_of(drawn())
    judged = judge_face(pixels, WHOLE, UPRIGHT, BLANK)

    assert missed_focus([judged]) == judged.blur == pytest.approx(1 / (1 + np.exp(-2)))
    assert missed_focus([JudgedFace(UPRIGHT, None, 0.0), judged]) is None
    assert missed_focus([]) is None
    far = replace(UPRIGHT, box=(0.5, 0.5, 0.03, 0.04))
    assert missed_focus([JudgedFace(far, 0.9, 0.0)]) is None


def test_a_model_of_other_features_is_refused() -> None:
    """As one from another version of culld."""
    facts = {"means": [0.0], "deviations": [1.0], "weights": [1.0], "offset": 0.0}

    with pytest.raises(ValueError, match=f"{FEATURES} features"):
        FocusModel.from_json(facts)
