"""The client of the GPU process in a worker, with a network of its own if that process ends."""

from __future__ import annotations

import json
import time
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, answer_challenge, deliver_challenge, wait
from typing import TYPE_CHECKING, Any, Final

from culld.inference.array_messages import limit_waits, receive_arrays, send_arrays
from culld.inference.network import example_count, run_one_by_one

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection

    from numpy.typing import NDArray

    from culld.inference.gpu_process import Address
    from culld.inference.network import Arrays, Network, Signature

    Outputs = dict[str, NDArray[Any]]

_CONNECTION_ERRORS: Final = (OSError, EOFError, AuthenticationError)
_OWN: Final = 0
"""The number of the examples of `run`; the others are numbered by the pool, from 1 on."""


class GpuClient:
    """Sends numbered examples to the GPU process, and receives the outputs for them in any order.

    It holds each example until its outputs have arrived. After the GPU process has ended, or has not answered in time,
    a local network computes the outputs for those that are left, and for all later ones. Not to be shared between
    threads.
    """

    def __init__(self, address: Address, signature: Signature, fall_back: Callable[[], Network]) -> None:
        """Connect to the GPU process; if that fails, `fall_back` opens the local network."""
        self._patience_s = address.patience_s
        self.signature = signature
        self._fall_back = fall_back
        self._local: Network | None = None
        """Opened when it is needed."""
        self._connection: Connection | None = None
        self._unanswered: dict[int, Arrays] = {}
        self._arrived: dict[int, Outputs] = {}
        self._last_heard = 0.0
        try:
            self._connection = Client(address.name, "AF_UNIX")
            self._authenticate(self._connection, address.key)
        except _CONNECTION_ERRORS:
            self.close()
            self._local = self._fall_back()

    def _authenticate(self, connection: Connection, key: bytes) -> None:
        """Authenticate both ends by the key, and send the signature of the network."""
        limit_waits(connection, self._patience_s)
        answer_challenge(connection, key)
        deliver_challenge(connection, key)
        connection.send_bytes(json.dumps(self.signature.to_json()).encode())

    def close(self) -> None:
        """End the connection; from then on the local network is used."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def run(self, arrays: Arrays) -> Outputs:
        """Return the outputs for the inputs of n examples, requested one after the other."""
        return run_one_by_one(self.signature.inputs, arrays, self._run)

    def send(self, number: int, arrays: Arrays) -> None:
        """Send one example with its own number; raises ValueError for arrays that are not those of the signature."""
        if example_count(self.signature.inputs, arrays) != 1:
            raise ValueError("the arrays must hold one example")
        if not self._unanswered:
            self._last_heard = time.monotonic()
        self._unanswered[number] = arrays
        if self._connection is not None:
            try:
                send_arrays(self._connection, number, self.signature.inputs, arrays)
            except _CONNECTION_ERRORS:
                self.close()

    def wait(self, *others: Connection) -> bool:
        """Wait until `outputs` has something or one of `others` can be read; return whether one of `others` can."""
        if not self._unanswered and not self._arrived:
            return bool(wait(others))
        if self._arrived or self._connection is None:
            return bool(wait(others, 0.0))
        patience_s = max(0.0, self._answer_due - time.monotonic())
        return any(each in others for each in wait([*others, self._connection], patience_s))

    def outputs(self) -> Iterator[tuple[int, Outputs]]:
        """Yield the number and the outputs of each example that is answered, without waiting for the GPU process.

        Without that process those of one example at most are computed.
        """
        while self._arrived:
            yield self._arrived.popitem()
        yield from self._received()
        if self._connection is None and self._unanswered:
            number = next(iter(self._unanswered))
            yield number, self._run_locally(self._unanswered.pop(number))

    def _run(self, arrays: Arrays) -> Outputs:
        self.send(_OWN, arrays)
        while _OWN in self._unanswered and self._connection is not None:
            self.wait()
            self._arrived.update(self._received())
        if _OWN in self._arrived:
            return self._arrived.pop(_OWN)
        return self._run_locally(self._unanswered.pop(_OWN))

    def _received(self) -> Iterator[tuple[int, Outputs]]:
        while (connection := self._connection) is not None and self._unanswered:
            try:
                if not connection.poll():
                    if time.monotonic() >= self._answer_due:
                        raise TimeoutError
                    return
                number, outputs = receive_arrays(connection, self.signature.outputs)
                del self._unanswered[number]
            except (*_CONNECTION_ERRORS, KeyError):
                self.close()
                return
            self._last_heard = time.monotonic()
            yield number, outputs

    @property
    def _answer_due(self) -> float:
        return self._last_heard + self._patience_s

    def _run_locally(self, arrays: Arrays) -> Outputs:
        if self._local is None:
            self._local = self._fall_back()
        return self._local.run(arrays)
