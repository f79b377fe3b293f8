"""The client of the GPU process in a worker, with a network of its own if that process ends."""

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
"""How long a worker waits for an answer; must be less than limits.time, after which the pool ends the worker."""
_CONNECTION_ERRORS: Final = (OSError, EOFError, AuthenticationError)


class GpuClient:
    """A `Network` that sends its inputs to the GPU process; after that process has ended, it uses a local network."""

    def __init__(self, address: Address, signature: Signature, fall_back: Callable[[], Network]) -> None:
        """Connect to the GPU process; if that fails, `fall_back` opens the local network."""
        self.signature = signature
        self._fall_back = fall_back
        self._local: Network | None = None
        self._connection: Connection | None = None
        try:
            self._connection = Client(address.name, "AF_UNIX")
            self._authenticate(self._connection, address.key)
        except _CONNECTION_ERRORS:
            self._local = self._open_local()

    def _authenticate(self, connection: Connection, key: bytes) -> None:
        """Authenticate both ends by the key, and send the signature of the network."""
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
        """Return the outputs for the inputs of n examples, requested one after the other."""
        return run_one_by_one(self.signature.inputs, arrays, self._run)

    def _run(self, arrays: Arrays) -> dict[str, NDArray[Any]]:
        if self._connection is not None:
            try:
                send_arrays(self._connection, self.signature.inputs, arrays)
                return receive_arrays(self._connection, self.signature.outputs)
            except _CONNECTION_ERRORS:
                self._local = self._open_local()
        if self._local is None:
            raise RuntimeError("this network was closed")
        return self._local.run(arrays)

    def _open_local(self) -> Network:
        self.close()
        return self._fall_back()
