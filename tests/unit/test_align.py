"""Two photos of one scene are laid on one another exactly, and two of different scenes never; on drawn pictures."""

from __future__ import annotations

import functools

import cv2  # noqa: TID253 - a test of it
import numpy as np
import pytest
from numpy.typing import NDArray

from culld.imaging.align import Alignment, NotComparable, align, align_prepared, prepare, scaled_size, warp
from culld.imaging.align_ecc import fit_ecc
from culld.imaging.homography import (
    corner_error,
    corners,
    insane,
    inverse,
    overlap,
    project,
    resizing,
    scale_of,
)
from culld.imaging.homography_fit import Matches, fit_jointly, uncertainty
from culld.imaging.quality import psnr
from harness.scenes import Scene, picture

Frame = NDArray[np.uint8]
Matrix = NDArray[np.float64]
SIZE = (560, 840)
HAND_HELD = np.array([[1.004, 0.015, -14.0], [-0.015, 1.006, 11.0], [4e-6, -5e-6, 1.0]])


@functools.cache
def scene(seed: int = 3) -> Frame:
    """A drawn landscape, larger than the frames."""
    return np.asarray(picture(Scene(seed, size=(960, 640))))


def first_frame(seed: int = 3) -> Frame:
    """The middle of a scene."""
    return scene(seed)[40:600, 60:900]


def second_frame(matrix: Matrix = HAND_HELD, size: tuple[int, int] = SIZE, seed: int = 3) -> Frame:
    """The frame (height, width) that `matrix` maps to the first one."""
    to_scene = np.array([[1, 0, 60], [0, 1, 40], [0, 0, 1.0]]) @ matrix
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpPerspective(scene(seed), to_scene, size[::-1], flags=flags), np.uint8)


def noisy(frame: Frame, sigma: float = 4.0, seed: int = 1) -> Frame:
    """A frame with noise."""
    noise = np.random.default_rng(seed).normal(0, sigma, frame.shape)
    return np.clip(np.rint(frame + noise), 0, 255).astype(np.uint8)


def exposed(frame: Frame, stops: float) -> Frame:
    """A frame with so many stops more light; a power of 2.2 stands for the curve of sRGB."""
    return np.clip(np.rint(255 * ((frame / 255) ** 2.2 * 2**stops) ** (1 / 2.2)), 0, 255).astype(np.uint8)


def blurred(frame: Frame, sigma: float) -> Frame:
    """A frame out of focus."""
    return np.asarray(cv2.GaussianBlur(frame, (0, 0), sigma), np.uint8)


def laid(first: Frame, second: Frame) -> Alignment:
    """The alignment of two frames that are comparable."""
    found = align(first, second)
    assert isinstance(found, Alignment), found
    return found


def refused(first: Frame, second: Frame) -> str:
    """The reason why two frames are not comparable."""
    found = align(first, second)
    assert isinstance(found, NotComparable), found
    return found.reason


