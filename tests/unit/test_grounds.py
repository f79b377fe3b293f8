"""Subjects on drawn grounds, which training learns from."""

from __future__ import annotations

import numpy as np
import pytest

from culld.training.exposure.composites import composites
from culld.training.exposure.grounds import GroundKind, draw
from culld.training.exposure.mattes import blob, matte_of

SHAPE = (384, 512)
INSIDE = np.s_[96:288, 128:384]


def subject(level: float, ground: int) -> np.ndarray:
    """A textured rectangle of about this level (0..1) before an even ground of this level (0..255)."""
    rng = np.random.default_rng(1)
    frame = np.full((*SHAPE, 3), ground, np.uint8)
    coarse = np.kron(rng.uniform(0.3, 1.7, (24, 32)), np.ones((8, 8)))[..., None] * np.array([1.0, 0.9, 0.7])
    frame[INSIDE] = np.clip(coarse * level * 255 + rng.normal(0, 4, (192, 256, 3)), 0, 255)
    return frame


def clutter() -> np.ndarray:
    """A frame of mid-tones without any even tile."""
    return np.random.default_rng(2).integers(40, 200, (*SHAPE, 3)).astype(np.uint8)


def test_a_subject_on_an_even_ground_is_cut_out() -> None:
    """And clutter is not."""
    matte = matte_of(subject(0.4, 200))
    assert matte is not None
    assert matte[INSIDE].mean() > 0.9
    assert matte[:60].max() == 0
    assert matte_of(clutter()) is None


def test_a_shape_covers_part_of_the_frame() -> None:
    """Neither nothing nor all of it."""
    for seed in range(5):
        shape = blob(SHAPE, np.random.default_rng(seed))
        assert shape.shape == SHAPE
        assert 0.05 < shape.mean() < 0.65


@pytest.mark.parametrize("kind", list(GroundKind))
def test_grounds_are_bright_or_dark(kind: GroundKind) -> None:
    """By their kind."""
    drawn = draw(kind, SHAPE, np.random.default_rng(3))
    assert drawn.dtype == np.float32
    assert drawn.shape == (*SHAPE, 3)
    white = kind in {GroundKind.PAPER, GroundKind.STUDIO, GroundKind.SKY, GroundKind.SNOW}
    assert (drawn.mean() > 0.75) if white else (drawn.mean() < 0.25)


def test_labels_follow_the_subject() -> None:
    """And not the ground."""
    frame = subject(0.4, 128)
    made = list(composites(frame, matte_of(frame), np.random.default_rng(4)))
    well = [each for each in made if each.group.startswith("well")]
    assert {each.group for each in well} == {"well on white", "well on black"}
    assert all((each.under, each.over) == (False, False) for each in well)
    assert all(each.over is not True for each in made if each.group.startswith("under"))
    assert all(each.under is not True for each in made if each.group.startswith("over"))
    assert any(each.under for each in made)
