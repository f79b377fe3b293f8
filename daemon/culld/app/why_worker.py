"""The handler in the worker process of `culld why --picture`: heat map and regions of a photo in one picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from culld.app.explain_messages import ExplainRequest
from culld.app.explain_worker import ExplainWorker
from culld.app.segment_worker import SegmentWorker
from culld.app.why_messages import WhyPicture
from culld.errors import PhotoError
from culld.imaging.overlay import beside
from culld.segment.outline import Ring
from culld.segment.picture import picture

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from culld.app.segment_messages import PhotoRegions
    from culld.app.why_messages import WhyRequest, WhySettings


class WhyWorker:
    """The `WhyHandler` of the worker process; not to be shared between threads."""

    def __init__(self, settings: WhySettings) -> None:
        """Load both networks; raises SystemFaultError if one of them cannot be used."""
        self._explainer = ExplainWorker(settings.explain)
        self._segmenter = SegmentWorker(settings.segment)

    def why(self, request: WhyRequest) -> WhyPicture | PhotoError:
        """Explain and segment a photo; a PhotoError is returned, not raised, to reach the caller."""
        explained = self._explainer.explain(ExplainRequest(request.place, request.head))
        if isinstance(explained, PhotoError):
            return explained
        try:
            regions = self._segmenter.regions(request.place)
            contours = drawn(self._explainer.pixels(request.place), regions)
        except PhotoError as error:
            return error
        return WhyPicture(explained, regions, beside(explained.picture, contours))


def drawn(pixels: NDArray[np.uint8], found: PhotoRegions) -> bytes:
    """Return a photo in any size, uint8 RGB (height, width, 3), under the contours of its regions as PNG."""
    scale = pixels.shape[1] / found.width, pixels.shape[0] / found.height
    outlines = {
        kind: [Ring(np.array(polygon.points) * scale, polygon.is_hole) for polygon in polygons]
        for kind, polygons in found.polygons.items()
    }
    return picture(pixels, outlines, found.shares)
