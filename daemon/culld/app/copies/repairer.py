"""The worker process that repairs photos in the background: started when it is needed, and ended when it is not."""

from __future__ import annotations

import functools
import math
import os
from typing import TYPE_CHECKING, Final, Protocol

from culld.app.enhance import SLOWER
from culld.errors import SystemFaultError
from culld.inference.pool import Pool
from culld.inference.worker_process import WorkerLimits

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from culld.app.enhance_messages import Enhanced, EnhanceHandler, EnhanceRequest, EnhanceSettings
    from culld.config import Config
    from culld.errors import PhotoError
    from culld.inference.pending import PendingResults
    from culld.ports import Clock

_LOWEST_PRIORITY: Final = 19
_PATIENCE: Final = 3
"""A repair at the lowest priority may take so many times as long as one in the foreground."""
REST_AFTER_S: Final = 60.0
POLL_S: Final = 1.0


class RepairPool(Protocol):
    """The part of `inference.Pool` that is used."""

    def start_in_background(self) -> None:
        """Start the workers, and return at once."""

    def stop(self) -> None:
        """End the workers."""

    def submit(self, requests: Sequence[EnhanceRequest]) -> PendingResults[Enhanced | PhotoError]:
        """Queue requests."""


def create_idle_enhancer(settings: EnhanceSettings) -> EnhanceHandler:
    """Create the handler of requests in a worker process of the lowest priority."""
    from culld.app.enhance_worker import EnhanceWorker  # noqa: PLC0415 (slow to import, and needed in workers only)

    os.nice(_LOWEST_PRIORITY)
    return EnhanceWorker(settings)


def open_repair_pool(config: Config, settings: EnhanceSettings) -> Pool:
    """Return a pool with one worker process of the lowest priority, which is not started yet."""
    limits = WorkerLimits(config.limits.memory, _PATIENCE * SLOWER * config.limits.time.total_seconds())
    return Pool(functools.partial(create_idle_enhancer, settings), 1, limits)


class Repairer:
    """Repairs one photo at a time; `open_pool` returns a pool for the settings of the policy in force."""

    def __init__(self, open_pool: Callable[[EnhanceSettings], RepairPool], clock: Clock) -> None:
        """Start no process yet."""
        self._open_pool = open_pool
        self._clock = clock
        self._pool: RepairPool | None = None
        self._settings: EnhanceSettings | None = None
        self._work: PendingResults[Enhanced | PhotoError] | None = None
        self._last = 0.0

    @property
    def wait_s(self) -> float:
        """How long the loop may sleep before it asks for the answer, or ends the process, in seconds."""
        if self._work is not None:
            return POLL_S
        return math.inf if self._pool is None else max(0.0, self._last + REST_AFTER_S - self._clock.monotonic())

    def submit(self, request: EnhanceRequest, settings: EnhanceSettings) -> None:
        """Give a photo to the worker process, and return at once; a process with other settings is replaced."""
        if self._pool is None or self._settings != settings:
            self.close()
            self._pool, self._settings = self._open_pool(settings), settings
            self._pool.start_in_background()
        self._work = self._pool.submit([request])

    def answer(self) -> Enhanced | PhotoError | None:
        """Return the answer about the photo; None if it is not there yet.

        Raises SystemFaultError if no worker process can be started; the next photo gets another pool.
        """
        return None if self._work is None or not self._work.is_over() else self.wait()

    def wait(self, beat: Callable[[], None] = lambda: None) -> Enhanced | PhotoError | None:
        """Wait for the answer about the photo, and return it; `beat` is called about every second."""
        if self._work is None:
            return None
        try:
            (answer,) = self._work.results(beat)
        except SystemFaultError:
            self.close()
            raise
        self._work, self._last = None, self._clock.monotonic()
        return answer

    def rest(self) -> None:
        """End the process if it had nothing to do for a minute."""
        if self._pool is not None and self._work is None and self.wait_s <= 0:
            self.close()

    def close(self) -> None:
        """End the process, if there is one; nothing is lost, because it writes no file."""
        pool, self._pool, self._work = self._pool, None, None
        if pool is not None:
            pool.stop()
