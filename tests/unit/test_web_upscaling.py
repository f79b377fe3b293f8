"""The queue of repairs, its finished jobs, and uploads that do not come."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from culld.app.upscale_messages import Refusal, Upscaled, UpscaleRequest
from culld.app.upscale_worker import blended
from culld.records import Format
from culld.web.problems import ProblemError
from culld.web.secret_store import Scope
from culld.web.upscaling import KEPT_S, MOST_FINISHED, MOST_KEPT, MOST_UPLOADED, MOST_WAITING, Job, Upscaling
from harness.review_library import Library


@dataclass
class Repairer:
    """Repairs a picture once it may; its answer is what came."""

    may: asyncio.Event = field(default_factory=asyncio.Event)
    running: int = 0
    most: int = 0
    done: list[bytes] = field(default_factory=list)

    async def make(self, request: UpscaleRequest) -> Upscaled | Refusal:
        """As `WorkerPool.make`."""
        self.running += 1
        self.most = max(self.most, self.running)
        await self.may.wait()
        self.running -= 1
        self.done.append(request.data)
        if request.data == b"lost":
            raise ProblemError(422, "The worker was ended.")
        return Upscaled(request.data, Format.JPEG, 50, "m", is_changed=True)

    async def rest(self) -> None:
        """Nothing to end."""

    async def close(self) -> None:
        """Nothing to end."""


@dataclass
class Queue:
    """A queue with a clock that a test sets."""

    repairer: Repairer = field(default_factory=Repairer)
    now: float = 0.0
    upscaling: Upscaling = field(init=False)

    def __post_init__(self) -> None:
        """Make the queue."""
        self.upscaling = Upscaling(self.repairer, lambda: self.now)  # type: ignore[arg-type]

    def add(self, data: bytes = b"x", size: int = 1) -> Job:
        """A job that is begun."""
        job = self.upscaling.take_place(size)
        self.upscaling.begin(job, UpscaleRequest(data))
        return job

    async def finish(self, *jobs: Job) -> None:
        """Let all jobs end."""
        self.repairer.may.set()
        await asyncio.gather(*(job.task for job in jobs if job.task), return_exceptions=True)
        await asyncio.sleep(0)


def run(test: Coroutine[object, object, None]) -> None:
    """Run a test in a loop of its own."""
    asyncio.run(asyncio.wait_for(test, 10))


def test_one_picture_is_repaired_at_a_time_in_the_order_of_the_requests() -> None:
    """The others wait."""

    async def test() -> None:
        queue = Queue()
        jobs = [queue.add(bytes([number])) for number in range(1 + MOST_WAITING)]
        await asyncio.sleep(0)
        assert [job.is_running for job in jobs] == [True] + [False] * MOST_WAITING
        await queue.finish(*jobs)
        assert queue.repairer.most == 1
        assert queue.repairer.done == [bytes([number]) for number in range(1 + MOST_WAITING)]

    run(test())


def test_a_full_queue_refuses_until_a_place_is_given_back() -> None:
    """By an end, an error, or an upload that does not come."""

    async def test() -> None:
        queue = Queue()
        waiting = queue.upscaling.take_place(1)
        jobs = [queue.add(b"lost") for _ in range(MOST_WAITING)]
        with pytest.raises(ProblemError) as refused:
            queue.upscaling.take_place(1)
        assert (refused.value.status, refused.value.headers) == (503, {"Retry-After": "5"})
        queue.upscaling.give_back(waiting)
        queue.upscaling.give_back(queue.upscaling.take_place(1))
        await queue.finish(*jobs)
        assert not queue.upscaling.places
        assert not queue.upscaling.is_needed

    run(test())


def test_large_uploads_fill_the_queue_earlier() -> None:
    """Their bytes are in memory; one alone is always taken."""

    async def test() -> None:
        queue = Queue()
        first = queue.upscaling.take_place(MOST_UPLOADED + 1)
        with pytest.raises(ProblemError):
            queue.upscaling.take_place(1)
        queue.upscaling.give_back(first)
        for _ in range(2):
            queue.upscaling.take_place(MOST_UPLOADED // 2)
        with pytest.raises(ProblemError):
            queue.upscaling.take_place(1)

    run(test())


def test_finished_jobs_are_kept_for_a_while_and_only_the_last_ones() -> None:
    """A job that is not finished is always kept."""

    async def test() -> None:
        queue = Queue()
        names = []
        for number in range(1 + MOST_FINISHED):
            queue.now = number
            job = queue.add()
            names.append(queue.upscaling.keep(job))
            await queue.finish(job)
        assert [queue.upscaling.kept(name) is not None for name in names] == [False] + [True] * MOST_FINISHED
        queue.repairer.may.clear()
        last = queue.upscaling.keep(queue.add())
        queue.now = KEPT_S + 2.5
        await queue.upscaling.rest()
        assert [queue.upscaling.kept(name) is not None for name in names] == [False] * 3 + [True] * (MOST_FINISHED - 2)
        queue.now = 10 * KEPT_S
        assert queue.upscaling.is_needed
        assert queue.upscaling.kept(last) is not None
        queue.upscaling.forget(last)
        assert queue.upscaling.kept(last) is None
        await queue.upscaling.close()

    run(test())


def test_large_finished_jobs_are_dropped_earlier() -> None:
    """The last one is kept whatever its size."""

    async def test() -> None:
        queue = Queue()
        names = []
        for number in range(3):
            queue.now = number
            job = queue.add(bytes(MOST_KEPT // 2))
            names.append(queue.upscaling.keep(job))
            await queue.finish(job)
        assert [queue.upscaling.kept(name) is not None for name in names] == [False, True, True]

    run(test())


def test_the_end_gives_all_jobs_up() -> None:
    """Those that wait as well."""

    async def test() -> None:
        queue = Queue()
        jobs = [queue.add() for _ in range(3)]
        await asyncio.sleep(0)
        await queue.upscaling.close()
        await asyncio.wait([job.task for job in jobs if job.task])
        assert all(job.task is not None and job.task.cancelled() for job in jobs)
        assert not queue.upscaling.places

    run(test())


def form(data: bytes) -> bytes:
    """The body of a form with one file."""
    return b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n' + data + b"\r\n--x--\r\n"


JPEG = b"\xff\xd8\xff and so on"


@dataclass
class Connection:
    """A request as a server passes it on, after whose body nothing comes until the program hangs up."""

    body: bytes
    is_whole: bool = True
    hang_up: asyncio.Event = field(default_factory=asyncio.Event)
    sent: list[dict[str, object]] = field(default_factory=list)
    _begun: bool = False

    async def receive(self) -> dict[str, object]:
        """The next message."""
        if not self._begun:
            self._begun = True
            return {"type": "http.request", "body": self.body, "more_body": not self.is_whole}
        await self.hang_up.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, object]) -> None:
        """Keep a message."""
        self.sent.append(message)

    @property
    def status(self) -> object:
        """The status of the answer."""
        return self.sent[0]["status"]


@dataclass
class Served:
    """The application with a repairer in place of a worker."""

    folder: Path
    queue: Queue = field(default_factory=Queue)

    def __post_init__(self) -> None:
        """Make the application."""
        self.app = Library(self.folder).application()
        self.app.site.upscaling = self.queue.upscaling
        self.token = self.app.site.store.new_token("test", Scope.READ)

    async def ask(self, connection: Connection) -> None:
        """Answer a request."""
        headers = {"host": "127.0.0.1:8466", "authorization": f"Bearer {self.token}", "content-length": "100"}
        headers["content-type"] = "multipart/form-data; boundary=x"
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        scope = {"type": "http", "method": "POST", "path": "/upscale", "query_string": b"", "headers": pairs}
        await self.app(scope, connection.receive, connection.send)  # type: ignore[arg-type]


def test_an_upload_that_does_not_come_loses_its_place(tmp_path: Path) -> None:
    """After a time, with 408."""

    async def test() -> None:
        served = Served(tmp_path)
        served.queue.upscaling.upload_s = 0.05
        connection = Connection(form(JPEG)[:50], is_whole=False)
        await served.ask(connection)
        assert connection.status == 408
        assert "0.05 s" in json.loads(connection.sent[1]["body"])["detail"]  # type: ignore[arg-type]
        assert not served.queue.upscaling.places

    run(test())


def test_a_program_that_hangs_up_leaves_the_queue(tmp_path: Path) -> None:
    """If its picture is not being repaired yet."""

    async def test() -> None:
        served = Served(tmp_path)
        first, second = Connection(form(JPEG)), Connection(form(JPEG))
        asked = [asyncio.create_task(served.ask(each)) for each in (first, second)]
        for _ in range(20):  # both are read, and the first one is handed to the worker
            await asyncio.sleep(0.01)
        assert len(served.queue.upscaling.places) == 2
        second.hang_up.set()
        first.hang_up.set()
        await asyncio.wait(asked[1:])
        assert second.status == 503
        await asyncio.sleep(0)
        assert len(served.queue.upscaling.places) == 1
        served.queue.repairer.may.set()
        await asyncio.wait(asked)
        assert served.queue.repairer.done == [JPEG]
        assert (first.status, first.sent[1]["body"]) == (200, JPEG)

    run(test())


def test_a_blend_lies_between_both_pictures() -> None:
    """Rounded, not cut off, with every row."""
    before = np.full((600, 3, 3), 10, np.uint8)
    after = np.full((600, 3, 3), 13, np.uint8)

    assert set(blended(before, after.copy(), 0.5).flat) == {12}
    assert set(blended(before, after.copy(), 0.1).flat) == {10}
    assert set(blended(after, before.copy(), 0.5).flat) == {12}
