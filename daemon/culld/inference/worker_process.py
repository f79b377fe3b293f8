"""The main function of a worker process: set the limits, then answer requests by their numbers."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import math
import os
import resource
import signal
from dataclasses import dataclass
from multiprocessing.reduction import ForkingPickler
from typing import TYPE_CHECKING, cast

from culld.errors import SystemFaultError
from culld.inference.deferred import DeferrableRequest, Deferred, Waits
from culld.inference.more_time import LongRequest, MoreTime, time_for
from culld.unexpected import internal_error

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

    from culld.inference.deferred import GpuHandler
    from culld.inference.pending import Request

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """The limits of one worker: bytes of address space, and wall-clock seconds for one request.

    `ahead` requests may wait for the GPU process while the worker goes on; 0 if there is none, and at most `MAX_AHEAD`.
    """

    memory: int
    seconds: float
    ahead: int = 0


def serve_requests(pipe: Connection, create_handler: Callable[[], object], limits: WorkerLimits) -> None:
    """Run inside the worker: create the handler, then answer requests until the pipe closes.

    With `limits.ahead` it must be a `GpuHandler`.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the daemon, which then ends its workers
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # a worker never writes a file
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory, limits.memory))
    tune_malloc()
    use_one_thread()
    try:
        handler = create_handler()
    except SystemFaultError as fault:
        pipe.send(str(fault))
        return
    pipe.send(None)
    with contextlib.suppress(EOFError, OSError, SystemFaultError):  # of the last one, the next worker gives the reason
        if limits.ahead:
            _Ahead(pipe, cast("GpuHandler", handler), limits.seconds).serve()
            return
        while (message := pipe.recv()) is not None:
            _set_cpu_limit(limits.seconds)
            number, request = message
            _ask_for_time(pipe, number, request, handler, limits.seconds)
            _answer(pipe, number, functools.partial(request.handle, handler))


class _Ahead:
    """Answers requests, and goes on with the next one while answers wait for the GPU process."""

    def __init__(self, pipe: Connection, handler: GpuHandler, seconds: float) -> None:
        self._pipe = pipe
        self._handler = handler
        self._seconds = seconds
        self._waiting: dict[int, Deferred[object]] = {}

    def serve(self) -> None:
        """Answer requests until the pipe closes; raises SystemFaultError if there is no network any more."""
        gpu = self._handler.gpu
        while True:
            if gpu.wait(self._pipe):
                message = self._pipe.recv()
                if message is None:
                    return
                _set_cpu_limit(self._seconds)
                number, request = message
                _answer(self._pipe, number, functools.partial(self._begin, number, request))
            for number, outputs in gpu.outputs():
                _answer(self._pipe, number, functools.partial(self._waiting.pop(number).finish, outputs))

    def _begin(self, number: int, request: Request[object]) -> object:
        """Return the answer to a request; if it waits for the GPU process, say so and send the arrays."""
        if not isinstance(request, DeferrableRequest):
            _ask_for_time(self._pipe, number, request, self._handler, self._seconds)
            return request.handle(self._handler)
        begun = request.begin(self._handler)
        if not isinstance(begun, Deferred):
            return begun
        self._handler.gpu.send(number, begun.arrays)
        self._waiting[number] = begun
        return Waits.FOR_NETWORK


def _ask_for_time(pipe: Connection, number: int, request: object, handler: object, usual: float) -> None:
    """Tell the pool if a request may take longer than `usual` seconds; an exception is left to its `handle`."""
    if not isinstance(request, LongRequest):
        return
    with contextlib.suppress(Exception):
        seconds = time_for(request, handler, usual)
        _set_cpu_limit(seconds)
        pipe.send((number, MoreTime(seconds)))


def _answer(pipe: Connection, number: int, work: Callable[[], object]) -> None:
    """Send the answer to a request, or an InternalError if the work raises; later requests are not affected.

    After a MemoryError the process ends, and the pool starts another one.
    """
    try:
        answer = ForkingPickler.dumps((number, work()))
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 (any exception; the daemon logs it)
        answer = ForkingPickler.dumps((number, internal_error(error)))
    pipe.send_bytes(answer)  # with the dump above, the same as `Connection.send`


def tune_malloc() -> None:
    """Set malloc to keep freed memory for the next photo, up to 64 MiB.

    Returning it to the kernel costs 3,800 page faults per photo, 8 ms of 60 (measured, 6 megapixels). The parameters
    are those of mallopt(3); a C library without that function keeps its defaults.
    """
    _mallopt(_M_MMAP_THRESHOLD, 32 << 20)  # the maximum of glibc
    _mallopt(_M_TRIM_THRESHOLD, 64 << 20)


def limit_arenas() -> None:
    """Let all threads of this process share two arenas of malloc, for handlers with threads of their own.

    Otherwise each of them keeps freed memory of its own: 43 MB of 453 in a worker that segments a clip (measured).
    """
    _mallopt(_M_ARENA_MAX, 2)


def _mallopt(parameter: int, value: int) -> None:
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(parameter, value)


def use_one_thread() -> None:
    """Let the libraries of linear algebra use one thread; it must be called before NumPy is imported.

    There is a worker for each core. With threads of its own in each of two, OpenBLAS made small products of matrices
    ten times as slow (measured on photos with faces, `tests/bench/subject_cost.py`).
    """
    os.environ.update(dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"))


def _set_cpu_limit(seconds: float) -> None:
    """Limit the processor time of the next request to twice the wall-clock limit.

    This ends a worker whose daemon was killed; while the daemon runs, the pool ends it earlier by the clock.
    """
    used = resource.getrusage(resource.RUSAGE_SELF)
    spent = used.ru_utime + used.ru_stime
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(spent + 2 * seconds), hard))
