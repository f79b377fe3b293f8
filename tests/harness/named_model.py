"""A worker that scores photos by their names, without a network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from culld.imaging.image_file import DecodeLimits
from culld.inference.deferred import Deferred
from culld.records import Assessment, Photo, ReadFailure
from culld.stages.read import ReadRequest, WorkerSettings
from culld.stages.read.assess import Scorer
from culld.stages.read.scoring import DEFECT_NETWORK
from culld.stages.read.worker import PhotoWorker


class Model(PhotoWorker):
    """A worker that is its own network: it gives prepared probabilities by the name of the file, and 0 for others."""

    signature = DEFECT_NETWORK

    def __init__(self, name: str, blur: Mapping[str, float]) -> None:
        """Nothing to load."""
        self._settings = WorkerSettings(Path(), name, 10**8, 10**8)
        self._limits = DecodeLimits()
        self._scorer = Scorer(self)
        self._blur = blur
        self._name = ""
        self.scored: list[str] = []

    def begin(self, request: ReadRequest) -> Photo | Assessment | ReadFailure | Deferred[Assessment]:
        """Note the name."""
        self._name = request.snapshot.place.relative.name
        return super().begin(request)

    def run(self, _arrays: object) -> dict[str, NDArray[Any]]:
        """Return the probabilities prepared for the photo that was begun last."""
        self.scored.append(self._name)
        return {"probabilities": np.array([[self._blur.get(self._name, 0.0), 0.0, 0.0]])}
