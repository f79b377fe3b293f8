"""Send numbered arrays between processes as raw bytes of a known size, so that nothing is unpickled."""

from __future__ import annotations

import os
import socket
import struct
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping
    from multiprocessing.connection import Connection

    from numpy.typing import NDArray

    from culld.inference.network import Arrays, ArraySpec


_NUMBER: Final = struct.Struct("!Q")


def send_arrays(connection: Connection, number: int, specs: Mapping[str, ArraySpec], arrays: Arrays) -> None:
    """Send the number and the arrays of one example, which must be those of `specs`; raises OSError."""
    connection.send_bytes(_NUMBER.pack(number))
    for name in specs:
        connection.send_bytes(np.ascontiguousarray(arrays[name]).data.cast("B"))


def receive_arrays(connection: Connection, specs: Mapping[str, ArraySpec]) -> tuple[int, dict[str, NDArray[Any]]]:
    """Receive the number and the arrays of one example.

    Raises EOFError if the connection was closed, OSError for a message of another size.
    """
    (number,) = _NUMBER.unpack(_received(connection, _NUMBER.size, "a number"))
    return number, {name: _receive(connection, spec) for name, spec in specs.items()}


def _receive(connection: Connection, spec: ArraySpec) -> NDArray[Any]:
    return np.frombuffer(_received(connection, spec.nbytes, str(spec)), spec.dtype).reshape(1, *spec.shape)


def _received(connection: Connection, size: int, what: str) -> bytes:
    data = connection.recv_bytes(size)  # raises OSError if the message is larger
    if len(data) != size:
        raise ConnectionAbortedError(f"a message of {len(data)} bytes is not {what}")
    return data


def limit_waits(connection: Connection, seconds: int) -> None:
    """Limit each read and write on a connection; it raises BlockingIOError then (socket(7)). 0 is no limit."""
    limit = struct.pack("@ll", seconds, 0)
    with socket.socket(fileno=os.dup(connection.fileno())) as same:
        same.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        same.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
