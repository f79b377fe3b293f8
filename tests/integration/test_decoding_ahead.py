"""Workers decode ahead of the GPU process: a photo that waits for its scores costs the others nothing, nor they it."""

from __future__ import annotations

import functools
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from culld.errors import InternalError, PhotoError, WorkerLostError
from culld.imaging.image_file import DecodeLimits
from culld.inference.deferred import Deferred
from culld.inference.gpu_process import GpuProcess
from culld.inference.pending import Job, JobQueue, PendingResults
from culld.inference.pool import Pool
from culld.inference.process_start import MAX_LOSSES, Worker
from culld.inference.worker_process import WorkerLimits
from culld.records import Assessment, FileSnapshot, FileStat, RootedPath, Scores
from culld.stages.read import ReadRequest, WorkerSettings
from culld.stages.read.assess import Scorer
from culld.stages.read.worker import PhotoWorker
from harness import factories, fakes

SECONDS = 1.5
AHEAD = 8
FOR_EVER_S = 600.0
OWN = list(fakes.OWN_ROW)


@contextmanager
def opened(seconds: float, largest: int = 4, patience_s: int = 60) -> Iterator[tuple[Pool, GpuProcess]]:
    """Start a GPU process that takes its time for a batch, and one worker that decodes ahead."""
    with GpuProcess(functools.partial(fakes.TimedNetwork, seconds, largest), patience_s) as process:
        create = functools.partial(fakes.GpuHandler, process.address)
        with Pool(create, 1, WorkerLimits(4 << 30, SECONDS, AHEAD)) as pool:
            yield pool, process


def frames(*acts: str) -> list[fakes.JudgeFrame]:
    """A frame for each act, with its number for its brightness."""
    return [fakes.JudgeFrame(number, act) for number, act in enumerate(acts)]


def means(results: list[list[float] | PhotoError]) -> list[float | type]:
    """The brightness in each answer, or the type of the error in its place."""
    return [type(each) if isinstance(each, PhotoError) else each[0] for each in results]


def await_until(true: Callable[[], bool]) -> None:
    """Fail unless it becomes true in time."""
    deadline = time.monotonic() + 40
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_one_worker_fills_the_batches() -> None:
    """While the network is busy it goes on; the answers are those of its frames."""
    with opened(0.2, largest=4) as (pool, _):
        results = pool.map(frames(*[""] * 40))

    assert means(results) == list(range(40))
    assert 40 / sum(1 / batch for _, batch in results if isinstance(batch, float)) >= 0.8 * 4  # type: ignore[misc]


def test_the_wait_for_the_scores_takes_no_time_of_the_photo() -> None:
    """Its limit is for what the worker does."""
    with opened(2 * SECONDS, largest=4) as (pool, _):
        assert means(pool.map(frames("", "", ""))) == [0, 1, 2]


@pytest.mark.parametrize("act", ["crash", "hang", "memory"])
def test_a_crash_or_a_hang_costs_one_photo(act: str) -> None:
    """Those that wait in the worker are judged by the next one."""
    with opened(0.5, largest=4) as (pool, _):
        results = pool.map(frames("", "", "", act, "", ""))

    assert means(results) == [0, 1, 2, WorkerLostError, 4, 5]


def test_an_error_after_the_scores_costs_one_photo() -> None:
    """And no worker."""
    with fakes.Warnings() as warnings, opened(0.1) as (pool, _):
        results = pool.map(frames("", "fail late", "raise", ""))

    assert means(results) == [0, InternalError, InternalError, 3]
    assert [text for text in warnings.texts if "was lost" in text] == []


def test_other_requests_need_not_wait_for_the_scores() -> None:
    """A tag is drafted while photos wait."""
    with opened(FOR_EVER_S) as (pool, _):
        pool.submit(frames("", "", ""))

        assert pool.map([fakes.Double(21)]) == [42]


def test_when_the_gpu_process_ends_every_photo_that_waits_is_judged_by_the_worker() -> None:
    """So are those after them."""
    with fakes.Warnings() as warnings, opened(FOR_EVER_S) as (pool, process):
        pending = pool.submit(frames(*[""] * 20))
        await_until(lambda: len(pool._workers[0].waiting) == AHEAD)
        os.kill(process._process.pid or 0, signal.SIGKILL)

        assert pending.results() == [OWN] * 20
        assert pool.map(frames("")) == [OWN]
    assert [text for text in warnings.texts if "was lost" in text] == []


def test_a_gpu_process_that_hangs_is_given_up() -> None:
    """After a time without any answer."""
    with opened(FOR_EVER_S, patience_s=1) as (pool, process):
        pid = process._process.pid or 0
        os.kill(pid, signal.SIGSTOP)
        try:
            assert pool.map(frames(*[""] * 20)) == [OWN] * 20
        finally:
            os.kill(pid, signal.SIGCONT)


def lost_after(losses: int) -> tuple[list[Job], list[Job]]:
    """Return the jobs that the loss of a worker costs, and those to give to another: one is at work, one waits."""
    worker = Worker(None, None, 0.0, WorkerLimits(1, 1, AHEAD))  # type: ignore[arg-type]
    requests = PendingResults(frames("", ""))
    worker.job, worker.waiting[1] = Job(requests, 0), Job(requests, 1, losses)
    return worker.lost()


def test_a_request_in_which_worker_after_worker_ends_is_given_up() -> None:
    """Otherwise a mistake after the scores would never end."""
    costs, again = lost_after(MAX_LOSSES - 1)
    assert ([job.number for job in costs], [(job.number, job.losses) for job in again]) == ([0], [(1, MAX_LOSSES)])

    costs, again = lost_after(MAX_LOSSES)
    assert ([job.number for job in costs], again) == ([0, 1], [])


def test_jobs_that_are_put_back_come_first() -> None:
    """In their order."""
    jobs = JobQueue()
    jobs.add(frames("", "", ""), urgent=False)
    taken = [job for job in (jobs.take(), jobs.take()) if job is not None]
    jobs.put_back(taken)

    assert [job.number for _ in range(3) if (job := jobs.take()) is not None] == [0, 1, 2]


class FakeWorker(PhotoWorker):
    """A worker whose network calls everything blurred."""

    def __init__(self) -> None:
        """Nothing to load."""
        self._settings = WorkerSettings(Path(), "blurry@1", 10**8, 10**8)
        self._limits = DecodeLimits()
        self._scorer = Scorer(fakes.ConstantNetwork(blur=0.99))


def test_a_photo_that_waits_for_its_scores_needs_its_file_no_more(tmp_path: Path) -> None:
    """All else is known of it by then, so that what waits is small."""
    place = RootedPath(tmp_path, Path("a.jpg"))
    place.path.write_bytes(factories.encoded(factories.picture(1)))
    request = ReadRequest(FileSnapshot(place, FileStat.of(place.path.lstat())), measure=True)
    expected = request.handle(FakeWorker())

    begun = request.begin(FakeWorker())
    place.path.unlink()

    assert isinstance(begun, Deferred)
    found = begun.complete(fakes.ConstantNetwork(blur=0.99))
    assert found == expected
    assert isinstance(found, Assessment)
    assert found.result == Scores(0.99, 0.0, 0.0)
    assert found.subject is not None
    assert found.user_metadata is not None
