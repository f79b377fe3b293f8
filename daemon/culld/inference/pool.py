"""The pool of worker processes; the caller passes the function that creates the handler of requests in them.

A worker creates its own handler (decoders, network) and works on one request at a time, so a file that crashes a
decoder or takes too long affects no other file. A request goes to the first worker that is free, so one large photo
does not delay the others. With a GPU process a worker is free while its requests wait for that process; if the worker
is lost, these requests go to another one.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from multiprocessing import connection
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from culld.errors import InternalError, SystemFaultError, WorkerLostError
from culld.inference.deferred import Waits
from culld.inference.more_time import MoreTime
from culld.inference.pending import JobQueue
from culld.inference.process_start import CONTEXT, StartBackoff, Worker, start_process
from culld.unexpected import UnexpectedErrors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from culld.errors import PhotoError
    from culld.inference.pending import PendingResults, Request
    from culld.inference.process_start import Start
    from culld.inference.worker_process import WorkerLimits

log = logging.getLogger(__name__)

_STOP_TIMEOUT_S = 2.0
Answer = TypeVar("Answer")
PATIENCE_S: Final = 120.0
"""How long a pool without workers tries by default to start one."""


class Pool:
    """A fixed number of worker processes; a thread of the pool distributes requests over them.

    The thread only passes requests and answers between processes, so no worker waits for the daemon's main loop. If a
    process cannot be started, the pool tries again after 1 s, then at intervals that double up to 30 s; the other
    workers go on. After `patience_s` seconds without any worker the pool fails with a SystemFaultError.
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
        """The reason, as a clause, why no worker can be started; empty if there is a worker."""
        why = self._backoff.why
        if not why or any(worker.is_ready for worker in tuple(self._workers)):
            return ""
        return f"no worker process can be started: {why}; culld tries again"

    def start(self) -> None:
        """Start the workers and wait until each has its handler; raises SystemFaultError if one cannot create it.

        If the system can start only some of the processes, the others are started later.
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

    def start_in_background(self) -> None:
        """Start the workers, and return at once: requests wait until one of them has its handler.

        If none can create it, the results of the requests fail with a SystemFaultError after `patience_s` seconds.
        """
        self._thread.start()

    def stop(self) -> None:
        """End all workers; nothing is lost, because a worker holds no data that are not on disk."""
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
        """Queue requests for the workers; `urgent` ones are handled before those that are queued already.

        A worker that ends or exceeds its time limit is replaced, and the result of its request is a `WorkerLostError`.
        If the handler raises, the result is an `InternalError`.
        """
        work = self._jobs.add(requests, urgent=urgent)
        if not work.is_over():  # it is over if the pool is broken: then nothing reads the wake-ups any more
            self._wake_up()
        return work

    def map(
        self, requests: Sequence[Request[Answer]], beat: Callable[[], None] = lambda: None
    ) -> list[Answer | PhotoError]:
        """Return the answer to each request, in order; they are handled before all that are queued already."""
        return self.submit(requests, urgent=True).results(beat) if requests else []

    def _wake_up(self) -> None:
        self._wakeup_sender.send_bytes(b"!")

    def _serve(self) -> None:
        """Send requests and receive answers until the pool stops; an exception here fails all open requests."""
        try:
            while not self._stopping:
                self._refill()
                self._require_patience()
                self._send_requests()
                self._receive_answers()
        except SystemFaultError as fault:
            self._jobs.fail(fault)
        except Exception as error:
            log.exception("the pool of workers is broken")
            self._jobs.fail(SystemFaultError(f"the pool of workers is broken: {error!r}; please report this"))

    def _refill(self) -> None:
        """Start the processes that are missing, unless the wait after a failed start is not over."""
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

    def _send_requests(self) -> None:
        for worker in self._workers:
            if not worker.is_free:
                continue
            job = self._jobs.take()
            if job is None:
                return
            try:
                worker.take(job)
            except OSError:
                pass  # the worker has ended: `_receive_answers` finds the closed pipe
            except Exception as error:  # noqa: BLE001 (a request that cannot be sent must not cost the others)
                worker.release()
                job.answer(self._unexpected.note(error, f"sending a worker a {type(job.request).__name__}"))

    def _receive_answers(self) -> None:
        ready = connection.wait([self._wakeup_receiver, *(worker.pipe for worker in self._workers)], self._timeout())
        if self._wakeup_receiver in ready:
            self._wakeup_receiver.recv_bytes()
        for worker in tuple(self._workers):
            if worker.pipe in ready:
                self._receive_from(worker)
            elif time.monotonic() >= worker.deadline:
                self._on_lost(worker, worker.overdue)

    def _timeout(self) -> float | None:
        """Return the seconds until a deadline passes or a start is due; None if there is neither."""
        due_times = [worker.deadline for worker in self._workers]
        if len(self._workers) < self._count:
            due_times.append(self._backoff.next)
        due = min(due_times, default=math.inf)
        return None if due == math.inf else max(0.0, due - time.monotonic())

    def _receive_from(self, worker: Worker) -> None:
        try:
            message = worker.pipe.recv()
        except (EOFError, OSError):
            worker.process.join(_STOP_TIMEOUT_S)
            code = worker.process.exitcode
            ended = f"the worker process ended with code {code}"
            self._on_lost(worker, ended if worker.is_ready else f"it ended at once with code {code}")
        except Exception as error:  # noqa: BLE001 (an answer that cannot be read must not cost the others)
            self._unexpected.note(error, "reading the answer of a worker")
            self._on_lost(worker, "the worker process sent an answer that cannot be read")
        else:
            self._accept(worker, message)

    def _accept(self, worker: Worker, message: Any) -> None:
        """Accept a message; the first one of a worker is the error of creating its handler, None if it has one."""
        if not worker.is_ready:
            if message is not None:
                self._on_lost(worker, str(message))
                return
            if self._backoff.why:
                log.info("worker processes can be started again")
            self._backoff.clear()
            worker.is_ready = True
            worker.release()
            return
        number, answer = message
        if answer is Waits.FOR_NETWORK:
            worker.defer(number)
            return
        if isinstance(answer, MoreTime):
            worker.extend(answer.seconds)
            return
        job = worker.finish(number)
        if isinstance(answer, InternalError):
            self._unexpected.note(answer, "a worker handled a photo")
        if job is not None:
            job.answer(answer)

    def _on_lost(self, worker: Worker, why: str) -> None:
        """Remove a worker; `_refill` starts another one."""
        self._workers.remove(worker)
        worker.end()
        if not worker.is_ready:
            self._note_failed_start(why)
            return
        log.warning("worker process %s was lost (%s); starting another", worker.process.pid, why)
        costs, again = worker.lost()
        for job in costs:
            job.answer(WorkerLostError(why))
        self._jobs.put_back(again)
