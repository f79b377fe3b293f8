"""How far repaired exposures are from the right ones, on scenes that were not trained on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from culld.training.dataset import number_of
from culld.training.tone.exposures import exposed
from culld.training.tone.network import corrected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from culld.training.tone.experiment import ToneExperiment

    Photo = NDArray[np.uint8]

_KINDS = {"clean": (1.0, 0.0, 0.0), "under": (0.0, 1.0, 0.0), "over": (0.0, 0.0, 1.0), "mild": (0.0, 0.0, 0.0)}
"""The shares of clean, under and over in the pictures of a kind."""


def errors(core: Any, photos: Sequence[Photo], experiment: ToneExperiment) -> dict[str, Any]:
    """Return for each kind of exposure the mean difference to the right one in grey levels, before and after.

    Photos are uint8 RGB of the size that `core` takes; each is exposed once in each kind. `stops` is the mean of the
    predicted ones.
    """
    found = {}
    for kind, (clean, under, over) in _KINDS.items():
        rng = np.random.default_rng(number_of(experiment.seed, "measure", kind))
        alike = replace(experiment, clean=clean, under=under, over=over)
        pairs = [exposed(photo, alike, rng) for photo in photos]
        wrong = np.stack([each for each, _ in pairs]).astype(np.float32)
        right = np.stack([each for _, each in pairs])
        curve = core.predict(wrong, batch_size=32, verbose=0)
        after = np.concatenate(
            [np.asarray(corrected(wrong[at : at + 32], curve[at : at + 32])) for at in range(0, len(wrong), 32)]
        )
        found[kind] = {
            "pictures": len(photos),
            "before": round(255 * float(np.abs(wrong / 255 - right).mean()), 2),
            "after": round(255 * float(np.abs(after - right).mean()), 2),
            "stops": round(float(curve[:, 0].mean()), 2),
        }
    return found
