"""The use case `segment`: which regions of a photo have which defect, as shares, polygons and a picture.

The photo is only read; it is decoded and segmented in a worker process, as for `score`, since it is untrusted.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

from culld.app.model_files import locate_shipped
from culld.app.one_request import answer_to
from culld.app.segment_messages import SegmentSettings

if TYPE_CHECKING:
    from culld.app.segment_messages import PhotoRegions, SegmentHandler, SegmentRequest
    from culld.config import Config

_MODEL: Final = "segment"


def create_segmenter(settings: SegmentSettings) -> SegmentHandler:
    """Create the handler of requests in a worker process."""
    from culld.app.segment_worker import SegmentWorker  # noqa: PLC0415 (slow to import, and needed in workers only)

    return SegmentWorker(settings)


def segment_photo(config: Config, request: SegmentRequest) -> PhotoRegions:
    """Segment one photo in a new worker process.

    Raises PhotoError if the photo cannot be segmented, SystemFaultError if the network cannot be used.
    """
    settings = SegmentSettings(locate_shipped(_MODEL), config.limits.pixels, config.limits.file_size)
    return answer_to(request, functools.partial(create_segmenter, settings), config)
