"""Repairs of pictures that requests bring: one at a time, a short queue, and results for a while; all in memory."""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from culld.app.upscale_messages import Upscaled
from culld.web.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Callable

    from culld.app.upscale_messages import Refusal, UpscaleRequest
    from culld.web.worker_pool import WorkerPool

MOST_WAITING: Final = 4
"""So many requests wait while one is repaired; each holds its upload in memory."""
MOST_UPLOADED: Final = 256 << 20
"""So many bytes may the uploads have together that are read, wait or are repaired."""
MOST_FINISHED: Final = 4
"""So many finished jobs are kept until they are called for."""
MOST_KEPT: Final = 256 << 20
"""So many bytes may the pictures of finished jobs have together, unless it is one alone."""
KEPT_S: Final = 600.0
"""How long a finished job is kept."""
RETRY_S: Final = 5
"""After so many seconds it is worth to ask again, for a place in the queue or for a picture."""


@dataclass(slots=True, eq=False)
class Job:
    """A place in the queue, for an upload of at most `size` bytes; with a `task` once the upload is there.

    `finished` is the time of its end by the clock of its `Upscaling`, in seconds; None before.
    """

    size: int
    task: asyncio.Task[Upscaled | Refusal] | None = None
    is_running: bool = False
    finished: float | None = None

    @property
    def kept_bytes(self) -> int:
        """The size of the picture that it keeps."""
        if self.task is None or not self.task.done() or self.task.cancelled() or self.task.exception() is not None:
            return 0
        found = self.task.result()
        return len(found.data) if isinstance(found, Upscaled) else 0


@dataclass(slots=True)
class Upscaling:
    """Repairs one picture after the other; its methods are called by the event loop's thread.

    An upload may take `upload_s` seconds, so that a program that sends nothing does not keep its place.
    """

    pool: WorkerPool
    clock: Callable[[], float] = time.monotonic
    upload_s: float = 120.0
    places: set[Job] = field(default_factory=set)
    _kept: dict[str, Job] = field(default_factory=dict)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def is_needed(self) -> bool:
        """Whether a picture is being repaired, or waits to be called for."""
        return bool(self.places or self._kept)

    def take_place(self, size: int) -> Job:
        """Return a place for an upload of at most this many bytes; raises ProblemError, 503, if there is none."""
        held = sum(job.size for job in self.places)
        if len(self.places) > MOST_WAITING or (self.places and held + size > MOST_UPLOADED):
            raise ProblemError(503, "Other pictures are being repaired; ask again.", {"Retry-After": str(RETRY_S)})
        job = Job(size)
        self.places.add(job)
        return job

    def give_back(self, job: Job) -> None:
        """Let another request have the place of a job that was not begun."""
        self.places.discard(job)

    def begin(self, job: Job, asked: UpscaleRequest) -> asyncio.Task[Upscaled | Refusal]:
        """Queue the repair of a job, and return its task; at its end it gives its place back."""
        job.task = asyncio.get_running_loop().create_task(self._repaired(job, asked))
        job.task.add_done_callback(lambda _: self._ended(job))
        return job.task

    async def _repaired(self, job: Job, asked: UpscaleRequest) -> Upscaled | Refusal:
        async with self._turn:
            job.is_running = True
            return await self.pool.make(asked)

    def _ended(self, job: Job) -> None:
        self.places.discard(job)
        job.finished = self.clock()
        if job.task is not None and not job.task.cancelled():
            job.task.exception()  # else asyncio logs the error of a job that is never called for
        self._drop()

    def keep(self, job: Job) -> str:
        """Keep a job until it is called for; return its name, which cannot be guessed."""
        name = secrets.token_urlsafe(16)
        self._kept[name] = job
        return name

    def kept(self, name: str) -> Job | None:
        """Return a job that is kept."""
        self._drop()
        return self._kept.get(name)

    def forget(self, name: str) -> None:
        """Drop a job."""
        self._kept.pop(name, None)

    def _drop(self) -> None:
        """Drop finished jobs that are too old, and the oldest ones if they are too many or too large together."""
        now = self.clock()
        found = [(job.finished, name) for name, job in self._kept.items() if job.finished is not None]
        held = 0
        for number, (finished, name) in enumerate(sorted(found, reverse=True)):
            held += self._kept[name].kept_bytes
            if number >= MOST_FINISHED or now - finished > KEPT_S or (number and held > MOST_KEPT):
                del self._kept[name]

    async def rest(self) -> None:
        """Drop what is too old, and end the worker if it has nothing to do."""
        self._drop()
        await self.pool.rest()

    async def close(self) -> None:
        """Give all jobs up, and end the worker."""
        for job in self.places:
            if job.task is not None:
                job.task.cancel()
        self._kept.clear()
        await self.pool.close()
