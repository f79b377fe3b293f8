"""The server in the GPU process: it collects the examples that the workers send and runs the network on them.

Each worker sends one example and waits for its answer, so a batch is never larger than the number of workers. The
connections are those of `multiprocessing.connection`; both ends authenticate by the key, and nothing is unpickled.
"""

from __future__ import annotations

import contextlib
import json
import queue
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from multiprocessing import AuthenticationError, connection
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from culld.inference.array_messages import limit_waits, receive_arrays, send_arrays
from culld.inference.network import Network

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection, Listener

    from numpy.typing import NDArray

_HANDSHAKE_TIMEOUT_S: Final = 10
_MAX_CLIENTS: Final = 256
_MAX_SIGNATURE_BYTES: Final = 1 << 16


class BatchNetwork(Network, Protocol):
    """A network for batches: see `tensorflow.TensorFlowNetwork`."""

    device: str
    precision: str
    largest: int
    """The maximum number of examples in a batch."""


@dataclass(frozen=True, slots=True, eq=False)
class _Request:
    """The arrays of one example, and the future of its outputs."""

    arrays: dict[str, NDArray[Any]]
    outputs: Future[dict[str, NDArray[Any]]] = field(default_factory=Future)


class BatchServer:
    """Runs the network on batches of requests; a thread for each client receives them and sends the answers."""

    def __init__(self, listener: Listener, pipe: Connection, key: bytes, network: BatchNetwork) -> None:
        """Serve the clients of a `listener` that was made without a key; `pipe` is the one to the daemon."""
        self._listener = listener
        self._pipe = pipe
        self._key = key
        self._network = network
        self._requests: queue.SimpleQueue[_Request | OSError | None] = queue.SimpleQueue()
        self._free_clients = threading.Semaphore(_MAX_CLIENTS)

    def run(self) -> None:
        """Serve until the pipe closes; raises exceptions of the network, and OSError if no client can be accepted."""
        _in_thread(self._await_end_of_daemon)
        _in_thread(self._accept_clients)
        while (first := self._requests.get()) is not None:
            if isinstance(first, OSError):
                raise first
            self._run_batch(self._batch_of(first))

    def _batch_of(self, first: _Request) -> list[_Request]:
        """Return a request with those that are queued, as many as fit into a batch."""
        batch = [first]
        while len(batch) < self._network.largest and not self._requests.empty():
            request = self._requests.get()
            if not isinstance(request, _Request):
                self._requests.put(request)  # the loop ends after this batch
                break
            batch.append(request)
        return batch

    def _run_batch(self, batch: list[_Request]) -> None:
        arrays = {name: _joined([each.arrays[name] for each in batch]) for name in self._network.signature.inputs}
        outputs = self._network.run(arrays)
        for number, request in enumerate(batch):
            request.outputs.set_result({name: array[number : number + 1] for name, array in outputs.items()})

    def _await_end_of_daemon(self) -> None:
        connection.wait([self._pipe])
        self._requests.put(None)

    def _accept_clients(self) -> None:
        try:
            while True:
                client = self._listener.accept()
                if self._free_clients.acquire(blocking=False):
                    _in_thread(self._serve, client)
                else:
                    client.close()
        except OSError as error:
            self._requests.put(error)

    def _serve(self, client: Connection) -> None:
        """Answer a client until it disconnects; without the key or with other arrays it is disconnected."""
        signature = self._network.signature
        try:
            with client, contextlib.suppress(OSError, EOFError, ValueError, AuthenticationError):
                is_authentic = self._is_authentic(client)
                while is_authentic:
                    request = _Request(receive_arrays(client, signature.inputs))
                    self._requests.put(request)
                    send_arrays(client, signature.outputs, request.outputs.result())
        finally:
            self._free_clients.release()

    def _is_authentic(self, client: Connection) -> bool:
        """Return whether a client has the signature of the network; raises AuthenticationError without the key."""
        limit_waits(client, _HANDSHAKE_TIMEOUT_S)
        connection.deliver_challenge(client, self._key)
        connection.answer_challenge(client, self._key)
        signature = json.loads(client.recv_bytes(_MAX_SIGNATURE_BYTES))
        limit_waits(client, 0)
        return bool(signature == self._network.signature.to_json())


def _joined(arrays: list[NDArray[Any]]) -> NDArray[Any]:
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def _in_thread(work: Callable[..., None], *args: object) -> None:
    threading.Thread(target=work, args=args, name="culld-batches", daemon=True).start()
