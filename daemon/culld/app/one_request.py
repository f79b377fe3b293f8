"""One request to a worker process that is started for it alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from culld.errors import PhotoError
from culld.inference.pool import Pool
from culld.inference.worker_process import WorkerLimits

if TYPE_CHECKING:
    from collections.abc import Callable

    from culld.config import Config
    from culld.inference.pending import Request

Answer = TypeVar("Answer")


def answer_to(request: Request[Answer | PhotoError], create_handler: Callable[[], object], config: Config) -> Answer:
    """Return the answer of a new worker process within the configured limits; raises the PhotoError that it returns.

    `create_handler` is picklable and makes the handler of the request there.
    """
    limits = WorkerLimits(config.limits.memory, config.limits.time.total_seconds())
    with Pool(create_handler, 1, limits) as pool:
        (answer,) = pool.map([request])
    if isinstance(answer, PhotoError):
        raise answer
    return answer
