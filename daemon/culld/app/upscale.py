"""The repair of a picture that a request brings: what its worker process needs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from culld.app.model_files import locate_shipped
from culld.app.upscale_messages import UpscaleSettings

if TYPE_CHECKING:
    from culld.app.upscale_messages import UpscaleHandler
    from culld.config import Config

_NAME: Final = "restore-jpeg"
_NICE: Final = 10
"""Its work is for later than the page and the daemon, but a program waits for it."""


def upscale_settings(config: Config) -> UpscaleSettings:
    """Return the settings of a configuration; raises SystemFaultError without the network."""
    limits = config.limits
    return UpscaleSettings(locate_shipped(_NAME), limits.pixels, limits.file_size, limits.time.total_seconds())


def create_upscaler(config: Config) -> UpscaleHandler:
    """Create the handler of requests in a worker process, which yields to others; raises SystemFaultError."""
    from culld.app.upscale_worker import UpscaleWorker  # noqa: PLC0415 (loads the decoders; only in a worker)

    os.nice(_NICE)
    return UpscaleWorker(upscale_settings(config))