CHANGES = {
    "nothing": lambda frame: frame,
    "darker by 2.5 EV": lambda frame: noisy(exposed(frame, -2.5), 2),
    "brighter by 2.5 EV": lambda frame: noisy(exposed(frame, 2.5), 2),
    "noise": lambda frame: noisy(frame, 8),
    "out of focus": lambda frame: noisy(blurred(frame, 2.0), 2),
    "grey": lambda frame: np.repeat(frame.mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_hand_held_pair_is_laid_within_a_pixel(change: str) -> None:
    """Corners within 1 px of 1024, whatever happened to the light and the focus of the second frame."""
    found = laid(noisy(first_frame(), 2), CHANGES[change](second_frame()))
    assert corner_error(found.matrix, HAND_HELD, SIZE, SIZE) < 1.0
    assert found.method == "features"
    assert found.inliers >= 30
    assert 0.3 <= found.ratio <= 1
    assert found.error_px < 1.5
    assert found.matrix.dtype == np.float64


@pytest.mark.parametrize("factor", [0.4, 0.75, 1.6])
def test_another_size_of_a_photo_is_laid_on_it(factor: float) -> None:
    """The scale is in the matrix, and pixel centres stay at integers."""
    first = first_frame()
    small = (round(SIZE[1] * factor), round(SIZE[0] * factor))
    interpolation = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    found = laid(first, np.asarray(cv2.resize(first, small, interpolation=interpolation), np.uint8))
    truth = inverse(resizing(small[0] / SIZE[1], small[1] / SIZE[0]))
    assert corner_error(found.matrix, truth, SIZE, small[::-1]) < 0.3


def test_a_crop_of_another_aspect_is_laid_on_its_photo() -> None:
    """And the photo on its crop."""
    first, crop = first_frame(), first_frame()[100:500, 240:640]
    truth = np.array([[1, 0, 240], [0, 1, 100], [0, 0, 1.0]])
    assert corner_error(laid(first, crop).matrix, truth, SIZE, crop.shape[:2]) < 0.3
    assert corner_error(laid(crop, first).matrix, inverse(truth), crop.shape[:2], SIZE) < 1.0


def test_a_photo_turned_by_a_quarter_is_laid_on_itself() -> None:
    """Even if its orientation was lost."""
    first = first_frame()
    truth = np.array([[0, -1, SIZE[1] - 1], [1, 0, 0], [0, 0, 1.0]])
    found = laid(first, np.ascontiguousarray(np.rot90(first)))
    assert corner_error(found.matrix, truth, SIZE, SIZE[::-1]) < 0.3


def test_equal_photos_give_equal_results() -> None:
    """Bit by bit, whatever random numbers were drawn before."""
    first, second = first_frame(), noisy(second_frame())
    found = laid(first, second)
    cv2.setRNGSeed(99)
    again = laid(first, second)
    assert np.array_equal(found.matrix, again.matrix)
    assert (found.inliers, found.ratio, found.error_px) == (again.inliers, again.ratio, again.error_px)


def test_a_photo_is_prepared_once_for_several_others() -> None:
    """The results are those of `align`."""
    first, second = first_frame(), noisy(second_frame())
    here, there = prepare(first), prepare(second)
    for _ in range(2):
        found = align_prepared(here, there)
        assert isinstance(found, Alignment)
        assert np.array_equal(found.matrix, laid(first, second).matrix)


def test_blurred_photos_without_features_are_laid_by_correlation() -> None:
    """Both frames are so blurred that too few features are left."""
    first, second = (noisy(blurred(frame, 16.0), 1) for frame in (first_frame(), second_frame()))
    found = laid(first, second)
    assert found.method == "ecc"
    assert corner_error(found.matrix, HAND_HELD, SIZE, SIZE) < 1.5


def test_correlation_that_cannot_converge_is_no_error() -> None:
    """A picture without structure has no map."""
    plain, luma = np.zeros((200, 300), np.uint8), first_frame()[..., 0]
    assert fit_ecc(plain, luma) is None
    assert fit_ecc(luma, luma, np.zeros((3, 3))) is None


@pytest.mark.parametrize(("one", "other"), [(1, 2), (2, 4), (4, 5), (5, 6), (6, 7), (7, 1)])
def test_different_scenes_are_not_comparable(one: int, other: int) -> None:
    """The reason is one sentence."""
    reason = refused(first_frame(one), first_frame(other))
    assert reason.endswith(".")
    assert reason[0].isupper()


def test_a_mirrored_photo_is_not_comparable() -> None:
    """No camera mirrors."""
    refused(first_frame(), np.ascontiguousarray(first_frame()[:, ::-1]))


def grey(level: int, height: int = 400, width: int = 600) -> Frame:
    """A frame of one grey level."""
    return np.full((height, width, 3), level, np.uint8)


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_blank_photo_is_not_comparable(level: int) -> None:
    """With itself, with a scene, and with noise on it."""
    for first, second in (
        (grey(level), grey(level)),
        (grey(level), first_frame()),
        (first_frame(), grey(level)),
        (noisy(grey(level), 8), noisy(grey(level), 8, seed=2)),
        (first_frame(), noisy(grey(level), 8)),
    ):
        refused(first, second)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 4000), (63, 900), (900, 63), (64, 20_000)])
