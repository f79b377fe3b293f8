"""The worker processes that make pictures: started at the first picture, ended after a minute without one."""

from __future__ import annotations

import asyncio
import functools
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from culld.errors import PhotoError
from culld.inference.pool import Pool
from culld.inference.worker_process import WorkerLimits
from culld.web.problems import ProblemError

if TYPE_CHECKING:
    from culld.web.picture_requests import PictureRequest

log = logging.getLogger(__name__)

MOST_WORKERS: Final = 2
"""The largest number of worker processes."""
SECONDS: Final = 20.0
"""The wall-clock time for one picture."""
_IDLE_S: Final = 60.0


@dataclass(slots=True)
class PicturePool:
    """Makes pictures; used by the event loop's thread."""

    pixels: int
    file_size: int
    memory: int
    _pool: Pool | None = None
    _busy: int = 0
    _used: float = 0.0
    _threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(8, "culld-picture"))
    _starting: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def make(self, request: PictureRequest) -> list[bytes]:
        """Return the pictures that a worker made; raises ProblemError if the photo cannot be shown."""
        self._busy += 1
        try:
            (answer,) = await asyncio.get_running_loop().run_in_executor(
                self._threads, self._work, await self._started(), request
            )
        finally:
            self._busy -= 1
            self._used = time.monotonic()
        if isinstance(answer, PhotoError):
            raise ProblemError(422, f"the photo cannot be shown: {answer}")
        return answer

    async def _started(self) -> Pool:
        async with self._starting:
            if self._pool is None:
                from culld.web.picture_requests import worker_factory  # noqa: PLC0415

                pool = Pool(
                    functools.partial(worker_factory, self.pixels, self.file_size),
                    MOST_WORKERS,
                    WorkerLimits(self.memory, SECONDS),
                )
                await asyncio.get_running_loop().run_in_executor(self._threads, pool.start)
                self._pool = pool
            return self._pool

    def _work(self, pool: Pool, request: PictureRequest) -> list[list[bytes] | PhotoError]:
        return pool.submit([request]).results()

    async def rest(self) -> None:
        """End the workers if they made no picture for a minute."""
        async with self._starting:
            if self._pool is not None and not self._busy and time.monotonic() - self._used > _IDLE_S:
                pool, self._pool = self._pool, None
                await asyncio.get_running_loop().run_in_executor(self._threads, pool.stop)

    def close(self) -> None:
        """End the workers."""
        if self._pool is not None:
            self._pool.stop()
        self._threads.shutdown(wait=False, cancel_futures=True)
