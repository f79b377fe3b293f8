"""The comparison of two photos as a whole: numbers, sentence, picture, JSON, and what is refused."""

from __future__ import annotations

import dataclasses
import io
import json
import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from culld.app.compare_messages import CompareRequest, CompareSettings, Comparison, as_json
from culld.app.compare_worker import CompareWorker
from culld.compare.difference import Difference, compare
from culld.compare.picture import BLUE, ORANGE, picture
from culld.compare.places import ChangedPlace, SharperPlace
from culld.compare.sentence import sentence
from culld.errors import PhotoError
from culld.imaging.align import Alignment, NotComparable
from culld.records import RootedPath
from harness import factories

SIZE = (900, 600)
SHARP = factories.picture(5, size=SIZE)
SETTINGS = CompareSettings("content", 10**8, 10**7)


def pixels(image: Image.Image) -> np.ndarray:
    """RGB pixels of a picture."""
    return np.asarray(image.convert("RGB"))


def soft_on_the_right() -> Image.Image:
    """The picture with its right third out of focus, and a ball at the top left."""
    mixed = SHARP.copy()
    mixed.paste(SHARP.filter(ImageFilter.GaussianBlur(2)).crop((620, 0, 900, 600)), (620, 0))
    ImageDraw.Draw(mixed).ellipse((60, 60, 180, 180), fill=(10, 200, 240))
    return mixed


@pytest.fixture(scope="module")
def found() -> Difference:
    """The comparison of the picture with itself, partly out of focus."""
    difference = compare(pixels(SHARP), pixels(soft_on_the_right()))
    assert isinstance(difference, Difference)
    return difference


def drawn(**changes: object) -> Difference:
    """A difference with these fields, and nothing that differs otherwise."""
    frame = np.full((60, 90, 3), 120, np.uint8)
    plain = Difference(
        alignment=Alignment(np.eye(3), "features", 100, 0.9, 0.1),
        frames=(frame, frame),
        shared=np.ones((60, 90), np.bool_),
        content=np.zeros((60, 90), np.float32),
        changed=0.0,
        changed_where=(),
        sharpness=np.zeros((6, 9), np.float32),
        sharpness_ratio=1.0,
        sharper="same",
        sharper_where=(),
        exposure_ev=0.0,
    )
    return dataclasses.replace(plain, **changes)  # type: ignore[arg-type]


def test_the_sharper_photo_and_its_places_are_named(found: Difference) -> None:
    """The first one, at the right."""
    assert found.sharper == "first"
    assert found.sharpness_ratio > 1.05
    assert {place.where for place in found.sharper_where} == {"top right", "right", "bottom right"}
    assert {place.frame for place in found.sharper_where} == {"first"}


def test_the_changed_share_is_that_of_the_ball(found: Difference) -> None:
    """And its place; the exposure is the same."""
    truth = math.pi * 60**2 / (900 * 600)

    assert found.changed == pytest.approx(truth, rel=0.25)
    assert [place.where for place in found.changed_where] == ["top left"]
    assert found.exposure_ev == pytest.approx(0, abs=0.05)


def test_the_sharpness_of_changed_content_is_not_compared(found: Difference) -> None:
    """The cells of the ball have no value."""
    rows, columns = found.sharpness.shape
    cell = found.sharpness[int(120 / 600 * rows), int(120 / 900 * columns)]

    assert math.isnan(cell)


def test_the_same_photo_twice_does_not_differ() -> None:
    """Equally sharp, equally bright, and no content."""
    same = compare(pixels(SHARP), pixels(SHARP))

    assert isinstance(same, Difference)
    assert (same.sharper, same.changed, same.sharper_where) == ("same", 0.0, ())
    assert sentence(same, "a", "b") == "Both are equally sharp, equally bright, and their content is the same."


def test_photos_in_exchanged_order_give_the_mirrored_answer(found: Difference) -> None:
    """The other frame is the sharper one, by the same ratio."""
    back = compare(pixels(soft_on_the_right()), pixels(SHARP))

    assert isinstance(back, Difference)
    assert back.sharper == "second"
    assert back.sharpness_ratio == pytest.approx(1 / found.sharpness_ratio, rel=0.05)
    assert back.changed == pytest.approx(found.changed, abs=0.003)


def test_what_one_photo_does_not_show_is_no_change() -> None:
    """A crop of the photo is the second one; only what both show is counted."""
    cut = SHARP.crop((200, 100, 900, 600))

    difference = compare(pixels(SHARP), pixels(cut))

    assert isinstance(difference, Difference)
    assert difference.changed < 0.005
    assert 0.5 < difference.shared.mean() < 0.7
    assert np.isnan(difference.sharpness[:, 0]).all()


def test_unrelated_photos_are_not_compared() -> None:
    """The answer is one sentence."""
    answer = compare(pixels(SHARP), pixels(factories.picture(77, size=SIZE)))

    assert isinstance(answer, NotComparable)
    assert answer.reason.endswith(".")


