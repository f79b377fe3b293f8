"""The use case `explain`: where in a photo a defect is seen, as a sentence, a map and a picture.

The photo is only read; it is decoded and explained in a worker process, as for `score`, since it is untrusted.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from culld.app.explain_messages import ExplainSettings
from culld.app.model_files import load_model, locate_face_networks
from culld.app.one_request import answer_to

if TYPE_CHECKING:
    from culld.app.explain_messages import ExplainHandler, ExplainRequest, PhotoExplanation
    from culld.config import Config


def create_explainer(settings: ExplainSettings) -> ExplainHandler:
    """Create the handler of requests in a worker process."""
    from culld.app.explain_worker import ExplainWorker  # noqa: PLC0415 (slow to import, and needed in workers only)

    return ExplainWorker(settings)


def explain_photo(config: Config, request: ExplainRequest) -> PhotoExplanation:
    """Explain one photo in a new worker process.

    Raises PhotoError if the photo cannot be explained, SystemFaultError if the model cannot.
    """
    folder, _ = load_model(config.model.path)
    settings = ExplainSettings(folder, locate_face_networks(), config.limits.pixels, config.limits.file_size)
    return answer_to(request, functools.partial(create_explainer, settings), config)
