"""The request to the worker process of `culld explain`, and its answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from culld.explain.method import Method

if TYPE_CHECKING:
    from pathlib import Path

    from culld.errors import PhotoError
    from culld.records import Defect, RootedPath


class ExplainHandler(Protocol):
    """The handler of the requests in a worker process: see `explain_worker.ExplainWorker`."""

    def explain(self, request: ExplainRequest) -> PhotoExplanation | PhotoError:
        """Explain a photo."""


@dataclass(frozen=True, slots=True)
class ExplainSettings:
    """The folders of the defect network and of the networks of faces, and the limits of a photo."""

    model: Path
    faces: Path
    pixels: int
    file_size: int


@dataclass(frozen=True, slots=True)
class ExplainRequest:
    """The photo to explain, the defect (None: the most probable one of the network), and the method."""

    place: RootedPath
    head: Defect | None
    method: Method = Method.HIRESCAM

    def handle(self, handler: ExplainHandler) -> PhotoExplanation | PhotoError:
        """Return the explanation, or the error that prevented it."""
        return handler.explain(self)


@dataclass(frozen=True, slots=True)
class PhotoExplanation:
    """Where a defect is seen in a photo.

    `probability` and `logit` are those of the network for this defect; `probability` is after the `light_value` was
    weighed, which changes `under` only; `light_value` is None where it changed nothing. `strongest` is x and y, and
    `share` the share of the photo, in fractions 0..1; `values` holds the rows of the map in units of the logit (empty
    for missed focus, which no map explains). `picture` is a PNG.
    """

    head: Defect
    method: str
    probability: float
    logit: float
    sentence: str
    strongest: tuple[float, float]
    share: float
    values: tuple[tuple[float, ...], ...]
    picture: bytes
    light_value: float | None = None
