"""Scenes, their split, and the pictures drawn from them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from culld.errors import ConfigError
from culld.imaging.encode import jpeg_roundtrip
from culld.training.augment import Augmentation
from culld.training.dataset import HARD_TAGS, Sample, Scene, make_sample, read_index, samples, split
from culld.training.distortions import Distortion, Kind
from culld.training.experiment import Experiment
from culld.training.protocols import kadis_protocol, linear_protocol, strong_blur
from culld.training.render import render, visible_labels

if TYPE_CHECKING:
    from pathlib import Path

EXPERIMENT = Experiment()


def scene(number: int = 0, *tags: str) -> Scene:
    """A scene with this number and these tags."""
    return Scene(f"a/{number:05}.jpg", frozenset(tags), "somewhere", "CC0")


def frame(level: int = 128) -> np.ndarray:
    """A noisy grey frame around this level."""
    noise = np.random.default_rng(4).integers(-20, 20, (384, 512, 3))
    return np.clip(noise + level, 0, 255).astype(np.uint8)


def shown(pixels: np.ndarray, sample: Sample) -> np.ndarray:
    """The finished picture, saved by the real JPEG encoder where the sample is saved."""
    return render(pixels, sample, jpeg_roundtrip)


def test_the_index_is_read_with_tags_and_licences(tmp_path: Path) -> None:
    """Tags stand between bars; an empty cell is no tag."""
    (tmp_path / "index.csv").write_text(
        "file,width,height,tags,source,licence\nx/1.jpg,640,480,people|bokeh,s,CC0\nx/2.jpg,640,480,,s,MIT\n", "utf-8"
    )

    first, second = read_index(tmp_path)

    assert Scene("x/1.jpg", frozenset({"people", "bokeh"}), "s", "CC0") == first
    assert Scene("x/2.jpg", frozenset(), "s", "MIT") == second
    assert first.hard
    assert not second.hard


def test_a_folder_without_an_index_is_a_clear_error(tmp_path: Path) -> None:
    """The error names the file that is missing."""
    with pytest.raises(ConfigError, match=r"index\.csv"):
        read_index(tmp_path)


def test_the_split_is_disjoint_and_complete_and_about_as_large_as_asked() -> None:
    """A scene stands on one side only."""
    scenes = [scene(number) for number in range(1000)]

    parts = split(scenes, EXPERIMENT)

    assert sorted(s.file for s in scenes) == sorted(s.file for s in parts.train + parts.calibration + parts.test)
    assert 150 < len(parts.test) < 250
    assert 70 < len(parts.calibration) < 130


def test_a_scene_keeps_its_side_when_others_come() -> None:
    """New photos must not carry old test scenes into the training."""
    few = split([scene(number) for number in range(50)], EXPERIMENT)
    many = split([scene(number) for number in range(500)], EXPERIMENT)

    assert {s.file for s in few.test} <= {s.file for s in many.test}


@pytest.mark.parametrize("tag", HARD_TAGS)
def test_a_third_of_the_hard_negatives_is_kept_for_the_test(tag: str) -> None:
    """Night, high-key and bokeh photos are few, so more of them are held out."""
    parts = split([scene(number, tag) for number in range(600)], EXPERIMENT)

    assert 160 < len(parts.test) < 240


def test_variants_are_the_same_for_the_same_seed_and_differ_by_draw() -> None:
    """Seed, draw and file name decide everything."""
    one = samples(scene(), 0, EXPERIMENT)

    assert one == samples(scene(), 0, EXPERIMENT)
    assert one != samples(scene(), 1, EXPERIMENT)
    assert one != samples(scene(), 0, replace(EXPERIMENT, seed=2))


def test_labels_follow_the_steps() -> None:
    """Clean and mildly changed pictures have no defect; what is blurred and dark has two."""
    for sample in samples(scene(), 0, EXPERIMENT):
        shown = {"clean": 0, "mild": 0, "both": 2}.get(sample.group, 1)

        assert shown == sum(sample.labels), sample.group


def test_hard_negatives_are_shown_clean_more_often() -> None:
    """There are few night photos, so each gives more clean views."""
    ordinary = [sample.group for sample in samples(scene(), 0, EXPERIMENT)]
    night = [sample.group for sample in samples(scene(0, "night_lowkey"), 0, EXPERIMENT)]

    assert night.count("clean") > ordinary.count("clean")


def test_a_night_darkened_by_stops_is_under_exposed() -> None:
    """The photographer kept some light; three stops less of it are a mistake."""
    rng = np.random.default_rng(0)
    darker = make_sample(scene(0, "night_lowkey"), "under", (Distortion(Kind.EXPOSURE, -3),), Augmentation(), rng)

    assert darker.labels == (0, 1, 0)
    assert darker.known == (True, True, True)


@pytest.mark.parametrize(("tag", "stops"), [("night_lowkey", 3), ("highkey", -3)])
def test_the_label_of_a_brighter_night_or_a_darker_snow_is_unknown(tag: str, stops: float) -> None:
    """It may be an ordinary picture, so its exposure labels are not used; its blur label is."""
    rng = np.random.default_rng(0)
    moved = make_sample(scene(0, tag), "both", (Distortion(Kind.EXPOSURE, stops),), Augmentation(), rng)
    blurred = make_sample(scene(0, tag), "blur", (Distortion(Kind.DEFOCUS, 5),), Augmentation(), rng)

    assert moved.known == (True, False, False)
    assert blurred.known == (True, True, True)


def test_hard_light_is_no_defect_in_itself() -> None:
    """Windows and uneven light come along with an exposure, and it alone decides the label."""
    rng = np.random.default_rng(0)
    light = (Distortion(Kind.HIGHLIGHTS, 2), Distortion(Kind.RELIGHT, 1))

    assert make_sample(scene(), "clean", light, Augmentation(), rng).labels == (0, 0, 0)
    assert make_sample(scene(), "u", (*light, Distortion(Kind.EXPOSURE, -2)), Augmentation(), rng).labels == (0, 1, 0)


def test_a_dark_room_made_brighter_is_not_called_over_exposed() -> None:
    """The label holds only if the finished picture shows the defect."""
    rng = np.random.default_rng(0)
    brighter = make_sample(scene(), "over", (Distortion(Kind.EXPOSURE, 1.5),), Augmentation(), rng)

    dim, bright = shown(frame(50), brighter), shown(frame(200), brighter)

    assert not visible_labels(dim, brighter)[2]
    assert visible_labels(bright, brighter)[2]


def test_a_sample_without_steps_changes_no_pixel() -> None:
    """What is clean and unchanged is the frame that the daemon would see."""
    plain = make_sample(scene(), "clean", (), Augmentation(), np.random.default_rng(0))

    np.testing.assert_array_equal(frame(), shown(frame(), plain))


def test_a_cropped_and_sharpened_picture_is_made_again_bit_by_bit() -> None:
    """A sample is a complete description."""
    way = Augmentation(crop=0.7, sharpen=0.8, mirror=True, contrast=0.3, saturation=0.5)
    sample = make_sample(scene(), "blur", (Distortion(Kind.MOTION, 9),), way, np.random.default_rng(0))

    np.testing.assert_array_equal(shown(frame(), sample), shown(frame(), sample))


def test_the_kadis_protocol_pairs_each_scene_with_one_defect() -> None:
    """Half of its pictures are clean; the others have exactly one defect."""
    found = kadis_protocol([scene(number) for number in range(40)], 1)

    assert [int(sum(sample.labels)) for sample in found] == [0, 1] * 40
    assert {0.0, 1.0} == {label for sample in found for label in sample.labels}


def test_the_linear_protocol_shows_every_defect_of_each_scene() -> None:
    """Clean, blurred, dark, bright, in this order."""
    found = linear_protocol([scene(number) for number in range(3)], 1)

    assert [sample.labels for sample in found] == [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)] * 3


def test_strong_blur_takes_its_ways_in_turn() -> None:
    """Eight ways over sixteen scenes: each twice."""
    groups = [sample.group for sample in strong_blur([scene(number) for number in range(16)], 1)]

    assert {2} == {groups.count(group) for group in groups}
    assert len(set(groups)) == 8


def test_blur_in_the_dark_is_not_known() -> None:
    """Sharpness cannot be seen where everything is black."""
    rng = np.random.default_rng(0)
    steps = (Distortion(Kind.DEFOCUS, 5), Distortion(Kind.EXPOSURE, -5))
    both = make_sample(scene(), "both", steps, Augmentation(), rng)

    assert not visible_labels(shown(frame(60), both), both)[0]
    assert visible_labels(shown(frame(180), make_sample(scene(), "blur", steps[:1], Augmentation(), rng)), both)[0]


def test_too_few_photographs_are_a_clear_error() -> None:
    """A part without a scene could teach, calibrate or prove nothing."""
    with pytest.raises(ConfigError, match=r"no photograph is left for .*: give more of them"):
        split([scene(1)], EXPERIMENT)
