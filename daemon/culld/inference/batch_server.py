"""The server in the GPU process: it collects the examples that the workers send and runs the network on them.

A worker sends examples ahead, and gets the outputs for each with its number. The connections are those of
`multiprocessing.connection`; both ends authenticate by the key, and nothing is unpickled.
"""

from __future__ import annotations

import contextlib
import json
import queue
import threading
import time
from dataclasses import dataclass, field
from multiprocessing import AuthenticationError, connection
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from culld.inference.array_messages import limit_waits, receive_arrays, send_arrays
from culld.inference.deferred import MAX_AHEAD
from culld.inference.network import Network

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection, Listener

    from numpy.typing import NDArray

    _Outputs = dict[str, NDArray[Any]]

_HANDSHAKE_TIMEOUT_S: Final = 10
_MAX_CLIENTS: Final = 256
_MAX_SIGNATURE_BYTES: Final = 1 << 16
_GATHER_S: Final = 0.003
"""How long a batch that is not full waits for more examples after its first one."""


class BatchNetwork(Network, Protocol):
    """A network for batches: see `tensorflow.TensorFlowNetwork`."""

    device: str
    precision: str
    largest: int
    """The maximum number of examples in a batch."""


@dataclass(frozen=True, slots=True, eq=False)
class _Client:
    """A connected worker, with the outputs to send and the number of examples that it may still send."""

    connection: Connection
    outputs: queue.SimpleQueue[tuple[int, _Outputs] | None] = field(default_factory=queue.SimpleQueue)
    room: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(MAX_AHEAD))


@dataclass(frozen=True, slots=True, eq=False)
class _Request:
    """One example of a client, by its number."""

    client: _Client
    number: int
    arrays: dict[str, NDArray[Any]]


class BatchServer:
    """Runs the network on batches of requests; two threads for each client receive them and send the outputs."""

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
        """Return a request with those that are queued or arrive within `_GATHER_S`, as many as fit into a batch."""
        batch, until = [first], time.monotonic() + _GATHER_S
        while len(batch) < self._network.largest:
            try:
                request = self._requests.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                break
            if not isinstance(request, _Request):
                self._requests.put(request)  # the loop ends after this batch
                break
            batch.append(request)
        return batch

    def _run_batch(self, batch: list[_Request]) -> None:
        arrays = {name: _joined([each.arrays[name] for each in batch]) for name in self._network.signature.inputs}
        outputs = self._network.run(arrays)
        for row, request in enumerate(batch):
            request.client.outputs.put(
                (request.number, {name: array[row : row + 1] for name, array in outputs.items()})
            )

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

    def _serve(self, connection: Connection) -> None:
        """Receive examples until the client disconnects; without the key or with other arrays it is disconnected."""
        try:
            with connection, contextlib.suppress(OSError, EOFError, ValueError, AuthenticationError):
                if self._is_authentic(connection):
                    self._exchange(_Client(connection))
        finally:
            self._free_clients.release()

    def _exchange(self, client: _Client) -> None:
        """Receive examples, and send outputs in another thread, so that a client that takes none delays no other."""
        sender = _in_thread(self._send_outputs, client)
        try:
            self._receive_examples(client)
        finally:
            client.outputs.put(None)
            sender.join()

    def _receive_examples(self, client: _Client) -> None:
        while True:
            client.room.acquire()
            number, arrays = receive_arrays(client.connection, self._network.signature.inputs)
            self._requests.put(_Request(client, number, arrays))

    def _send_outputs(self, client: _Client) -> None:
        try:
            while (answer := client.outputs.get()) is not None:
                number, outputs = answer
                send_arrays(client.connection, number, self._network.signature.outputs, outputs)
                client.room.release()
        except OSError:  # the client is gone: what receives from it must not wait for room, but find that
            client.room.release(MAX_AHEAD)

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


def _in_thread(work: Callable[..., None], *args: object) -> threading.Thread:
    thread = threading.Thread(target=work, args=args, name="culld-batches", daemon=True)
    thread.start()
    return thread
