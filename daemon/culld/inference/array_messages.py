"""Send arrays between processes as raw bytes of a known size, so that nothing is unpickled."""

from __future__ import annotations

import os
import socket
import struct
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping
    from multiprocessing.connection import Connection

    from numpy.typing import NDArray

    from culld.inference.network import Arrays, ArraySpec


def send_arrays(connection: Connection, specs: Mapping[str, ArraySpec], arrays: Arrays) -> None:
    """Send the arrays of one example, which must be those of `specs`; raises OSError."""
    for name in specs:
        connection.send_bytes(np.ascontiguousarray(arrays[name]).data.cast("B"))


def receive_arrays(connection: Connection, specs: Mapping[str, ArraySpec]) -> dict[str, NDArray[Any]]:
    """Receive the arrays of one example; raises EOFError if the connection was closed, OSError for another size."""
    return {name: _receive(connection, spec) for name, spec in specs.items()}


def _receive(connection: Connection, spec: ArraySpec) -> NDArray[Any]:
    data = connection.recv_bytes(spec.nbytes)  # raises OSError if the message is larger
    if len(data) != spec.nbytes:
        raise ConnectionAbortedError(f"a message of {len(data)} bytes is not {spec}")
    return np.frombuffer(data, spec.dtype).reshape(1, *spec.shape)


def limit_waits(connection: Connection, seconds: int) -> None:
    """Limit each read and write on a connection; it raises BlockingIOError then (socket(7)). 0 is no limit."""
    limit = struct.pack("@ll", seconds, 0)
    with socket.socket(fileno=os.dup(connection.fileno())) as same:
        same.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        same.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
