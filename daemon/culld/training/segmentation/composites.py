"""Composites: patches of photos in which regions have defects, with the exact mask of each class.

The order is that of a camera: things move and are out of focus, light is clipped, the sensor adds noise, the camera
sharpens, the file is compressed. A little of the last three is in most composites, as in most photos, and no defect: a
network that had seen blur only without them found none in real photos.

A label has a weight: 0 where the class cannot be known. A region that the photographer left soft may be out of focus or
not, and is not blurred by motion: that is true of nearly all photographs that are trained on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
from PIL import Image

from culld.records.regions import REGION_CLASSES, RegionClass
from culld.training.segmentation import degrade
from culld.training.segmentation.regions import boxed, draw_cover

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from culld.training.segmentation.experiment import SegmentationExperiment

    Pixels = NDArray[np.uint8]
    Mask = NDArray[np.bool_]
    Cover = NDArray[np.float32]
    Light = NDArray[np.float32]

MARGIN: Final = 16
"""Pixels round a composite that are degraded with it and cut off: borders of convolutions, the grid of JPEG."""
INSIDE, OUTSIDE = 0.85, 0.15
"""Covers from and up to which a pixel counts as inside and outside of a region; between them its weight is 0."""
_COUNTS: Final = (0.5, 0.35, 0.15)
_VISIBLE: Final = {RegionClass.BLOCKS: (1.0, 2.0), RegionClass.NOISE: (2.0, 4.0)}
"""Deviations in grey levels up to which, and from which on, a degradation counts as invisible and as visible."""
_SOFT, _GRAINY, _SHARPENED, _FINAL_JPEG = 0.3, 0.5, 0.35, 0.8
"""How often a whole composite is a little soft, has a little noise, is sharpened by its camera, is stored as JPEG."""
_STORED: Final = (65, 98)
"""Qualities of a JPEG without visible blocks."""
_SHRUNK: Final = 0.5


class Rules(Protocol):
    """The rules that give classes of a picture, uint8 RGB, as bool (height, width): see `culld.segment.rules`."""

    def crushed(self, pixels: Pixels) -> Mask:
        """Return where shadows are crushed."""

    def clipped(self, pixels: Pixels) -> Mask:
        """Return where highlights are clipped."""

    def flat(self, pixels: Pixels) -> Mask:
        """Return where there is no texture."""

    def sharp(self, pixels: Pixels) -> Mask:
        """Return where there are sharp edges."""


@dataclass(frozen=True, slots=True, eq=False)
class Composite:
    """A patch, uint8 RGB (side, side, 3), with its labels and their weights, bool (side, side, 8)."""

    pixels: Pixels
    labels: Mask
    weights: Mask


@dataclass(slots=True, eq=False)
class _Work:
    """A patch on its way: its light, its original, the cover of each defect, and what the rules found so far."""

    original: Pixels
    light: Light
    covers: dict[RegionClass, Cover]


def composite(
    photo: Pixels, other: Pixels, experiment: SegmentationExperiment, rules: Rules, rng: np.random.Generator
) -> Composite:
    """Return a composite of a random place of a photo, uint8 RGB, whose sides are no shorter than crop and margins.

    `other` is another such photo, of which an undegraded region may be pasted.
    """
    side = experiment.crop + 2 * MARGIN
    patch = cut(photo, side, rng)
    if rng.random() < experiment.foreign:
        patch = _pasted(patch, cut(other, side, rng), rng)
    if rng.random() < _SOFT:
        patch = degrade.softened(patch, rng)
    work = _Work(patch, degrade.light_of(patch), _covers(patch, experiment, rng))
    return _finished(work, rules, rng)


def cut(photo: Pixels, side: int, rng: np.random.Generator) -> Pixels:
    """Return a random square of a photo, in half of the cases reduced, at times mirrored."""
    shortest = min(photo.shape[:2])
    wide = side if rng.random() > _SHRUNK else int(rng.integers(side, max(side, shortest) + 1))
    top, left = (int(rng.integers(0, length - wide + 1)) for length in photo.shape[:2])
    found = photo[top : top + wide, left : left + wide]
    if wide != side:
        found = np.asarray(Image.fromarray(found).resize((side, side), Image.Resampling.LANCZOS))
    return np.ascontiguousarray(found[:, ::-1] if rng.random() < 0.5 else found)


def _covers(patch: Pixels, experiment: SegmentationExperiment, rng: np.random.Generator) -> dict[RegionClass, Cover]:
    """Return the regions of the defects that are put in: none, or one to three; never crushed and clipped together."""
    if rng.random() < experiment.plain:
        return {}
    count = 1 + int(rng.choice(len(_COUNTS), p=_COUNTS))
    kinds = [RegionClass(each) for each in rng.permutation([str(kind) for kind in _MAKERS])][:count]
    if {RegionClass.SHADOW, RegionClass.HIGHLIGHT} <= set(kinds):
        kinds.remove(RegionClass.HIGHLIGHT)
    return {kind: draw_cover(patch, experiment.whole, rng) for kind in kinds}


def _pasted(patch: Pixels, other: Pixels, rng: np.random.Generator) -> Pixels:
    """Lay an undegraded region of another photo over a patch: its seam is no defect."""
    return _blended(patch, other, draw_cover(other, 0.0, rng))


def _finished(work: _Work, rules: Rules, rng: np.random.Generator) -> Composite:
    """Degrade, compress and label a patch."""
    for kind in (RegionClass.DEFOCUS, RegionClass.MOTION, RegionClass.SHADOW, RegionClass.HIGHLIGHT):
        if kind in work.covers:
            _mix(work, kind, rng)
    quiet = degrade.pixels_of(work.light)
    noisy = quiet
    if RegionClass.NOISE in work.covers:
        work.light = np.clip(work.light, 0, None)
        _mix(work, RegionClass.NOISE, rng)
        noisy = degrade.pixels_of(work.light)
    taken = degrade.grainy(noisy, rng) if rng.random() < _GRAINY else noisy
    taken = degrade.sharpened(taken, rng) if rng.random() < _SHARPENED else taken
    shown = taken
    if RegionClass.BLOCKS in work.covers:
        spoil = degrade.banded if rng.random() < 0.2 else degrade.compressed
        shown = _blended(taken, spoil(taken, rng), work.covers[RegionClass.BLOCKS])
    labels, weights = _labels(work, (quiet, noisy, taken, shown), rules)
    if rng.random() < _FINAL_JPEG:
        shown = degrade.jpeg(shown, int(rng.integers(*_STORED)))
    inner = slice(MARGIN, -MARGIN)
    return Composite(
        np.ascontiguousarray(shown[inner, inner]),
        np.ascontiguousarray(labels[inner, inner]),
        np.ascontiguousarray(weights[inner, inner]),
    )


def _mix(work: _Work, kind: RegionClass, rng: np.random.Generator) -> None:
    """Degrade the light of a region; its border is blended in linear light."""
    cover = work.covers[kind][..., None]
    work.light = work.light + (_MAKERS[kind](work.light, rng) - work.light) * cover


def _blended(below: Pixels, above: Pixels, cover: Cover) -> Pixels:
    mixed = below + (above.astype(np.float32) - below) * cover[..., None]
    rounded: Pixels = np.rint(mixed).astype(np.uint8)
    return rounded


def _labels(work: _Work, stages: tuple[Pixels, Pixels, Pixels, Pixels], rules: Rules) -> tuple[Mask, Mask]:
    """Return labels and weights: of the light before noise and compression, of the covers, and of what can be seen."""
    quiet, noisy, taken, shown = stages
    size = quiet.shape[:2]
    labels = np.zeros((*size, len(REGION_CLASSES)), np.bool_)
    weights = np.ones_like(labels)
    was_flat, is_flat, sharp = rules.flat(work.original), rules.flat(quiet), rules.sharp(work.original)
    spoilt = rules.crushed(quiet) | rules.clipped(quiet)
    _put(labels, weights, RegionClass.SHADOW, rules.crushed(quiet), None)
    _put(labels, weights, RegionClass.HIGHLIGHT, rules.clipped(quiet), None)
    _put(labels, weights, RegionClass.FLAT, was_flat & is_flat, was_flat | ~is_flat)
    for kind in (RegionClass.DEFOCUS, RegionClass.MOTION):
        inside, sure = _region(work.covers.get(kind), size)
        judged = sure & ~(spoilt & inside)
        if kind is RegionClass.DEFOCUS:
            judged &= inside | was_flat | sharp
        _put(labels, weights, kind, inside & ~was_flat, judged)
    for kind, before, after in ((RegionClass.NOISE, quiet, noisy), (RegionClass.BLOCKS, taken, shown)):
        if kind not in work.covers:
            continue
        inside, sure = _region(work.covers[kind], size)
        seen = _deviation(before, after)
        low, high = _VISIBLE[kind]
        _put(labels, weights, kind, inside & (seen >= low), sure & (~inside | (seen < low) | (seen >= high)))
    fine: Mask = ~np.logical_or.reduce(np.moveaxis(labels, 2, 0))
    known: Mask = ~fine | np.logical_and.reduce(np.moveaxis(weights[..., 1:], 2, 0))
    _put(labels, weights, RegionClass.FINE, fine, known)
    return labels, weights


def _put(labels: Mask, weights: Mask, kind: RegionClass, found: Mask, known: Mask | None) -> None:
    at = REGION_CLASSES.index(kind)
    labels[..., at] = found
    if known is not None:
        weights[..., at] = known


def _region(cover: Cover | None, size: tuple[int, ...]) -> tuple[Mask, Mask]:
    """Return the inside of a region, and where it is sure what is inside."""
    if cover is None:
        return np.zeros(size, np.bool_), np.ones(size, np.bool_)
    return cover > 0.5, (cover >= INSIDE) | (cover <= OUTSIDE)


def _deviation(before: Pixels, after: Pixels) -> Cover:
    """Return by how many grey levels two pictures differ, as the root of the mean square over 33x33 pixels."""
    red, green, blue = np.moveaxis(np.square(after.astype(np.float32) - before), 2, 0)
    difference = (red + green + blue) / np.float32(3)
    found: Cover = np.sqrt(np.maximum(boxed(difference, 16), 0))
    return found


_MAKERS: Final[dict[RegionClass, Callable[[Light, np.random.Generator], Light]]] = {
    RegionClass.DEFOCUS: degrade.defocused,
    RegionClass.MOTION: degrade.moved,
    RegionClass.SHADOW: degrade.darkened,
    RegionClass.HIGHLIGHT: degrade.brightened,
    RegionClass.NOISE: degrade.noisy,
    RegionClass.BLOCKS: lambda light, _rng: light,
}
"""The defects in light; blocks are put in later, and are here so that they are drawn."""