def test_tiny_and_narrow_photos_are_refused_in_words(height: int, width: int) -> None:
    """First or second."""
    strip = noisy(grey(128, height, width), 40)
    assert "first photo is too small" in refused(strip, first_frame())
    assert "second photo is too small" in refused(first_frame(), strip)


@pytest.mark.parametrize(("height", "width"), [(64, 64), (70, 1500), (1500, 70)])
def test_small_and_long_photos_raise_nothing(height: int, width: int) -> None:
    """They are laid on themselves, or refused."""
    strip = np.asarray(cv2.resize(first_frame(), (width, height)), np.uint8)
    align(strip, strip)
    align(strip, first_frame())
    align(first_frame(), strip)


def test_the_second_photo_is_warped_into_the_frame_of_the_first() -> None:
    """It equals the first one where the mask is true; the mask leaves out what it does not show."""
    first, second = first_frame(), second_frame()
    pixels, valid = warp(second, laid(first, second), SIZE)
    assert pixels.shape == first.shape
    assert pixels.dtype == np.uint8
    assert valid.shape == SIZE
    assert valid.dtype == np.bool_
    assert 0.9 < valid.mean() < 1
    assert psnr(pixels[valid][None], first[valid][None]) > 30
    assert psnr(second[valid][None], first[valid][None]) < 22


def test_a_warped_photo_can_be_scaled_down() -> None:
    """The longer side is the one that was asked for, and it is not enlarged."""
    first, second = first_frame(), second_frame()
    found = laid(first, second)
    pixels, valid = warp(second, found, SIZE, longest=420)
    small = np.asarray(cv2.resize(first, (420, 280), interpolation=cv2.INTER_AREA), np.uint8)
    assert pixels.shape == (280, 420, 3)
    assert psnr(pixels[valid][None], small[valid][None]) > 30
    assert warp(second, found, SIZE, longest=5000)[1].shape == SIZE


def test_a_large_photo_is_warped_to_a_small_frame_without_aliasing() -> None:
    """A pattern of single pixels becomes grey."""
    large = np.indices((800, 1200)).sum(axis=0) % 2 * 255
    found = Alignment(resizing(0.25, 0.25), "features", 100, 1.0, 0.0)
    pixels, valid = warp(np.repeat(large[..., None], 3, axis=2).astype(np.uint8), found, (200, 300))
    assert np.abs(pixels[valid].astype(int) - 128).max() <= 8


def test_a_size_is_scaled_by_its_longer_side() -> None:
    """And kept without a limit."""
    assert scaled_size((4000, 6000), 1024) == (683, 1024)
    assert scaled_size((400, 600), 1024) == (400, 600)
    assert scaled_size((400, 600), None) == (400, 600)


def test_resizing_keeps_the_borders_of_a_picture() -> None:
    """The border lies half a pixel beyond the centre of the last one."""
    assert project(resizing(0.5, 0.25), np.array([[-0.5, -0.5], [99.5, 39.5]])) == pytest.approx(
        np.array([[-0.5, -0.5], [49.5, 9.5]])
    )


def test_points_at_or_behind_infinity_have_no_place() -> None:
    """A matrix whose depth falls to zero at x = 100."""
    tilted = np.array([[1, 0, 0], [0, 1, 0], [-0.01, 0, 1.0]])
    mapped = project(tilted, np.array([[50.0, 0], [100.0, 0], [150.0, 0]]))
    assert mapped[0] == pytest.approx([100, 0])
    assert np.isnan(mapped[1:]).all()


SQUARE = (400, 400)


