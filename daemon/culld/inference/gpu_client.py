"""How a worker has its frames scored by the process with the GPU, and goes on without that process."""

from __future__ import annotations

import json
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, answer_challenge, deliver_challenge
from typing import TYPE_CHECKING, Any, Final

from culld.inference.array_messages import limit_waits, receive_arrays, send_arrays
from culld.inference.network import run_one_by_one

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

    from numpy.typing import NDArray

    from culld.inference.gpu_process import Address
    from culld.inference.network import Arrays, Network, Signature

_ANSWER_TIMEOUT_S: Final = 20
"""So long a worker waits for an answer; less than limits.time, after which it would be ended itself."""
_GONE: Final = (OSError, EOFError, AuthenticationError)


class GpuClient:
    """A `Network` in a worker that asks the GPU process; once that is gone, it uses a network of its own."""

    def __init__(self, address: Address, signature: Signature, fall_back: Callable[[], Network]) -> None:
        """Connect; without an answer `fall_back` opens the network that is used instead."""
        self.signature = signature
        self._fall_back = fall_back
        self._own: Network | None = None
        self._connection: Connection | None = None
        try:
            self._connection = Client(address.name, "AF_UNIX")
            self._introduce(self._connection, address.key)
        except _GONE:
            self._own = self._alone()

    def _introduce(self, connection: Connection, key: bytes) -> None:
        """Prove that both ends know the key, and tell which arrays will be sent."""
        limit_waits(connection, _ANSWER_TIMEOUT_S)
        answer_challenge(connection, key)
        deliver_challenge(connection, key)
        connection.send_bytes(json.dumps(self.signature.to_json()).encode())

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def run(self, arrays: Arrays) -> dict[str, NDArray[Any]]:
        """Return the outputs for the inputs of n examples, asked for one after the other."""
        return run_one_by_one(self.signature.inputs, arrays, self._run)

    def _run(self, arrays: Arrays) -> dict[str, NDArray[Any]]:
        if self._connection is not None:
            try:
                send_arrays(self._connection, self.signature.inputs, arrays)
                return receive_arrays(self._connection, self.signature.outputs)
            except _GONE:
                self._own = self._alone()
        if self._own is None:
            raise RuntimeError("this network was closed")
        return self._own.run(arrays)

    def _alone(self) -> Network:
        self.close()
        return self._fall_back()
