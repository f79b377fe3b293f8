"""The pictures that the third version of the network learns from."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from culld.training.dataset import Scene
from culld.training.defects.pictures import STEP, Picture, PictureMaker

Frame = NDArray[np.uint8]


def scene_frame() -> Frame:
    """A smooth, coloured picture with some texture, (96, 128, 3)."""
    rows, columns = np.mgrid[0:96, 0:128]
    waves = 128 + 60 * np.sin(columns / 5) * np.cos(rows / 7)
    return np.stack([waves, waves * 0.8, 255 - waves], axis=-1).astype(np.uint8)


def made(*tags: str, seed: int = 0) -> list[Picture]:
    """The pictures of a scene with these tags, not compressed."""
    scene = Scene("a.jpg", frozenset(tags), "source", "CC0")
    maker = PictureMaker(scene, scene_frame(), lambda pixels, _quality: pixels, np.random.default_rng(seed))
    return list(maker.pictures())


def test_equal_generators_give_equal_pictures() -> None:
    """Pixels, labels and groups."""
    for first, second in zip(made(seed=4), made(seed=4), strict=True):
        assert (first.group, first.labels, first.known) == (second.group, second.labels, second.known)
        np.testing.assert_array_equal(first.frame, second.frame)


def test_every_picture_has_the_size_of_the_frame() -> None:
    """The small ones are enlarged again."""
    assert {(each.frame.shape, each.frame.dtype.name) for each in made()} == {((96, 128, 3), "uint8")}


@pytest.mark.parametrize("seed", range(6))
def test_a_label_is_what_the_group_says(seed: int) -> None:
    """Nearly black frames are under-exposed, blurred ones blurred, and small ones nothing."""
    labels = {each.group: each.labels for each in made(seed=seed)}

    assert labels["black frame"] == (0, 1, 0)
    assert labels["small"] == (0, 0, 0)
    assert all(labels[group][0] == 1 for group in labels if group.endswith(" blur") and group != "kadis blur")


def test_a_step_between_no_defect_and_a_sure_one_has_a_soft_label() -> None:
    """It grows with the stops."""
    steps = [each for seed in range(12) for each in made(seed=seed) if each.group == STEP]

    shares = {abs(each.stops): max(each.labels) for each in steps}

    assert len(shares) > 5
    assert all(0.1 <= share <= 0.6 for share in shares.values())
    assert [shares[stops] for stops in sorted(shares)] == sorted(shares.values())


def test_the_light_of_a_night_is_not_called_wrong() -> None:
    """No darker step, no subject on another ground: its subject need not be bright."""
    night = [each for seed in range(8) for each in made("night_lowkey", seed=seed)]

    assert not [each for each in night if each.group == STEP and each.stops < 0]
    assert not [each for each in night if " on " in each.group]
