"""Read the nodes and weights of an ONNX file: a small reader of the protocol-buffer wire format; pure numpy.

The field numbers are those of `onnx.proto3` (ONNX 1.7): ModelProto.graph 7; GraphProto.node 1, initializer 5;
NodeProto.input 1, output 2, op_type 4, attribute 5; AttributeProto.name 1, i 3, ints 8; TensorProto.dims 1,
data_type 2, name 8, raw_data 9.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from culld.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    Fields = dict[int, list[int | bytes]]

_FLOAT = 1


@dataclass(frozen=True, slots=True)
class Node:
    """An operation of a graph: its type, the names of its inputs and outputs, and its whole-number attributes."""

    operation: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    numbers: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Graph:
    """The nodes of a graph, in the order of computation, and its float32 weights by name."""

    nodes: tuple[Node, ...]
    weights: Mapping[str, NDArray[np.float32]]


def read_onnx(file: Path) -> Graph:
    """Return the graph of an ONNX file; raises `ConfigError` if the bytes are not those of one."""
    try:
        graph = _fields(_bytes(_fields(file.read_bytes())[7][0]))
        nodes = tuple(_node(_fields(_bytes(each))) for each in graph[1])
        weights = dict(_tensors(graph[5]))
    except (OSError, KeyError, IndexError, ValueError, TypeError) as error:
        raise ConfigError((f"{file}: no ONNX graph can be read there: {error}",)) from error
    return Graph(nodes, weights)


def _node(fields: Fields) -> Node:
    numbers = {}
    for attribute in fields.get(5, []):
        inner = _fields(_bytes(attribute))
        values = inner.get(8) or inner.get(3) or []
        numbers[_text(inner[1][0])] = tuple(value for value in values if isinstance(value, int))
    inputs, outputs = (tuple(map(_text, fields.get(field, []))) for field in (1, 2))
    return Node(_text(fields[4][0]), inputs, outputs, numbers)


def _tensors(messages: list[int | bytes]) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Yield the name and values of each float32 tensor that holds values; others describe shapes."""
    for message in messages:
        fields = _fields(_bytes(message))
        shape = tuple(side for side in fields.get(1, []) if isinstance(side, int))
        if fields[2] == [_FLOAT] and all(shape):
            values = np.frombuffer(_bytes(fields[9][0]), "<f4").astype(np.float32)
            yield _text(fields[8][0]), values.reshape(shape)


def _fields(message: bytes) -> Fields:
    """Return the values of a message by field number: int for varints, bytes for all other wire types."""
    found: Fields = {}
    place = 0
    while place < len(message):
        key, place = _varint(message, place)
        value: int | bytes
        if key & 7 == 0:
            value, place = _varint(message, place)
        else:
            size, place = (8, place) if key & 7 == 1 else (4, place) if key & 7 == 5 else _varint(message, place)
            value, place = message[place : place + size], place + size
            if len(value) != size or key & 7 not in {1, 2, 5}:
                raise ValueError("not the wire format of protocol buffers")
        found.setdefault(key >> 3, []).append(value)
    return found


def _varint(message: bytes, place: int) -> tuple[int, int]:
    """Return the variable-length number at a place, and the place behind it; raises IndexError at the end."""
    value = shift = 0
    while True:
        byte = message[place]
        value |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return value, place


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise TypeError("a number in place of bytes")
    return value


def _text(value: int | bytes) -> str:
    return _bytes(value).decode()
