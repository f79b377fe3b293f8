"""The figures of segmentations: counted over the whole set, without pixels that cannot be known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.segment_rivals import laplacian, lbp
from culld.errors import ConfigError
from culld.records.regions import REGION_CLASSES, RegionClass
from culld.segment import rules
from culld.training.dataset import Scene
from culld.training.segmentation import measure
from culld.training.segmentation.composites import Composite
from culld.training.segmentation.experiment import SegmentationExperiment, load_segmentation
from culld.training.segmentation.measure import ANY, BLUR, Counts, Kind
from harness import factories

NOISE = RegionClass.NOISE


def drawn(left: RegionClass, right: RegionClass, known: float = 1.0) -> Composite:
    """A composite of two halves of a class each; of the last rows nothing is known."""
    labels = np.zeros((10, 10, len(REGION_CLASSES)), bool)
    labels[:, :5, REGION_CLASSES.index(left)] = True
    labels[:, 5:, REGION_CLASSES.index(right)] = True
    weights = np.ones_like(labels)
    weights[round(10 * known) :] = False
    return Composite(np.zeros((10, 10, 3), np.uint8), labels, weights)


def counts(segmented: np.ndarray, *composites: Composite, label: str = NOISE) -> Counts:
    """The counts of a segmenter that always gives this map of a class."""
    found = measure.count(
        {"this": lambda _pixels: {label: segmented}},
        [(number, Kind.COMPOSITE, each) for number, each in enumerate(composites)],
        lambda: None,
    )
    return found["this", Kind.COMPOSITE, label]


def test_dice_and_iou_count_hits_false_alarms_and_misses() -> None:
    """Three of five columns are found, one beside them is false."""
    segmented = np.zeros((10, 10), np.float32)
    segmented[:, 2:6] = 0.7

    found = counts(segmented, drawn(NOISE, RegionClass.FINE))

    assert measure.dice(found, 0.5).value == pytest.approx(2 * 3 / (2 * 3 + 1 + 2))
    assert measure.iou(found, 0.5).value == pytest.approx(3 / 6)
    assert measure.iou(found, 0.8).value == 0
    assert measure.false_area(found, 0.5).value == pytest.approx(1 / 5)
    assert measure.dice_value(found, 0.5) == pytest.approx(measure.dice(found, 0.5).value)


def test_pixels_that_cannot_be_known_do_not_count() -> None:
    """A map that is wrong only there is right."""
    segmented = np.zeros((10, 10), np.float32)
    segmented[:6, :5] = 1
    segmented[6:, 5:] = 1

    assert measure.dice(counts(segmented, drawn(NOISE, RegionClass.FINE, known=0.6)), 0.5).value == 1


def test_a_picture_without_the_class_adds_its_false_alarms_only() -> None:
    """It has no Dice of its own, which would be 1 for a map of zeros."""
    quiet = drawn(RegionClass.FINE, RegionClass.FINE)
    one = counts(np.full((10, 10), 0.2, np.float32), drawn(NOISE, RegionClass.FINE), quiet)

    assert measure.dice(one, 0.5).value == 0
    assert measure.dice(one, 0.2).value == pytest.approx(2 * 50 / (2 * 50 + 150))


def test_the_best_threshold_is_that_with_the_best_dice() -> None:
    """Between the values inside and those outside."""
    segmented = np.full((10, 10), 0.3, np.float32)
    segmented[:, :5] = 0.62

    limit = measure.best_threshold(counts(segmented, drawn(NOISE, RegionClass.FINE)))

    assert 0.3 < limit <= 0.62


def test_a_threshold_that_finds_a_defect_where_none_is_does_not_serve() -> None:
    """The best Dice is at 0.3, but a tenth of the clean picture reaches 0.5; without a limit it would not matter."""
    segmented = np.full((10, 10), 0.1, np.float32)
    segmented[:, :5] = 0.3
    segmented[:3, :5] = 0.7
    clean = np.zeros((10, 10), np.float32)
    clean[0] = 0.5
    both = counts(segmented, drawn(NOISE, RegionClass.FINE))
    plain = counts(clean, drawn(RegionClass.FINE, RegionClass.FINE))

    assert measure.best_threshold(both) <= 0.3
    assert 0.5 < measure.best_threshold(both, plain, 0.05) <= 0.7
    assert measure.best_threshold(both, plain, 0.2) <= 0.3
    assert measure.joined([both, plain]).total.sum() == 200


def test_intervals_are_over_scenes() -> None:
    """Equal scenes leave no doubt, different ones do; a part of the scenes has its own figure."""
    segmented = np.zeros((10, 10), np.float32)
    segmented[:, :5] = 1
    good, bad = drawn(NOISE, RegionClass.FINE), drawn(RegionClass.FINE, NOISE)

    alike = measure.dice(counts(segmented, *[good] * 6), 0.5)
    mixed = counts(segmented, *[good] * 6, *[bad] * 6)
    whole = measure.dice(mixed, 0.5)

    assert (alike.value, alike.low, alike.high) == (1, 1, 1)
    assert whole.value == pytest.approx(0.5)
    assert whole.low < 0.5 < whole.high
    assert measure.dice(measure.of_scenes(mixed, range(6)), 0.5).value == 1
    assert measure.mean_dice([(mixed, 0.5), (mixed, 0.5)]).value == pytest.approx(0.5)
    assert measure.mean_interval([0.2, 0.4]).value == pytest.approx(0.3)


def test_blur_is_defocus_or_motion_and_any_defect_is_any() -> None:
    """What is known to be one of them is known, whatever is unknown about the other."""
    each = drawn(RegionClass.MOTION, RegionClass.DEFOCUS)
    each.weights[..., REGION_CLASSES.index(RegionClass.DEFOCUS)] = False

    truth = measure.truths(each)

    wanted, known = truth[BLUR]
    assert wanted[:, :5].all()
    assert known[:, :5].all()
    assert not known[:, 5:].any()
    assert truth[ANY][0][:, :5].all()


def test_the_pictures_that_are_measured_stay_the_same_whatever_was_trained() -> None:
    """Of each scene two with defects, a pasted and a plain one; the seed of the training changes none."""
    scenes = [Scene(f"{number}.jpg", frozenset(), "drawn", "CC0") for number in range(2)]
    experiment = SegmentationExperiment(crop=64)

    def pictures(given: SegmentationExperiment) -> list[tuple[int, Kind, Composite]]:
        photos = {each.file: np.asarray(factories.picture(at, (200, 180))) for at, each in enumerate(scenes)}
        return list(measure.pictures(scenes, lambda scene: photos[scene.file], given, rules))

    one, other = pictures(experiment), pictures(replace(experiment, seed=7, plain=0.5, foreign=0.5))

    assert [(scene, kind) for scene, kind, _ in one[:4]] == [
        (0, Kind.COMPOSITE), (0, Kind.COMPOSITE), (0, Kind.PASTED), (0, Kind.PLAIN),
    ]  # fmt: skip
    assert len(one) == 8
    for (_, kind, first), (_, _, second) in zip(one, other, strict=True):
        if kind is not Kind.COMPOSITE:
            np.testing.assert_array_equal(first.pixels, second.pixels)


@pytest.mark.parametrize("rival", [laplacian, lbp])
def test_the_rivals_call_a_blurred_picture_more_blurred(rival: object) -> None:
    """Within 0..1, in the size of the picture."""
    grain = np.random.default_rng(0).integers(60, 200, (75, 100), np.uint8)
    image = Image.fromarray(grain).resize((200, 150), Image.Resampling.BICUBIC).convert("RGB")

    sharp, blurred = (rival(np.asarray(each)) for each in (image, factories.blurred(image, 3)))  # type: ignore[operator]

    assert sharp.shape == (150, 200)
    assert 0 <= sharp.min() <= blurred.max() <= 1
    assert blurred.mean() > sharp.mean() + 0.1


@pytest.mark.parametrize(
    ("text", "complaint"), [("crop: 100\n", "crop"), ("batch: 0\n", "batch"), ("colour: 1\n", "colour: no such key")]
)
def test_values_that_cannot_be_trained_with_are_refused(tmp_path: Path, text: str, complaint: str) -> None:
    """In words, with the key."""
    (tmp_path / "train.yaml").write_text(text, "utf-8")

    with pytest.raises(ConfigError, match=complaint):
        load_segmentation(tmp_path / "train.yaml")