@pytest.mark.parametrize(
    ("difference", "words"),
    [
        (
            drawn(
                sharper="second",
                sharpness_ratio=1 / 1.6,
                sharper_where=(SharperPlace("left", "second", 0.9),),
                exposure_ev=0.3,
                changed=0.5,
            ),
            "b is sharper (edges 1.6 times as steep, at the left), 0.3 EV brighter, and 50 % of the scene differs.",
        ),
        (
            drawn(sharper="first", sharpness_ratio=5.0, exposure_ev=0.5),
            "a is sharper (edges at least 3 times as steep), 0.5 EV darker, and their content is the same.",
        ),
        (
            drawn(sharper="same", exposure_ev=-1.0, changed=0.004, changed_where=(ChangedPlace("right", 0.8),)),
            "Both are equally sharp, b is 1.0 EV darker, and 0.4 % of the scene differs (right).",
        ),
        (
            drawn(
                sharper="mixed",
                sharper_where=(SharperPlace("left", "first", 0.9), SharperPlace("centre", "second", 0.8)),
            ),
            "a is sharper at the left and b in the centre, both are equally bright, and their content is the same.",
        ),
        (
            drawn(sharper="mixed"),
            "Each is sharper than the other one in places, both are equally bright, and their content is the same.",
        ),
        (
            drawn(sharper="unknown", exposure_ev=math.nan),
            (
                "Neither shows edges to measure the sharpness by, their exposure cannot be compared, and their content "
                "is the same."
            ),
        ),
    ],
)
def test_the_sentence_tells_what_the_numbers_do(difference: Difference, words: str) -> None:
    """Sharpness, light and content, in this order."""
    assert sentence(difference, "a", "b") == words


def test_the_picture_shows_both_photos_and_both_colours(found: Difference) -> None:
    """Blue on the left, where the first one is sharper; the hatch is black and white."""
    with Image.open(io.BytesIO(picture(found, ("a.jpg", "b.jpg"), "A sentence."))) as image:
        shown = np.asarray(image.convert("RGB")).astype(int)

    assert image.format == "PNG"
    assert shown.shape[1] == 2 * 768 + 8
    for colour in (BLUE, ORANGE):
        assert (np.abs(shown - colour).max(axis=2) == 0).sum() > 100
    assert len(picture(found, ("a.jpg", "b.jpg"), "A sentence.")) < 3_000_000


def test_a_narrow_picture_has_room_for_its_legend() -> None:
    """Of two portraits, 100 pixels wide."""
    slim = np.full((300, 100, 3), 90, np.uint8)
    difference = drawn(
        frames=(slim, slim),
        shared=np.ones((300, 100), np.bool_),
        content=np.ones((300, 100), np.float32),
        changed=1.0,
    )

    with Image.open(io.BytesIO(picture(difference, ("a" * 200, "b" * 200), "word " * 60))) as image:
        assert image.width == 648
        assert image.height > 400


def worker_answer(first: object, second: object, settings: CompareSettings = SETTINGS) -> Comparison | PhotoError:
    """The answer of the worker to two sources."""
    return CompareWorker(settings).compare(CompareRequest(first, second, ("a.jpg", "b.jpg")))  # type: ignore[arg-type]


def test_the_worker_takes_bytes_and_places(tmp_path: Path) -> None:
    """Both give the same numbers, and JSON takes them."""
    one, other = (factories.encoded(image, quality=92) for image in (SHARP, soft_on_the_right()))
    (tmp_path / "a.jpg").write_bytes(one)
    (tmp_path / "b.jpg").write_bytes(other)

    sent = worker_answer(one, other)
    read = worker_answer(*(RootedPath(tmp_path, Path(name)) for name in ("a.jpg", "b.jpg")))

    assert isinstance(sent, Comparison)
    assert sent == read
    told = json.loads(json.dumps(as_json(sent, "a.jpg", "b.jpg")))
    assert told["comparable"] is True
    assert told["alignment"]["method"] == "features"
    assert np.array(told["alignment"]["matrix"]) == pytest.approx(np.eye(3), abs=1)
    assert told["sharper_where"][0].keys() == {"where", "in", "share"}
    assert sent.picture == b""


def test_unrelated_photos_are_an_answer_of_the_worker() -> None:
    """Without alignment, with the reason as the sentence."""
    answer = worker_answer(factories.encoded(SHARP), factories.encoded(factories.picture(77, size=SIZE)))

    assert isinstance(answer, Comparison)
    told = as_json(answer, "a.jpg", "b.jpg")
    assert (told["comparable"], told["alignment"], told["changed"]) == (False, None, None)
    assert told["reason"] == told["sentence"] == answer.sentence


@pytest.mark.parametrize(
    ("data", "settings", "words"),
    [
        (b"no photo", SETTINGS, "b.jpg: not a photo of a format that culld reads"),
        (factories.encoded(SHARP)[:9000], SETTINGS, "b.jpg: damaged or incomplete"),
        (factories.encoded(SHARP), CompareSettings("content", 10**5, 10**7), "more than limits.pixels allows"),
        (factories.encoded(SHARP), CompareSettings("content", 10**8, 10**4), "more than limits.file_size allows"),
    ],
)
def test_a_photo_that_cannot_be_read_is_named(data: bytes, settings: CompareSettings, words: str) -> None:
    """In one sentence."""
    answer = worker_answer(factories.encoded(SHARP.resize((90, 60))), data, settings)

    assert isinstance(answer, PhotoError)
    assert words in str(answer)
