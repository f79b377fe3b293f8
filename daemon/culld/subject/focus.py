"""Whether a face is out of focus: the detail of face, eye and mouth at the scale of the face, as a probability.

A face is judged by itself. The ground does not matter: a sharp face before a blurred ground is in focus, and in a frame
that is blurred as a whole the face is out of focus too.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from culld.subject.patch import FACE, SIDE, Patch, block_means

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Plane = NDArray[np.float32]
    Mask = NDArray[np.bool_]

MIN_HEIGHT = 48
"""Of a face in pixels: smaller ones are not judged."""
MIN_LUMA = 0.03
"""The mean luma (0..1, sRGB-coded) of a face below which it is not judged."""
MIN_EYE_DISTANCE = 0.04
"""The distance of the eyes in heights of the face below which the face is turned away, and not judged."""
MAX_MOTION = 0.35
"""Of `motion`: a face above it moved, and is not called out of focus."""
_FINE, _COARSE = (0.7, 1.4, 2.8), (8.0, 16.0)
"""The standard deviations in pixels of a patch of the Gaussians between which the bands of detail lie."""
_BLOCK = 8
"""The side in pixels of the blocks in which noise is measured."""
_FLOOR = 1e-4
_PLACES = np.indices((SIDE, SIDE), dtype=np.float32) + np.float32(0.5)


def _gaussian(sigma: float, side: int) -> Plane:
    """Return the matrix (side, side) that blurs the columns of a plane by a Gaussian."""
    distance = np.arange(side) - np.arange(side)[:, None]
    weights = np.exp(-0.5 * (distance / sigma) ** 2)
    shares: Plane = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return shares


_FINE_BLURS = [_gaussian(sigma, SIDE) for sigma in _FINE]
_COARSE_BLURS = [_gaussian(sigma / 2, SIDE // 2) for sigma in _COARSE]


@dataclass(frozen=True, slots=True)
class FocusModel:
    """A logistic regression on the features of `focus_features`: their means, deviations, weights and the offset."""

    means: tuple[float, ...]
    deviations: tuple[float, ...]
    weights: tuple[float, ...]
    offset: float

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> FocusModel:
        """Return the model of the object `calibration.focus` of the card; raises KeyError, TypeError or ValueError."""
        means, deviations, weights = (tuple(map(float, facts[name])) for name in ("means", "deviations", "weights"))
        if {len(means), len(deviations), len(weights)} != {FEATURES}:
            raise ValueError(f"the model of focus needs {FEATURES} features")
        return cls(means, deviations, weights, float(facts["offset"]))

    def probability(self, features: NDArray[np.float64]) -> float:
        """Return the probability 0..1 that a face with these features is out of focus."""
        scaled = (features - np.array(self.means)) / np.array(self.deviations)
        logit = float(scaled @ np.array(self.weights)) + self.offset
        return float(1 / (1 + np.exp(-np.clip(logit, -30, 30))))


def face_blur(patch: Patch, model: FocusModel) -> float | None:
    """Return the probability that a face is out of focus.

    None is no answer: a face that is smaller than 48 pixels, turned away, nearly black, or blurred in one direction,
    which is movement.
    """
    eyes = np.array(patch.eyes)
    apart = float(np.hypot(*(eyes[1] - eyes[0]))) / FACE
    dark = float(patch.luma[_ellipse(patch)].mean()) < MIN_LUMA
    if patch.height < MIN_HEIGHT or apart < MIN_EYE_DISTANCE or dark:
        return None
    probability = model.probability(focus_features(patch))
    return None if probability >= 0.5 and motion(patch) > MAX_MOTION else probability


def focus_features(patch: Patch) -> NDArray[np.float64]:
    """Return the measures of focus, in natural logarithms: fine detail over coarse, its noise, the size of the face.

    Detail is the 98th percentile of the absolute values of a band in a region. It is divided by the coarsest band of
    the face, so contrast does not matter. The eye is the sharper one.
    """
    bands, face = _bands(patch.luma), _ellipse(patch)
    whole = _detail(bands, face, step=2)
    eye = max((_detail(bands, _disk(patch, eye, 0.14)) for eye in patch.eyes), key=lambda row: row[1])
    mouth = _detail(bands, _disk(patch, tuple(np.mean(patch.mouth, axis=0)), 0.16))
    noise = [_noise(band, face) for band in bands.fine[:2]]
    coarsest = np.log(np.sqrt((bands.coarsest[face[::2, ::2]] ** 2).mean()) + _FLOOR)
    relative = np.concatenate([whole, eye, mouth, noise]) - coarsest
    size = np.log2(min(patch.height, FACE) / FACE)
    light = np.log(patch.luma[face].mean() + 0.02)
    mixed = np.array([*relative[:3], *relative[-2:], size])
    products = np.outer(mixed, mixed)[np.triu_indices(len(mixed))]
    return np.concatenate([relative, [light, size], products]).astype(np.float64)


FEATURES = 4 * 3 + 2 + 2 + 6 * 7 // 2
"""The number of features; the last ones are products of six of them."""


def motion(patch: Patch) -> float:
    """Return how much more fine detail a face lost in one direction than across it, as a natural logarithm.

    It is the ratio of the generalised eigenvalues of the structure tensors of fine and of coarse gradients: 0 if both
    directions lost the same, as out of focus.
    """
    face = _ellipse(patch)
    fine, coarse = (_tensor(plane, face) for plane in (patch.luma, _blurred(patch.luma, _FINE_BLURS[-1])))
    least, most = sorted(np.abs(np.linalg.eigvals(np.linalg.solve(coarse, fine))))
    return float(np.log((most + _FLOOR**2) / (least + _FLOOR**2)) / 2)


def _tensor(plane: Plane, mask: Mask) -> NDArray[np.float64]:
    gradients = np.gradient(plane)
    down, across = gradients[0][mask].astype(np.float64), gradients[1][mask].astype(np.float64)
    mixed = (down * across).mean()
    return np.array([[(across**2).mean() + _FLOOR**2, mixed], [mixed, (down**2).mean() + _FLOOR**2]])


def _blurred(plane: Plane, blur: Plane) -> Plane:
    return (blur @ plane @ blur.T).astype(np.float32)


@dataclass(frozen=True, slots=True)
class _Bands:
    """The detail of a patch between neighbouring scales, the finest first.

    `fine` (3, 192, 192) is signed. `coarse` and `coarsest` (96, 96) are those of the patch at half its size.
    """

    fine: Plane
    coarse: Plane
    coarsest: Plane


def _bands(luma: Plane) -> _Bands:
    levels = [luma, *(_blurred(luma, blur) for blur in _FINE_BLURS)]
    half = block_means(luma, 2)
    below = [block_means(levels[-1], 2), *(_blurred(half, blur) for blur in _COARSE_BLURS)]
    fine = np.stack([finer - coarser for finer, coarser in itertools.pairwise(levels)])
    return _Bands(fine, below[0] - below[1], below[1] - below[2])


def _detail(bands: _Bands, mask: Mask, step: int = 1) -> NDArray[np.float64]:
    """Return the logarithm of the 98th percentile of each band but the coarsest in a region (4).

    Of the fine bands only every so many rows count.
    """
    fine = _top(bands.fine[:, ::step][:, mask[::step]])
    return np.log(np.append(fine, _top(bands.coarse[mask[::2, ::2]][None])).astype(np.float64) + _FLOOR)


def _top(values: Plane) -> Plane:
    """Return the 98th percentile of the absolute values in each row; `np.percentile` takes three times as long."""
    rank = int(0.98 * (values.shape[1] - 1))
    top: Plane = np.partition(np.abs(values), rank, axis=1)[:, rank]
    return top


def _noise(band: Plane, face: Mask) -> float:
    """Return the logarithm of the noise: the deviation of a band in the blocks of the flattest fifth of the face."""
    inside = face[_BLOCK // 2 :: _BLOCK, _BLOCK // 2 :: _BLOCK]
    return float(np.log(np.percentile(np.sqrt(block_means(band**2, _BLOCK)[inside]), 20) + _FLOOR))


def _ellipse(patch: Patch) -> Mask:
    """Return the face without the corners of its box."""
    y, x = (_PLACES - np.float32(SIDE / 2)) / np.float32(0.45 * FACE)
    inside: Mask = (x / patch.aspect) ** 2 + y**2 < 1
    return inside


def _disk(patch: Patch, centre: tuple[float, ...], radius: float) -> Mask:
    """Return a disk of this radius in heights of the face; the whole face if the disk is outside of the patch."""
    y, x = _PLACES[0] - centre[1], _PLACES[1] - centre[0]
    inside: Mask = x**2 + y**2 < (radius * FACE) ** 2
    return inside if inside.sum() > 50 else _ellipse(patch)
