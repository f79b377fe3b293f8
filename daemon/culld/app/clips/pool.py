"""The worker process that reads clips: started when there is one, and ended when there is none."""

from __future__ import annotations

import functools
import math
import os
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from culld.app.model_files import load_model, locate_face_networks
from culld.inference.card import MODEL_FILE
from culld.inference.pool import Pool
from culld.inference.worker_process import WorkerLimits
from culld.stages.read import WorkerSettings, create_worker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from culld.config import Config
    from culld.errors import PhotoError
    from culld.inference.pending import PendingResults, Request
    from culld.ports import Clock
    from culld.stages.read.messages import PhotoHandler

Answer = TypeVar("Answer")
_LOWER_PRIORITY: Final = 5
"""The nice value: below the workers of photos, above repairs."""
REST_AFTER_S: Final = 60.0


class StartablePool(Protocol):
    """The part of `inference.Pool` that is used."""

    def start_in_background(self) -> None:
        """Start the workers, and return at once."""

    def stop(self) -> None:
        """End the workers."""

    def submit(self, requests: Sequence[Request[Answer]], *, urgent: bool = False) -> PendingResults[Answer]:
        """Queue requests."""

    def map(
        self, requests: Sequence[Request[Answer]], beat: Callable[[], None] = lambda: None
    ) -> list[Answer | PhotoError]:
        """Return the answer to each request, in order."""


def create_clip_worker(settings: WorkerSettings) -> PhotoHandler:
    """Create the handler of requests in a worker process of lower priority."""
    os.nice(_LOWER_PRIORITY)
    return create_worker(settings)


def open_clip_pool(config: Config) -> Pool:
    """Return a pool with one worker process, which is not started yet; raises SystemFaultError without a model.

    The network runs in the process itself, also where there is a GPU: a clip takes long by its decoding.
    """
    folder, card = load_model(config.model.path)
    seconds = config.limits.time.total_seconds()
    settings = WorkerSettings(
        folder / MODEL_FILE,
        card.id,
        config.limits.pixels,
        config.limits.file_size,
        faces=locate_face_networks(),
        seconds=seconds,
    )
    return Pool(functools.partial(create_clip_worker, settings), 1, WorkerLimits(config.limits.memory, seconds))


class ClipPool:
    """A pool that has a process only while there is work, and for a minute longer; it is used by one thread."""

    def __init__(self, open_pool: Callable[[], StartablePool], clock: Clock) -> None:
        """Start no process yet; `open_pool` returns a pool that is not started."""
        self._open_pool = open_pool
        self._clock = clock
        self._pool: StartablePool | None = None
        self._used_at = -math.inf

    @property
    def wait_s(self) -> float:
        """After how many seconds the process may be ended; infinite if there is none."""
        return math.inf if self._pool is None else max(0.0, self._used_at + REST_AFTER_S - self._clock.monotonic())

    def submit(self, requests: Sequence[Request[Answer]], *, urgent: bool = False) -> PendingResults[Answer]:
        """Queue requests; raises SystemFaultError without a model."""
        return self._started().submit(requests, urgent=urgent)

    def map(
        self, requests: Sequence[Request[Answer]], beat: Callable[[], None] = lambda: None
    ) -> list[Answer | PhotoError]:
        """Return the answer to each request, in order; raises SystemFaultError if no process can be started."""
        return self._started().map(requests, beat)

    def _started(self) -> StartablePool:
        self._used_at = self._clock.monotonic()
        if self._pool is None:
            pool = self._open_pool()
            pool.start_in_background()
            self._pool = pool
        return self._pool

    def rest(self) -> None:
        """End the process if it had nothing to do for a minute."""
        if self.wait_s <= 0:
            self.close()

    def close(self) -> None:
        """End the process, if there is one; nothing is lost, because it writes no file."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.stop()
