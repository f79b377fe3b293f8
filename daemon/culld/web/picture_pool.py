"""The worker processes that make pictures: started at the first picture, ended after a minute without one."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from culld.errors import PhotoError, StoppedError, SystemFaultError, WorkerLostError
from culld.inference.pool import Pool
from culld.inference.worker_process import WorkerLimits
from culld.web.picture_requests import worker_factory
from culld.web.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Callable

    from culld.web.heat import HeatMaker
    from culld.web.picture_requests import PictureRequest

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
    create_heat: Callable[[], HeatMaker] | None = None
    _pool: Pool | None = None
    _busy: int = 0
    _used: float = 0.0
    _is_over: bool = False
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
        if isinstance(answer, WorkerLostError):
            raise ProblemError(422, f"the photo cannot be shown: its worker was ended ({answer})")
        if isinstance(answer, PhotoError):
            raise ProblemError(422, f"the photo cannot be shown: {answer}")
        return answer

    @property
    def is_busy(self) -> bool:
        """Whether pictures are being made."""
        return self._busy > 0

    async def warm(self) -> None:
        """Start the workers, so that the first picture does not wait for them."""
        with contextlib.suppress(SystemFaultError):
            await self._started()
            self._used = time.monotonic()

    async def _started(self) -> Pool:
        async with self._starting:
            if self._is_over:
                raise ProblemError(503, "The page is ending.")
            if self._pool is None:
                pool = Pool(
                    functools.partial(worker_factory, self.pixels, self.file_size, self.create_heat),
                    MOST_WORKERS,
                    WorkerLimits(self.memory, SECONDS),
                )
                await asyncio.get_running_loop().run_in_executor(self._threads, pool.start)
                self._pool = pool
            return self._pool

    def _work(self, pool: Pool, request: PictureRequest) -> list[list[bytes] | PhotoError]:
        return pool.submit([request]).results(self._beat)

    def _beat(self) -> None:
        if self._is_over:
            raise StoppedError("the page is ending")

    async def rest(self) -> None:
        """End the workers if they made no picture for a minute."""
        if self._pool is not None and not self._busy and time.monotonic() - self._used > _IDLE_S:
            await self._end()

    async def close(self) -> None:
        """End the workers; pictures that are being made are given up."""
        self._is_over = True
        await self._end()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _end(self) -> None:
        async with self._starting:
            if self._pool is not None:
                pool, self._pool = self._pool, None
                await asyncio.get_running_loop().run_in_executor(None, pool.stop)