@pytest.mark.parametrize(
    ("matrix", "reason"),
    [
        (np.eye(3), ""),
        (HAND_HELD, ""),
        (resizing(0.3, 0.3), ""),
        (np.diag([-1.0, 1, 1]), "mirrors"),
        (resizing(0.2, 0.2), "far more"),
        (resizing(5.0, 5.0), "far more"),
        (resizing(0.5, 1.5), "stretches"),
        (np.array([[1, 0, 390], [0, 1, 0], [0, 0, 1.0]]), "too little"),
        (np.array([[1, 0, 0], [0, 1, 0], [0.002, 0, 1.0]]), "angles"),
        (np.array([[1, 0, 0], [0, 1, 0], [-0.005, 0, 1.0]]), "folds"),
        (np.zeros((3, 3)), "no solution"),
        (np.full((3, 3), np.nan), "no solution"),
    ],
)
def test_only_maps_between_two_photos_of_a_scene_are_sane(matrix: Matrix, reason: str) -> None:
    """Each limit has its own clause."""
    found = insane(matrix, SQUARE, SQUARE)
    assert reason in found
    assert bool(reason) == bool(found)


def test_the_overlap_is_a_share_of_the_smaller_photo() -> None:
    """A crop overlaps wholly, a shift by half of the width half."""
    shift = np.array([[1, 0, 199.5], [0, 1, 0], [0, 0, 1.0]])
    assert overlap(shift, SQUARE, SQUARE) == pytest.approx(0.5, abs=0.01)
    assert overlap(shift, SQUARE, (100, 100)) == pytest.approx(1.0, abs=0.01)


def test_the_scale_of_a_map_is_that_of_lengths() -> None:
    """In the centre of the picture."""
    assert scale_of(resizing(2, 2), SQUARE) == pytest.approx(2)


def test_the_uncertainty_foretells_the_error_of_the_corners() -> None:
    """Many fits to noisy points; points in one corner of the picture fix the other ones badly."""
    rng = np.random.default_rng(0)
    wide, narrow = rng.uniform(0, 400, (60, 2)), rng.uniform(0, 120, (60, 2))
    told = {}
    for name, source in (("wide", wide), ("narrow", narrow)):
        errors, foretold = [], []
        for _ in range(40):
            target = project(HAND_HELD, source) + rng.normal(0, 0.5, source.shape)
            matrix, _ = cv2.findHomography(source, target, 0)
            errors.append(np.square(project(matrix, corners(SQUARE)) - project(HAND_HELD, corners(SQUARE))).sum(1))
            foretold.append(uncertainty(matrix, source, target, SQUARE))
        told[name] = float(np.median(foretold))
        assert told[name] == pytest.approx(float(np.sqrt(np.mean(errors))), rel=0.6)
    assert told["narrow"] > 5 * told["wide"]
    assert uncertainty(HAND_HELD, wide[:7], wide[:7], SQUARE) == np.inf


def test_a_joint_fit_weighs_exact_matches_more_and_says_how_sure_it_is() -> None:
    """Few exact places and many vague ones: the corners are nearer to the truth than with the vague ones alone."""
    rng = np.random.default_rng(0)
    joint, vague, foretold = [], [], []
    for _ in range(30):
        groups = []
        for count, scatter in ((25, 0.2), (100, 1.5)):
            source = rng.uniform(0, 400, (count, 2))
            groups.append(Matches(source, project(HAND_HELD, source) + rng.normal(0, scatter, source.shape)))
        start, _ = cv2.findHomography(groups[1].source, groups[1].target, 0)
        matrix, doubt = fit_jointly(groups, start, SQUARE)
        joint.append(corner_error(matrix, HAND_HELD, SQUARE, SQUARE) * 400 / 1024)
        vague.append(corner_error(start, HAND_HELD, SQUARE, SQUARE) * 400 / 1024)
        foretold.append(doubt)
    assert np.median(joint) < 0.6 * np.median(vague)
    assert np.median(foretold) == pytest.approx(np.median(joint), rel=0.6)
