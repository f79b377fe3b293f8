"""Class activation maps of small levels, and what is said about them."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest
from PIL import Image

from culld.explain.cam import Pool, class_activation_map, pooled_gradient
from culld.explain.heat import COLUMNS, ROWS, HeatMap, in_cells, smoothed
from culld.explain.method import Method
from culld.explain.picture import heat_png
from culld.explain.sentence import sentence, share, strongest, where
from culld.imaging.overlay import boxed, overlay
from culld.records import Defect

MEAN = Pool("mean", 0, 5)
DEVIATION = Pool("deviation", 5, 10)
PEAK = Pool("peak", 10, 15)


def a_level(seed: int = 1) -> np.ndarray:
    """Positive activations of five channels, as a ReLU gives them."""
    return np.maximum(np.random.default_rng(seed).normal(0.3, 1, (12, 16, 5)), 0).astype(np.float32)


def by_features(seed: int = 2) -> np.ndarray:
    """The gradient of a logit by mean, deviation and peak of five channels."""
    return np.random.default_rng(seed).normal(0, 1, 15).astype(np.float32)


def pooled(level: np.ndarray) -> np.ndarray:
    """The features of a level in double precision, as the network computes them."""
    double = level.astype(np.float64)
    tiles = double.reshape(6, 2, 8, 2, 5).mean(axis=(1, 3))
    return np.concatenate([double.mean(axis=(0, 1)), double.std(axis=(0, 1)), tiles.max(axis=(0, 1))])


def heat_map(values: np.ndarray, logit: float = 3.0) -> HeatMap:
    """A map of blur."""
    return HeatMap(Defect.BLUR, Method.HIRESCAM, logit, values.astype(np.float32))


def one_spot(row: int, column: int, logit: float = 3.0) -> HeatMap:
    """A map with a block of 4x4 strong cells, and weak ones elsewhere."""
    values = np.full((ROWS, COLUMNS), 0.01)
    values[row : row + 4, column : column + 4] = 1.0
    return heat_map(values, logit)


def test_behind_global_average_pooling_alone_gradcam_and_hirescam_are_equal() -> None:
    """The gradient is the same in every cell: the three methods only differ at levels that are pooled in other ways."""
    level, given = a_level(), by_features()

    gradient = pooled_gradient(level, [MEAN], given)
    plain, fine, positive = (
        class_activation_map(method, level, gradient) for method in (Method.GRADCAM, Method.HIRESCAM, Method.GRADCAM_PP)
    )

    assert plain == pytest.approx(fine, abs=1e-6)
    assert np.abs(positive - fine).max() > 1e-3


def test_pooled_by_deviation_and_peak_the_three_methods_differ() -> None:
    """Grad-CAM does not see a deviation at all: its gradient has the mean 0."""
    level, given = a_level(), by_features()

    gradient = pooled_gradient(level, [MEAN, DEVIATION, PEAK], given)
    maps = [class_activation_map(method, level, gradient).ravel() for method in Method]

    assert np.abs(np.corrcoef(maps) - np.eye(3)).max() < 0.95
    by_deviation = pooled_gradient(level, [DEVIATION], given)
    assert class_activation_map(Method.GRADCAM, level, by_deviation) == pytest.approx(np.zeros((12, 16)), abs=1e-5)


def test_the_gradient_is_that_of_the_pooling() -> None:
    """Compared with differences of the features for a small step at some cells."""
    level, given = a_level(), by_features()
    gradient = pooled_gradient(level, [MEAN, DEVIATION, PEAK], given)

    for row, column, channel in ((0, 0, 0), (5, 7, 2), (11, 15, 4), (3, 9, 1)):
        moved = level.astype(np.float64)
        moved[row, column, channel] += 1e-6
        slope = float((pooled(moved) - pooled(level)) @ given) / 1e-6
        assert gradient[row, column, channel] == pytest.approx(slope, abs=2e-4)


def test_the_sum_of_hirescam_is_what_the_level_gives_to_the_logit() -> None:
    """Mean, deviation and peak grow with the level in proportion, so gradient times level is all of it."""
    level, given = a_level(), by_features()

    gradient = pooled_gradient(level, [MEAN, DEVIATION, PEAK], given)

    found = class_activation_map(Method.HIRESCAM, level, gradient).sum()
    assert found == pytest.approx(float(pooled(level) @ given), rel=1e-4)


def test_a_constant_channel_has_no_gradient_by_its_deviation() -> None:
    """The network replaces a variance below a ten-thousandth by that number."""
    level = np.ones((12, 16, 5), np.float32)

    assert not pooled_gradient(level, [DEVIATION], by_features()).any()


def test_cells_keep_the_sum_of_a_map() -> None:
    """For finer and for coarser levels."""
    rng = np.random.default_rng(3)

    for shape in ((96, 128), (48, 64), (24, 32), (12, 16), (6, 8)):
        plane = rng.normal(size=shape).astype(np.float32)
        assert in_cells(plane).shape == (ROWS, COLUMNS)
        assert in_cells(plane).sum() == pytest.approx(plane.sum(), abs=1e-2)


def test_smoothing_is_the_mean_of_the_neighbours() -> None:
    """A single cell spreads over nine."""
    values = np.zeros((ROWS, COLUMNS), np.float32)
    values[5, 6] = 9

    assert smoothed(values)[4:7, 5:8] == pytest.approx(np.ones((3, 3)))
    assert smoothed(values).sum() == pytest.approx(9)


def test_a_photo_without_the_defect_shows_nothing() -> None:
    """The strongest cell is as strong as the defect is probable: 0.02 never looks red."""
    weak = one_spot(4, 4, math.log(0.02 / 0.98))

    assert weak.strength.max() == pytest.approx(0.02)
    assert one_spot(4, 4).strength.max() == pytest.approx(1 / (1 + math.exp(-3)))
    grey = np.full((96, 128, 3), 128, np.uint8)
    drawn = np.asarray(Image.open(io.BytesIO(overlay(grey, weak.strength, weak.place & False, ("blur 0.02",)))))
    assert np.abs(drawn[-96:].astype(int) - 128).max() < 8


def test_evidence_against_the_defect_is_kept_and_not_drawn() -> None:
    """Values are signed; a map without a positive cell has no strength and no place."""
    against = heat_map(np.full((ROWS, COLUMNS), -1.0))

    assert against.values.min() == -1
    assert not against.strength.any()
    assert not against.place.any()


@pytest.mark.parametrize(
    ("row", "column", "words"),
    [(0, 0, "upper left"), (10, 14, "centre"), (20, 28, "lower right"), (1, 14, "top centre"), (10, 0, "left")],
)
def test_the_sentence_names_the_place_and_its_share(row: int, column: int, words: str) -> None:
    """In thirds of the photo; 16 of 768 cells are two percent."""
    found = one_spot(row, column)

    assert sentence(found) == f"blur: strongest at {words}, 2 % of the frame"
    assert share(found) == pytest.approx(16 / 768)
    assert where(*strongest(found)) == words


def test_below_a_tenth_no_place_is_named() -> None:
    """There is nothing to point at."""
    found = one_spot(4, 4, -4.0)

    assert sentence(found) == "blur: the network sees none (probability 0.02), so no place is marked"


def test_a_portrait_is_turned_upright_with_its_map() -> None:
    """The network sees it lying; the top left of the lying frame is the top right of the photo."""
    found = one_spot(0, 0).turned(-1)

    assert found.values.shape == (COLUMNS, ROWS)
    assert where(*strongest(found)) == "upper right"


def test_the_grey_picture_of_a_map_is_small() -> None:
    """A page draws it itself: one pixel a cell, and 255 times the strength."""
    noise = heat_map(np.random.default_rng(5).normal(size=(ROWS, COLUMNS)))

    data = heat_png(noise)

    image = Image.open(io.BytesIO(data))
    assert (image.mode, image.size) == ("L", (COLUMNS, ROWS))
    assert len(data) < 3000
    assert np.asarray(image).max() == round(255 / (1 + math.exp(-3)))


def test_the_picture_holds_photo_heat_contour_and_caption() -> None:
    """Red over the place, a white line around it, the photo elsewhere, two lines of text above."""
    grey = np.full((240, 320, 3), 128, np.uint8)
    found = one_spot(8, 8, 6.0)

    picture = np.asarray(Image.open(io.BytesIO(overlay(grey, found.strength, found.place, ("blur 1.00", "below")))))

    photo = picture[-240:].astype(int)
    assert picture.shape[0] == 240 + 10 + 2 * 30
    assert photo[100, 100, 0] > photo[100, 100, 2] + 60
    assert (photo[80:120, 80:120] == 255).all(axis=-1).any()
    assert np.abs(photo[200:, 250:] - 128).max() < 12
    assert picture[:60].max() == 255


def test_a_box_is_drawn_where_it_is() -> None:
    """Missed focus is explained by the face."""
    grey = np.full((100, 200, 3), 128, np.uint8)

    picture = np.asarray(Image.open(io.BytesIO(boxed(grey, (0.25, 0.2, 0.5, 0.6), ("missed focus",)))))[-100:]

    assert (picture[19:23, 100] == 255).all(axis=-1).any()
    assert (picture[50, 100] == 128).all()
