"""The heat maps of the review page, made in its workers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from culld.app.explain_messages import ExplainSettings
from culld.app.model_files import load_model, locate_face_networks
from culld.errors import PhotoError, SystemFaultError
from culld.records import NETWORK_DEFECTS, Defect

if TYPE_CHECKING:
    from pathlib import Path

    from culld.app.explain_worker import ExplainWorker
    from culld.records import RootedPath


@dataclass(frozen=True, slots=True)
class Heat:
    """Where the network sees a defect: an 8-bit grey PNG, upright, and the logit and probability of the defect."""

    png: bytes
    logit: float
    probability: float


class HeatMaker(Protocol):
    """Explains the defects of photos in a worker process; made there once by a function that can be pickled."""

    def heat(self, place: RootedPath, head: str) -> Heat:
        """Return the map of a defect of the photo at a path; raises PhotoError if it cannot be explained."""


@dataclass(frozen=True, slots=True)
class HiResCamMaker:
    """A `HeatMaker` by HiResCAM."""

    worker: ExplainWorker

    def heat(self, place: RootedPath, head: str) -> Heat:
        """Return the map of a defect of the network; raises PhotoError."""
        from culld.explain.method import Method  # noqa: PLC0415 (only a worker loads NumPy for it)
        from culld.explain.picture import heat_png  # noqa: PLC0415

        defect = Defect(head)
        if defect not in NETWORK_DEFECTS:
            raise PhotoError("missed focus is measured on faces: no map of the network explains it")
        found = self.worker.map(place, defect, Method.HIRESCAM)
        return Heat(heat_png(found), found.logit, found.probability)


def create_heat(model: Path | None, pixels: int, file_size: int) -> HeatMaker:
    """Return the maker of a worker process for a model (None: the one that comes with culld); raises PhotoError."""
    from culld.app.explain_worker import ExplainWorker  # noqa: PLC0415 (loads the networks; only in a worker)

    try:
        folder, _ = load_model(model)
        return HiResCamMaker(ExplainWorker(ExplainSettings(folder, locate_face_networks(), pixels, file_size)))
    except SystemFaultError as error:
        raise PhotoError(str(error)) from error
