"""The use case of `culld why --picture`: where in a photo a defect is seen, and which regions have one, side by side.

The photo is only read; a worker process decodes, explains and segments it, as for `score`, since it is untrusted.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from culld.app.explain_messages import ExplainSettings
from culld.app.model_files import load_model, locate_face_networks, locate_shipped
from culld.app.one_request import answer_to
from culld.app.segment_messages import SegmentSettings
from culld.app.why_messages import WhySettings

if TYPE_CHECKING:
    from culld.app.why_messages import WhyHandler, WhyPicture, WhyRequest
    from culld.config import Config


def create_why(settings: WhySettings) -> WhyHandler:
    """Create the handler of requests in a worker process."""
    from culld.app.why_worker import WhyWorker  # noqa: PLC0415 (slow to import, and needed in workers only)

    return WhyWorker(settings)


def picture_why(config: Config, request: WhyRequest) -> WhyPicture:
    """Explain and segment one photo in a new worker process.

    Raises PhotoError if the photo cannot be explained or segmented, SystemFaultError if a model cannot be used.
    """
    folder, _ = load_model(config.model.path)
    limits = config.limits
    settings = WhySettings(
        ExplainSettings(folder, locate_face_networks(), limits.pixels, limits.file_size),
        SegmentSettings(locate_shipped("segment"), limits.pixels, limits.file_size),
    )
    return answer_to(request, functools.partial(create_why, settings), config)
