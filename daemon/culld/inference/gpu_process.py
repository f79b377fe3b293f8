"""The process with the GPU, as the daemon sees it."""

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
_KEY_BYTES: Final = 32
_BACKLOG: Final = 64
"""Workers that connect at the same moment."""


@dataclass(frozen=True, slots=True)
class Address:
    """The socket on which the process listens, which has no name in a file system, and the key for it."""

    name: str
    key: bytes = field(repr=False)


class GpuProcess:
    """The process with the network, from its start to its end; a thread waits for its end and logs the reason."""

    def __init__(self, open_network: Callable[[], BatchNetwork]) -> None:
        """Prepare a process that calls the picklable `open_network`."""
        self.address = Address(f"\0culld-{secrets.token_hex(16)}", secrets.token_bytes(_KEY_BYTES))
        context = multiprocessing.get_context("spawn")
        self._pipe, self._theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(self._theirs, self.address, open_network), name="culld-engine", daemon=True
        )
        self._stopping = False

    def __enter__(self) -> Self:
        """Start it, and wait until it listens; raises SystemFaultError if it does not."""
        self._process.start()
        self._theirs.close()
        try:
            is_there = self._pipe.poll(_START_TIMEOUT_S)
            said, is_ready = self._pipe.recv() if is_there else ("it did not start in time", False)
        except EOFError:
            said, is_ready = "it ended at once", False
        if not is_ready:
            self.__exit__()
            raise SystemFaultError(said)
        log.info("the network runs on %s", said)
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
            said, _ = self._pipe.recv()
        except (EOFError, OSError):
            said = "its process ended"
        if not self._stopping:
            log.warning("TensorFlow is gone (%s); from now on photos are judged by LiteRT on the CPU", said)


def _serve(pipe: Connection, address: Address, open_network: Callable[[], BatchNetwork]) -> None:
    """Run inside the process: open the network, then serve until the daemon is gone."""
    from culld.inference.batch_server import BatchServer  # noqa: PLC0415 (the daemon itself needs none of it)

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the daemon, which then ends its processes
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    tune_malloc()  # else each frame costs the page faults of its buffers: 1.4 ms in place of 0.2 ms for a round trip
    try:
        network = open_network()
        with Listener(address.name, "AF_UNIX", _BACKLOG) as listener:
            pipe.send((f"{network.device} in {network.precision}, up to {network.largest} photos at once", True))
            BatchServer(listener, pipe, address.key, network).run()
    except Exception as error:  # noqa: BLE001 (the daemon logs any of them and goes on with the CPU)
        with contextlib.suppress(OSError):
            pipe.send((str(error) or repr(error), False))
