"""The use case `compare`: what differs between two photos of one scene, as a sentence, numbers and a picture.

Both photos are only read; they are decoded and compared in one worker process, since they are untrusted.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

from culld.app.compare_messages import CompareSettings
from culld.app.one_request import answer_to
from culld.compare.registry import entry, require_trained
from culld.errors import SystemFaultError
from culld.system.doctor.environment import has_module

if TYPE_CHECKING:
    from culld.app.compare_messages import CompareHandler, CompareRequest, Comparison
    from culld.config import Config

DEFAULT_MODEL: Final = "content"
"""The model of change that is used if none is named."""


def create_comparer(settings: CompareSettings) -> CompareHandler:
    """Create the handler of requests in a worker process."""
    from culld.app.compare_worker import CompareWorker  # noqa: PLC0415 (slow to import, and needed in workers only)

    return CompareWorker(settings)


def compare_photos(config: Config, request: CompareRequest, model: str = DEFAULT_MODEL) -> Comparison:
    """Compare two photos in a new worker process.

    Raises PhotoError if one of them cannot be read, ConfigError for an unknown model, SystemFaultError if the model is
    not trained or OpenCV is missing.
    """
    require_opencv()
    require_trained(entry(model))  # an unknown name is an error of the command, not of the worker
    settings = CompareSettings(model, config.limits.pixels, config.limits.file_size)
    return answer_to(request, functools.partial(create_comparer, settings), config)


def require_opencv() -> None:
    """Raise SystemFaultError if OpenCV, an extra, is not installed."""
    if not has_module("cv2"):
        raise SystemFaultError("culld compare needs OpenCV: run `pip install 'culld[vision]'`")
