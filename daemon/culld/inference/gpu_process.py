"""The GPU process: its start and end in the daemon, and its main function."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import secrets
import signal
import threading
from dataclasses import dataclass, field
from multiprocessing.connection import Listener
from typing import TYPE_CHECKING, Final, Self

from culld.errors import SystemFaultError
from culld.inference.worker_process import tune_malloc

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

    from culld.inference.batch_server import BatchNetwork

log = logging.getLogger(__name__)

_START_TIMEOUT_S: Final = 80.0
"""Shorter than the 90 s that systemd gives a service to start."""
_STOP_TIMEOUT_S: Final = 5.0
ANSWER_TIMEOUT_S: Final = 20
"""Shorter than `WAIT_TIMEOUT_S`, after which the pool ends a worker that waits."""
_KEY_BYTES: Final = 32
_BACKLOG: Final = 64
"""The number of connections that can wait to be accepted (listen(2))."""


@dataclass(frozen=True, slots=True)
class Address:
    """The abstract Unix socket (unix(7)) on which the process listens, and the key for authentication.

    A client gives the process up that sends nothing for `patience_s` seconds while examples wait, or reads nothing.
    """

    name: str
    key: bytes = field(repr=False)
    patience_s: int = ANSWER_TIMEOUT_S


class GpuProcess:
    """The process that runs the network on the GPU; a thread waits for its end and logs the reason."""

    def __init__(self, open_network: Callable[[], BatchNetwork], patience_s: int = ANSWER_TIMEOUT_S) -> None:
        """Prepare the process, which calls the picklable `open_network`."""
        name = f"\0culld-{secrets.token_hex(16)}"
        self.address = Address(name, secrets.token_bytes(_KEY_BYTES), patience_s)
        context = multiprocessing.get_context("spawn")
        self._pipe, self._child_end = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(self._child_end, self.address, open_network), name="culld-engine", daemon=True
        )
        self._stopping = False
        self.largest = 0
        """The maximum number of examples in a batch, once the process is started."""

    def __enter__(self) -> Self:
        """Start the process and wait until it listens; raises SystemFaultError if it does not."""
        self._process.start()
        self._child_end.close()
        try:
            has_answered = self._pipe.poll(_START_TIMEOUT_S)
            message, self.largest = self._pipe.recv() if has_answered else ("it did not start in time", 0)
        except EOFError:
            message, self.largest = "it ended at once", 0
        if not self.largest:
            self.__exit__()
            raise SystemFaultError(message)
        log.info("the network runs on %s", message)
        threading.Thread(target=self._await_end, name="culld-engine", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping = True
        self._process.terminate()
        self._process.join(_STOP_TIMEOUT_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def _await_end(self) -> None:
        try:
            reason, _ = self._pipe.recv()
        except (EOFError, OSError):
            reason = "without a message"
        if not self._stopping:
            log.warning("the GPU process ended (%s); photos are now judged by LiteRT on the CPU", reason)


def _serve(pipe: Connection, address: Address, open_network: Callable[[], BatchNetwork]) -> None:
    """Run inside the process: open the network, then serve until the daemon ends."""
    from culld.inference.batch_server import BatchServer  # noqa: PLC0415 (needed in the GPU process only)

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the daemon, which then ends its processes
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    tune_malloc()  # without it page faults make a round trip take 1.4 ms instead of 0.2 ms
    try:
        network = open_network()
        with Listener(address.name, "AF_UNIX", _BACKLOG) as listener:
            pipe.send(
                (f"{network.device} in {network.precision}, up to {network.largest} photos at once", network.largest)
            )
            BatchServer(listener, pipe, address.key, network).run()
    except Exception as error:  # noqa: BLE001 (the daemon logs any of them and goes on with the CPU)
        with contextlib.suppress(OSError):
            pipe.send((str(error) or repr(error), 0))
