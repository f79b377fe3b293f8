"""Worker processes of the page: started at the first request, ended after a minute without one."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar

from culld.errors import PhotoError, StoppedError, SystemFaultError, WorkerLostError
from culld.inference.pool import Pool
from culld.web.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Callable

    from culld.inference.pending import Request
    from culld.inference.worker_process import WorkerLimits

Answer = TypeVar("Answer")
_IDLE_S: Final = 60.0


@dataclass(slots=True)
class WorkerPool:
    """Handles requests in worker processes; used by the event loop's thread.

    Each of `count` workers calls the picklable `create` for the handler of its requests. `refusal` is the clause that
    the error of a photo begins with.
    """

    create: Callable[[], object]
    count: int
    limits: WorkerLimits
    refusal: str
    _pool: Pool | None = None
    _busy: int = 0
    _used: float = 0.0
    _is_over: bool = False
    _threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(8, "culld-request"))
    _starting: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def make(self, request: Request[Answer | PhotoError]) -> Answer:
        """Return the answer of a worker; raises ProblemError if the photo is refused."""
        self._busy += 1
        try:
            work = functools.partial(self._work, await self._started(), request)
            (answer,) = await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._busy -= 1
            self._used = time.monotonic()
        if isinstance(answer, WorkerLostError):
            raise ProblemError(422, f"{self.refusal}: its worker was ended ({answer}).")
        if isinstance(answer, PhotoError):
            raise ProblemError(422, f"{self.refusal}: {answer}.")
        return answer

    @property
    def is_busy(self) -> bool:
        """Whether requests are being handled."""
        return self._busy > 0

    async def warm(self) -> None:
        """Start the workers, so that the first request does not wait for them."""
        with contextlib.suppress(SystemFaultError):
            await self._started()
            self._used = time.monotonic()

    async def _started(self) -> Pool:
        async with self._starting:
            if self._is_over:
                raise ProblemError(503, "The page is ending.")
            if self._pool is None:
                pool = Pool(self.create, self.count, self.limits)
                await asyncio.get_running_loop().run_in_executor(self._threads, pool.start)
                self._pool = pool
            return self._pool

    def _work(self, pool: Pool, request: Request[Answer]) -> list[Answer | PhotoError]:
        return pool.submit([request]).results(self._beat)

    def _beat(self) -> None:
        if self._is_over:
            raise StoppedError("the page is ending")

    async def rest(self) -> None:
        """End the workers if they handled no request for a minute."""
        if self._pool is not None and not self._busy and time.monotonic() - self._used > _IDLE_S:
            await self._end()

    async def close(self) -> None:
        """End the workers; requests that are being handled are given up."""
        self._is_over = True
        await self._end()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _end(self) -> None:
        async with self._starting:
            if self._pool is not None:
                pool, self._pool = self._pool, None
                await asyncio.get_running_loop().run_in_executor(None, pool.stop)
