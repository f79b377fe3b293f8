"""Whether a face is out of focus: the detail of face, eye and mouth at the scale of the face, as a probability.

A face is judged by itself. The ground does not matter: a sharp face before a blurred ground is in focus, and in a frame
that is blurred as a whole the face is out of focus too.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from culld.subject.patch import FACE, SIDE, Patch

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
MAX_MOTION = 0.3
"""Of `motion`: a face above it moved, and is not called out of focus."""
_SCALES = (0.0, 0.7, 1.4, 2.8, 8.0, 16.0)
"""The standard deviations in pixels of a patch of the Gaussians between which the bands of detail lie."""
_FLOOR = 1e-4
_PLACES = np.indices((SIDE, SIDE), dtype=np.float32) + np.float32(0.5)


def _gaussian(sigma: float) -> Plane:
    """Return the matrix (224, 224) that blurs the columns of a patch by a Gaussian."""
    distance = np.arange(SIDE) - np.arange(SIDE)[:, None]
    weights = np.exp(-0.5 * (distance / sigma) ** 2)
    shares: Plane = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return shares


_BLURS = {sigma: _gaussian(sigma) for sigma in (0.7, 1.4, 2.8, 4.0, 8.0, 16.0)}


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
    bands = _bands(patch.luma)
    face = _ellipse(patch)
    coarse = np.log(np.sqrt((bands[-1][face] ** 2).mean()) + _FLOOR)
    rows = [_detail(bands, mask) for mask in (face, *(_disk(patch, eye, 0.14) for eye in patch.eyes))]
    whole, eye = rows[0], max(rows[1:], key=lambda row: row[1])
    mouth = _detail(bands, _disk(patch, tuple(np.mean(patch.mouth, axis=0)), 0.16))
    noise = [_noise(band, face) for band in bands[:2]]
    relative = np.concatenate([whole, eye, mouth, noise]) - coarse
    size = np.log2(min(patch.height, FACE) / FACE)
    light = np.log(patch.luma[face].mean() + 0.02)
    mixed = np.array([*relative[:3], *relative[-2:], size])
    products = np.outer(mixed, mixed)[np.triu_indices(len(mixed))]
    return np.concatenate([relative, [coarse, light, size], products]).astype(np.float64)


FEATURES = 4 * 3 + 2 + 3 + 6 * 7 // 2
"""The number of features; the last ones are products of six of them."""


def motion(patch: Patch) -> float:
    """Return how much more fine detail a face lost in one direction than across it, as a natural logarithm.

    It is the ratio of the generalised eigenvalues of the structure tensors of fine and of coarse gradients: 0 if both
    directions lost the same, as out of focus.
    """
    face = _ellipse(patch)
    fine, coarse = (_tensor(_blurred(patch.luma, sigma), face) for sigma in (0.0, 2.8))
    least, most = sorted(np.abs(np.linalg.eigvals(np.linalg.solve(coarse, fine))))
    return float(np.log((most + _FLOOR**2) / (least + _FLOOR**2)) / 2)


def _tensor(plane: Plane, mask: Mask) -> NDArray[np.float64]:
    gradients = np.gradient(plane)
    down, across = gradients[0][mask].astype(np.float64), gradients[1][mask].astype(np.float64)
    mixed = (down * across).mean()
    return np.array([[(across**2).mean() + _FLOOR**2, mixed], [mixed, (down**2).mean() + _FLOOR**2]])


def _blurred(plane: Plane, sigma: float) -> Plane:
    if not sigma:
        return plane
    return (_BLURS[sigma] @ plane @ _BLURS[sigma].T).astype(np.float32)


def _bands(luma: Plane) -> list[Plane]:
    """Return the detail between neighbouring scales, the finest first."""
    levels = [_blurred(luma, sigma) for sigma in _SCALES]
    return [(fine - coarse).astype(np.float32) for fine, coarse in itertools.pairwise(levels)]


def _detail(bands: list[Plane], mask: Mask) -> NDArray[np.float64]:
    """Return the logarithm of the 98th percentile of each band but the coarsest in a region (4)."""
    return np.log([np.percentile(np.abs(band[mask]), 98) + _FLOOR for band in bands[:-1]])


def _noise(band: Plane, face: Mask) -> float:
    """Return the logarithm of the noise: the local standard deviation of a band in the flattest fifth of the face."""
    local = np.sqrt(np.maximum(_blurred(band**2, 4.0)[face], 0))
    return float(np.log(np.percentile(local, 20) + _FLOOR))


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
