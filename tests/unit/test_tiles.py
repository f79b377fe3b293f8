"""Tiles: every size, no seam, bounded memory; and the repair that runs over them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from culld.enhance.restore import restore
from culld.enhance.tiles import MARGIN, STEP, in_tiles, spans
from culld.errors import SystemFaultError
from culld.inference.network import ArraySpec, Signature

SIDE, NARROW = 64, 8


class TileNetwork:
    """A network over tiles that applies a function to each."""

    def __init__(self, apply: Any, side: int = 128, shape: tuple[int, ...] | None = None) -> None:
        """Count the tiles."""
        spec = shape or (side, side, 3)
        self.signature = Signature({"in": ArraySpec(spec, "uint8")}, {"out": ArraySpec(spec, "float32")})
        self._apply = apply
        self.calls = 0

    def run(self, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Apply the function to each example."""
        self.calls += 1
        return {"out": np.stack([self._apply(each.astype(np.float32)) for each in arrays["in"]])}


def blurred(pixels: np.ndarray) -> np.ndarray:
    """The mean of a window of 17 px in both directions; what lies outside of a tile counts as 0."""
    for axis in (0, 1):
        pixels = sum(_moved(pixels, by, axis) for by in range(-NARROW, NARROW + 1)) / (2 * NARROW + 1)
    return pixels.astype(np.float32)


def _moved(pixels: np.ndarray, by: int, axis: int) -> np.ndarray:
    wide = np.pad(pixels, [(NARROW, NARROW) if each == axis else (0, 0) for each in range(3)])
    return np.take(wide, range(NARROW + by, NARROW + by + pixels.shape[axis]), axis=axis)


def noise(height: int, width: int) -> np.ndarray:
    """A picture of random pixels."""
    return np.random.default_rng(height * 1000 + width).integers(0, 256, (height, width, 3)).astype(np.uint8)


@settings(max_examples=200, deadline=None)
@given(length=st.integers(1, 5000), side=st.integers(31, 200).map(lambda number: number * STEP))
def test_every_pixel_is_kept_once_and_far_from_the_inner_borders(length: int, side: int) -> None:
    """Tiles begin on the grid, and what they keep lies a margin away from each border that others continue."""
    found = spans(length, side)

    kept = [place for span in found for place in range(span.first, span.last)]
    assert list(range(length)) == kept
    for span in found:
        assert span.start % STEP == 0
        assert span.start == 0 or span.first - span.start >= MARGIN
        assert span.last == length or span.start + side - span.last >= MARGIN


@pytest.mark.parametrize("size", [(64, 64), (65, 190), (200, 64), (131, 133), (300, 68)])
def test_tiles_give_what_the_whole_picture_gives(size: tuple[int, int]) -> None:
    """A window that reaches as far as the margin makes no seam, at any size from a tile on."""
    pixels = noise(*size)
    padded = np.pad(pixels, [(0, -length % STEP) for length in size] + [(0, 0)], mode="edge")
    whole = blurred(padded.astype(np.float32))[: size[0], : size[1]]

    found = np.full(whole.shape, -1000.0, np.float32)
    for rows, columns, tile in in_tiles(pixels, lambda cut: blurred(cut.astype(np.float32)), SIDE, NARROW):
        found[rows, columns] = tile

    np.testing.assert_allclose(found, whole, atol=1e-3)


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (3, 7), (127, 129), (128, 128), (400, 130)])
def test_a_picture_of_any_size_keeps_its_shape(size: tuple[int, int]) -> None:
    """A network that changes nothing gives the same picture back, also with sides of one pixel."""
    pixels = noise(*size)

    found = restore(pixels, TileNetwork(lambda tile: tile))

    assert np.array_equal(pixels, found)
    assert found is not pixels


def test_progress_counts_the_tiles() -> None:
    """From the first tile to the last."""
    seen: list[tuple[int, int]] = []
    network = TileNetwork(lambda tile: tile)

    restore(noise(300, 140), network, progress=lambda done, total: seen.append((done, total)))

    assert seen == [(number, network.calls) for number in range(1, network.calls + 1)]


def test_strength_blends() -> None:
    """0 changes nothing and runs no network; a half goes half of the way."""
    pixels = np.full((20, 30, 3), [100, 110, 120], np.uint8)
    network = TileNetwork(lambda tile: tile + 20)

    assert np.array_equal(pixels, restore(pixels, network, strength=0.0))
    assert network.calls == 0
    assert np.array_equal(pixels + 10, restore(pixels, network, strength=0.5))
    assert np.array_equal(pixels + 20, restore(pixels, network))


def test_results_past_the_range_are_clipped() -> None:
    """300 becomes 255, and -50 becomes 0."""
    pixels = np.full((8, 8, 3), 100, np.uint8)

    assert restore(pixels, TileNetwork(lambda tile: tile + 200)).min() == 255
    assert restore(pixels, TileNetwork(lambda tile: tile - 150)).max() == 0


def test_a_grey_photo_stays_grey() -> None:
    """A network that tints makes no colour where there was none."""
    pixels = np.repeat(noise(40, 50)[..., :1], 3, axis=2)

    found = restore(pixels, TileNetwork(lambda tile: tile + np.array([9, 0, -9], np.float32)))

    assert np.array_equal(found[..., 0], found[..., 1])
    assert np.array_equal(found[..., 0], found[..., 2])


@pytest.mark.parametrize(
    ("pixels", "strength"),
    [
        (np.zeros((4, 4, 3), np.uint8), 1.5),
        (np.zeros((4, 4, 3), np.uint8), -0.1),
        (np.zeros((4, 4), np.uint8), 1.0),
        (np.zeros((4, 4, 4), np.uint8), 1.0),
        (np.zeros((4, 4, 3), np.float32), 1.0),
        (np.zeros((0, 4, 3), np.uint8), 1.0),
    ],
)
def test_other_arrays_are_refused(pixels: np.ndarray, strength: float) -> None:
    """The message names what is wrong."""
    with pytest.raises(ValueError, match=r"strength|a photo is"):
        restore(pixels, TileNetwork(lambda tile: tile), strength=strength)


def test_a_network_without_square_tiles_is_refused() -> None:
    """Such as one for frames of 512x384."""
    with pytest.raises(SystemFaultError, match="square"):
        restore(noise(10, 10), TileNetwork(lambda tile: tile, shape=(384, 512, 3)))


def test_tiles_that_would_keep_nothing_are_refused() -> None:
    """A side of twice the margin leaves no pixel."""
    with pytest.raises(ValueError, match="overlap"):
        spans(500, 2 * MARGIN)
