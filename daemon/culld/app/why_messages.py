"""The request to the worker process of `culld why --picture`, and its answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from culld.app.explain_messages import ExplainSettings, PhotoExplanation
    from culld.app.segment_messages import PhotoRegions, SegmentSettings
    from culld.errors import PhotoError
    from culld.records import Defect, RootedPath


class WhyHandler(Protocol):
    """The handler of the requests in a worker process: see `why_worker.WhyWorker`."""

    def why(self, request: WhyRequest) -> WhyPicture | PhotoError:
        """Explain and segment a photo."""


@dataclass(frozen=True, slots=True)
class WhySettings:
    """What explains a photo, and what segments it."""

    explain: ExplainSettings
    segment: SegmentSettings


@dataclass(frozen=True, slots=True)
class WhyRequest:
    """The photo, and the defect to explain (None: the most probable one of the network)."""

    place: RootedPath
    head: Defect | None

    def handle(self, handler: WhyHandler) -> WhyPicture | PhotoError:
        """Return the picture with what it shows, or the error that prevented it."""
        return handler.why(self)


@dataclass(frozen=True, slots=True)
class WhyPicture:
    """A photo under its heat map and, beside it, under the contours of its regions, as PNG; and what both show."""

    explanation: PhotoExplanation
    regions: PhotoRegions
    picture: bytes
