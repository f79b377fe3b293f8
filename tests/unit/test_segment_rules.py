"""The classes of regions that a rule tells from the pixels."""

from __future__ import annotations

import numpy as np

from culld.segment import rules
from harness import factories

GREY = 120


def halves(left: object, right: object, size: int = 96) -> np.ndarray:
    """A picture whose halves have these colours."""
    pixels = np.empty((size, size, 3), np.uint8)
    pixels[:, : size // 2], pixels[:, size // 2 :] = left, right
    return pixels


def textured(size: int = 96, contrast: int = 40) -> np.ndarray:
    """Squares of 8 px in two greys."""
    y, x = np.mgrid[:size, :size]
    return np.repeat((GREY + contrast * ((x // 8 + y // 8) % 2)).astype(np.uint8)[..., None], 3, axis=2)


def test_shadows_are_crushed_where_no_channel_holds_light() -> None:
    """A dark blue is no crushed shadow: one channel still shows it."""
    mask = rules.crushed(halves((8, 8, 8), (0, 0, 9)))

    assert mask[:, :48].all()
    assert not mask[:, 48:].any()


def test_highlights_are_clipped_where_two_channels_are_at_their_end() -> None:
    """A saturated yellow is clipped, a red that ends in one channel is not."""
    mask = rules.clipped(halves((255, 250, 20), (255, 249, 249)))

    assert mask[:, :48].all()
    assert not mask[:, 48:].any()


def test_single_pixels_are_no_region() -> None:
    """A black line of 3 px is not crushed, a bar of 15 px is."""
    pixels = np.full((64, 64, 3), GREY, np.uint8)
    pixels[:, 10:13] = 0
    pixels[:, 40:55] = 0

    mask = rules.crushed(pixels)

    assert not mask[:, :30].any()
    assert mask[:, 42:53].all()


def test_a_gradient_and_its_noise_of_a_level_are_flat_but_an_edge_is_not() -> None:
    """The sky has no texture; what lies within 16 px of an edge has."""
    rng = np.random.default_rng(0)
    sky = GREY + np.linspace(0, 12, 128)[None, :, None] + rng.integers(-1, 2, (128, 128, 1))
    pixels = np.repeat(np.rint(sky).astype(np.uint8), 3, axis=2)
    pixels[:, 100:] = 40

    mask = rules.flat(pixels)

    assert mask[:, :80].all()
    assert not mask[:, 86:114].any()


def test_edges_are_sharp_until_they_are_blurred() -> None:
    """A blur of 2 px makes nearly every edge of a picture wider than the rule allows."""
    image = factories.picture(4, (300, 260))

    found = [rules.sharp(np.asarray(each)).mean() for each in (image, *(factories.blurred(image, r) for r in (2, 4)))]

    assert found[0] > 0.6
    assert found[1] < 0.05
    assert found[2] == 0


def test_weak_edges_are_not_called_sharp() -> None:
    """What spans less than 12 grey levels may be noise."""
    assert rules.sharp(textured(contrast=40)).all()
    assert not rules.sharp(textured(contrast=8)).any()
