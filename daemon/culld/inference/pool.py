"""Worker processes: spawned, limited, replaceable; what handles the requests in them is handed in.

A worker creates its own handler (decoders, network) and answers one request at a time, so that a file that crashes a
decoder or never ends costs that one file. The next request goes to a worker that is free: one huge photo does not hold
up the others.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from multiprocessing import connection
from typing import TYPE_CHECKING, Final, Self, TypeVar

from culld.errors import InternalError, SystemFaultError, WorkerLostError
from culld.inference.pending import JobQueue
from culld.inference.process_start import CONTEXT, StartBackoff, Worker, start_process
from culld.unexpected import UnexpectedErrors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from culld.errors import PhotoError
    from culld.inference.pending import PendingResults
    from culld.inference.process_start import Start
    from culld.inference.request import Request
    from culld.inference.worker_process import WorkerLimits

log = logging.getLogger(__name__)

_STOP_TIMEOUT_S = 2.0
Answer = TypeVar("Answer")
PATIENCE_S: Final = 120.0
"""So long a pool waits by default for the system to have room for a process."""


class Pool:
    """A fixed number of worker processes over which requests are spread by a thread of the pool's own.

    The thread only carries requests and answers between processes, so that no worker waits for the loop to have time. A
    process that cannot be started is tried again after 1 s, then more seldom, up to every 30 s; the others go on. After
    `patience_s` seconds without any worker the pool is broken.
    """

    def __init__(
        self,
        create_handler: Callable[[], object],
        count: int,
        limits: WorkerLimits,
        start: Start = start_process,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """Prepare `count` workers; each calls the picklable `create_handler` once, for all its requests."""
        self._create_handler = create_handler
        self._count = count
        self._limits = limits
        self._start = start
        self._patience_s = patience_s
        self._workers: list[Worker] = []
        self._backoff = StartBackoff()
        self._jobs = JobQueue()
        self._stopping = False
        self._unexpected = UnexpectedErrors()
        self._thread = threading.Thread(target=self._serve, name="culld-pool", daemon=True)
        self._wakeup_receiver, self._wakeup_sender = CONTEXT.Pipe(duplex=False)

    @property
    def trouble(self) -> str:
        """Why no photo is judged, as a clause; empty as long as there is a worker."""
        why = self._backoff.why
        if not why or any(worker.is_ready for worker in tuple(self._workers)):
            return ""
        return f"no worker process can be started: {why}; culld tries again"

    def start(self) -> None:
        """Start the workers and wait until each has its handler; raises SystemFaultError if one cannot create it.

        If the system has room for some of the processes only, the others are started later.
        """
        self._refill()
        if not self._workers:
            raise SystemFaultError(f"no worker process can be started: {self._backoff.why}; start culld again later")
        try:
            for worker in self._workers:
                worker.await_handler()
        except SystemFaultError:
            self.stop()
            raise
        self._thread.start()

    def stop(self) -> None:
        """End all workers; they never hold anything that is not on disk."""
        self._stopping = True
        self._wake_up()
        if self._thread.is_alive():
            self._thread.join()
        for worker in self._workers:
            worker.ask_to_end()
        for worker in self._workers:
            worker.end(_STOP_TIMEOUT_S)
        self._workers = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def submit(self, requests: Sequence[Request[Answer]], *, urgent: bool = False) -> PendingResults[Answer]:
        """Have each request handled by a worker; those that are `urgent` go before what waits already.

        A worker that dies or passes its time limit is replaced, and the result for its request is a `WorkerLostError`;
        that of a request over which the handler raises is an `InternalError`.
        """
        work = self._jobs.add(requests, urgent=urgent)
        if not work.is_over():  # it is over if the pool is broken: then nothing reads the wake-ups any more
            self._wake_up()
        return work

    def map(
        self, requests: Sequence[Request[Answer]], beat: Callable[[], None] = lambda: None
    ) -> list[Answer | PhotoError]:
        """The answer to each request, in order, before anything else that waits."""
        return self.submit(requests, urgent=True).results(beat) if requests else []

    def _wake_up(self) -> None:
        self._wakeup_sender.send_bytes(b"!")

    def _serve(self) -> None:
        """Hand out and gather until the pool stops; what goes wrong here fails the works that are not over."""
        try:
            while not self._stopping:
                self._refill()
                self._require_patience()
                self._hand_out()
                self._gather()
        except SystemFaultError as fault:
            self._jobs.fail(fault)
        except Exception as error:
            log.exception("the pool of workers is broken")
            self._jobs.fail(SystemFaultError(f"the pool of workers is broken: {error!r}; please report this"))

    def _refill(self) -> None:
        """Start the processes that are missing, unless that failed a moment ago."""
        while len(self._workers) < self._count and time.monotonic() >= self._backoff.next:
            try:
                self._workers.append(Worker.launch(self._start, self._create_handler, self._limits))
            except OSError as error:
                self._note_failed_start(error.strerror or str(error))

    def _note_failed_start(self, why: str) -> None:
        if why != self._backoff.why:
            log.warning("a worker process cannot be started: %s; culld tries again", why)
        self._backoff.add(why, time.monotonic())

    def _require_patience(self) -> None:
        waited_s = time.monotonic() - self._backoff.since
        if not self._workers and self._backoff.why and waited_s >= self._patience_s:
            raise SystemFaultError(f"no worker process could be started for {waited_s:.0f} s: {self._backoff.why}")

    def _hand_out(self) -> None:
        for worker in self._workers:
            if not worker.is_free:
                continue
            job = self._jobs.take()
            if job is None:
                return
            worker.job = job
            worker.deadline = time.monotonic() + self._limits.seconds
            try:
                worker.pipe.send(job.request)
            except OSError:
                pass  # it died meanwhile: `_gather` sees the closed pipe
            except Exception as error:  # noqa: BLE001 (a request that cannot be sent must not cost the others)
                worker.release()
                job.answer(self._unexpected.note(error, f"sending a worker a {type(job.request).__name__}"))

    def _gather(self) -> None:
        ready = connection.wait([self._wakeup_receiver, *(worker.pipe for worker in self._workers)], self._timeout())
        if self._wakeup_receiver in ready:
            self._wakeup_receiver.recv_bytes()
        for worker in tuple(self._workers):
            if worker.pipe in ready:
                self._receive(worker)
            elif time.monotonic() >= worker.deadline:
                limit = f"took longer than {self._limits.seconds:g} s (limits.time)"
                self._on_lost(worker, limit if worker.is_ready else "it did not start in time")

    def _timeout(self) -> float | None:
        """The seconds until a deadline passes or a start is due; None for no end of them."""
        dues = [worker.deadline for worker in self._workers]
        if len(self._workers) < self._count:
            dues.append(self._backoff.next)
        due = min(dues, default=math.inf)
        return None if due == math.inf else max(0.0, due - time.monotonic())

    def _receive(self, worker: Worker) -> None:
        try:
            answer = worker.pipe.recv()
        except (EOFError, OSError):
            worker.process.join(_STOP_TIMEOUT_S)
            code = worker.process.exitcode
            ended = f"the worker that read it ended with code {code}"
            self._on_lost(worker, ended if worker.is_ready else f"it ended at once with code {code}")
        except Exception as error:  # noqa: BLE001 (an answer that cannot be read must not cost the others)
            self._unexpected.note(error, "reading the answer of a worker")
            self._on_lost(worker, "the worker that read it gave an answer that cannot be read")
        else:
            self._take(worker, answer)

    def _take(self, worker: Worker, answer: object) -> None:
        """Take in the answer to a job; the first one says why there is no handler, None if there is one."""
        if not worker.is_ready:
            if answer is not None:
                self._on_lost(worker, str(answer))
                return
            if self._backoff.why:
                log.info("worker processes can be started again")
            self._backoff.clear()
            worker.is_ready = True
            worker.release()
            return
        job = worker.job
        worker.release()
        if isinstance(answer, InternalError):
            self._unexpected.note(answer, "a worker handled a photo")
        if job is not None:
            job.answer(answer)

    def _on_lost(self, worker: Worker, why: str) -> None:
        """Remove a worker; another one is started in its place."""
        self._workers.remove(worker)
        worker.end()
        if not worker.is_ready:
            self._note_failed_start(why)
            return
        log.warning("worker %s was lost; starting another", worker.process.pid)
        if worker.job is not None:
            worker.job.answer(WorkerLostError(why))
