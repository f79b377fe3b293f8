"""The one process that has the GPU, as the daemon sees it."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import secrets
import signal
import socket
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self

from culld.errors import SystemFaultError

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

    from culld.inference.batch_server import Network

log = logging.getLogger(__name__)

_START_TIMEOUT_S: Final = 80.0
"""Shorter than the 90 s that systemd gives a service to start."""
_STOP_TIMEOUT_S: Final = 5.0
KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Address:
    """Where the process listens, and the key that opens it."""

    name: str
    key: bytes = field(repr=False)


class GpuProcess:
    """The process with the network, from its start to its end; a thread waits for its end, and says why it came."""

    def __init__(self, open_network: Callable[[], Network]) -> None:
        """Prepare a process that calls the picklable `open_network`."""
        self.address = Address(f"\0culld-{secrets.token_hex(16)}", secrets.token_bytes(KEY_BYTES))
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


def _serve(pipe: Connection, address: Address, open_network: Callable[[], Network]) -> None:
    """Run inside the process: load the network, then answer until the daemon is gone."""
    from culld.inference.batch_server import BatchServer  # noqa: PLC0415 (the daemon itself needs none of it)

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the daemon, which then ends its processes
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        network = open_network()
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as listener:
            listener.bind(address.name)
            listener.listen()
            pipe.send((f"{network.device} in {network.precision}, up to {network.largest} photos at once", True))
            BatchServer(listener, pipe, address.key, network).run()
    except Exception as error:  # noqa: BLE001 (whatever it is, the daemon says it and goes on with the CPU)
        with contextlib.suppress(OSError):
            pipe.send((str(error) or repr(error), False))
