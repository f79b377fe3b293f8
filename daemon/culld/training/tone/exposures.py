"""Wrong exposures of clean photos, in linear light, each with the photo at the right exposure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from culld.training.dataset import number_of
from culld.training.photometric import (
    contrast,
    expose,
    highlights,
    of_camera,
    of_sensor,
    relight,
    to_linear,
    to_pixels,
    to_srgb,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from culld.training.tone.experiment import ToneExperiment

    Photo = NDArray[np.uint8]
    Plane = NDArray[np.float32]
    Batch = tuple[NDArray[np.float32], NDArray[np.float32]]

UNDER: Final = (-5.0, -1.5)
OVER: Final = (1.5, 4.0)
_MILD: Final = (-1.5, 1.5)
_OTHER_CONTRAST: Final = 0.3
_LEVELS = np.arange(256, dtype=np.float32) / np.float32(255)
_SRGB: Final = (to_linear(_LEVELS), to_srgb)
_CAMERA: Final = (of_sensor(_LEVELS), of_camera)
"""The linear light of each level, and the function that gives linear light its levels."""


def exposed(photo: Photo, experiment: ToneExperiment, rng: np.random.Generator) -> tuple[Photo, Plane]:
    """Return a wrong exposure of a clean thumbnail and the right one, as `shot` does, by random stops.

    The noise is weaker, as it is after a photo was reduced; some have the contrast of another camera.
    """
    stops, is_hard = _stops(experiment, rng), rng.random() < experiment.hard_light
    by_camera = rng.random() < experiment.camera and stops < 0
    wrong, right = shot(photo, stops, rng, is_hard=is_hard, noise=rng.uniform(0.1, 1.0), by_camera=by_camera)
    if stops != 0 and rng.random() < _OTHER_CONTRAST:
        wrong = to_pixels(contrast(wrong.astype(np.float32) / np.float32(255), rng.uniform(-0.15, 0.25)))
    return wrong, right


def shot(
    photo: Photo,
    stops: float,
    rng: np.random.Generator,
    *,
    is_hard: bool,
    noise: float = 1.0,
    by_camera: bool = False,
) -> tuple[Photo, Plane]:
    """Return a wrong exposure of a clean photo, uint8 RGB, and the right one, float32 sRGB 0..1, of the same shape.

    With `is_hard` the light falls unevenly, and lamps and skies are brighter than white in the wrong exposure. `noise`
    is a factor for that of the sensor, which the right exposure does not have; nor does the wrong one at 0 stops. With
    `by_camera` light and levels are related as in cameras, otherwise as in sRGB, which no camera writes exactly; it is
    for darker exposures, since it makes far too much light of the lowest levels.
    """
    light_of, to_levels = _CAMERA if by_camera else _SRGB
    right = light_of[photo]
    if is_hard:
        right = relight(right, rng.uniform(0.0, 1.2), rng)
    light = highlights(np.minimum(right, 1.0), rng.uniform(0.0, 3.0)) if is_hard else right
    clean = to_levels(np.clip(right, 0.0, 1.0))
    if stops == 0:
        return to_pixels(clean), clean
    without = np.clip(light * np.float32(2.0**stops), 0.0, 1.0)
    grain = (expose(light, stops, rng) - without) * np.float32(noise)
    return to_pixels(to_levels(np.clip(without + grain, 0.0, 1.0))), clean


def batch_of(photos: Sequence[Photo], experiment: ToneExperiment, step: int) -> Batch:
    """Return wrong exposures, float32 0..255, and right ones, float32 0..1, of one step: (batch, height, width, 3)."""
    rng = np.random.default_rng(number_of(experiment.seed, "tone", str(step)))
    pairs = [
        exposed(_mirrored(photos[int(index)], rng), experiment, rng)
        for index in rng.integers(0, len(photos), experiment.batch)
    ]
    return np.stack([wrong for wrong, _ in pairs]).astype(np.float32), np.stack([right for _, right in pairs])


def _stops(experiment: ToneExperiment, rng: np.random.Generator) -> float:
    """Draw the stops of a wrong exposure; 0 for a clean picture."""
    place = rng.random()
    for share, limits in ((experiment.clean, (0.0, 0.0)), (experiment.under, UNDER), (experiment.over, OVER)):
        if place < share:
            return float(rng.uniform(*limits))
        place -= share
    return float(rng.uniform(*_MILD))


def _mirrored(photo: Photo, rng: np.random.Generator) -> Photo:
    """Return a photo as it is, or mirrored."""
    return photo[:, ::-1] if rng.random() < 0.5 else photo
