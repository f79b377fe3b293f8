"""How workers have their frames judged by the one process that has the GPU.

Frames go over sockets without a name in any file system, of a fixed size, and probabilities come back: nothing that a
worker sends is ever unpickled. Whoever connects must know the key, and be this user.
"""

from __future__ import annotations

import hmac
import os
import selectors
import socket
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from culld.inference.gpu_process import KEY_BYTES
from culld.records import Scores

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

    from numpy.typing import NDArray

    from culld.inference.gpu_process import Address

_ROW: Final = struct.Struct("=3f")
_PEER: Final = struct.Struct("=3i")
_PATIENCE_S: Final = 20.0
"""So long a worker waits for an answer; less than limits.time, after which it would be ended itself."""


class Network(Protocol):
    """What runs in the process: see `gpu.TensorFlowNetwork`."""

    shape: tuple[int, ...]
    device: str
    precision: str
    largest: int

    def run(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """A row of probabilities for each frame."""


class GpuClient:
    """An engine in a worker that asks the process; when that is gone it goes on with one of its own."""

    def __init__(self, address: Address, fall_back: Callable[[], Engine]) -> None:
        """Connect; without an answer `fall_back` makes the engine that is used instead."""
        self._fall_back = fall_back
        self._own: Engine | None = None
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(_PATIENCE_S)
        try:
            self._socket.connect(address.name)
            self._socket.sendall(address.key)
        except OSError:
            self._own = self._alone()

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def score(self, frame: NDArray[np.uint8]) -> Scores:
        """The calibrated probabilities for one frame."""
        if self._own is None:
            try:
                return self._ask(frame)
            except OSError:
                self._own = self._alone()
        return self._own.score(frame)

    def _alone(self) -> Engine:
        self.close()
        return self._fall_back()

    def _ask(self, frame: NDArray[np.uint8]) -> Scores:
        self._socket.sendall(np.ascontiguousarray(frame).data)
        answer = b""
        while len(answer) < _ROW.size:
            part = self._socket.recv(_ROW.size - len(answer))
            if not part:
                raise ConnectionResetError
            answer += part
        return Scores(*_ROW.unpack(answer))


class Engine(Protocol):
    """What judges frames: see `engines.LiteRtEngine`."""

    def score(self, frame: NDArray[np.uint8]) -> Scores:
        """The calibrated probabilities for one frame."""


@dataclass(slots=True, eq=False)
class _Client:
    socket: socket.socket
    buffer: NDArray[np.uint8]
    filled: int = 0
    authenticated: bool = False


class BatchServer:
    """Gathers the frames that are there, has them judged together, and sends each client its row."""

    def __init__(self, listener: socket.socket, pipe: Connection, key: bytes, network: Network) -> None:
        """Listen for clients, and for the end of the daemon on its pipe."""
        self._listener = listener
        self._pipe = pipe
        self._key = key
        self._network = network
        self._selector = selectors.DefaultSelector()
        self._selector.register(listener, selectors.EVENT_READ)
        self._selector.register(pipe, selectors.EVENT_READ)
        self._whole: list[_Client] = []

    def run(self) -> None:
        """Work until the daemon is gone; raises what the network raises."""
        while True:
            # While frames are complete, only those that come without waiting join them.
            events = self._selector.select(0 if self._whole else None)
            for key, _ in events:
                if key.fileobj is self._pipe:
                    return
                if key.fileobj is self._listener:
                    self._accept()
                else:
                    self._receive(key.data)
            if self._whole and (not events or len(self._whole) >= self._network.largest):
                self._run_batch()

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        _, user, _ = _PEER.unpack(client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))
        if user != os.geteuid():
            client.close()
            return
        client.setblocking(False)
        room = np.empty(int(np.prod(self._network.shape)), np.uint8)
        self._selector.register(client, selectors.EVENT_READ, _Client(client, room))

    def _receive(self, client: _Client) -> None:
        try:
            if not client.authenticated:
                client.authenticated = hmac.compare_digest(client.socket.recv(KEY_BYTES), self._key)
                if not client.authenticated:
                    self._close(client)
                return
            count = client.socket.recv_into(client.buffer.data[client.filled :])
        except OSError:
            count = 0
        if not count:
            self._close(client)
            return
        client.filled += count
        if client.filled == len(client.buffer):
            self._whole.append(client)

    def _run_batch(self) -> None:
        most = self._network.largest
        clients, self._whole = self._whole[:most], self._whole[most:]
        frames = np.stack([client.buffer.reshape(self._network.shape) for client in clients])
        for client, row in zip(clients, self._network.run(frames), strict=True):
            client.filled = 0
            try:
                client.socket.sendall(_ROW.pack(*map(float, row)))
            except OSError:
                self._close(client)

    def _close(self, client: _Client) -> None:
        if client.socket.fileno() >= 0:
            self._selector.unregister(client.socket)
            client.socket.close()
