"""The interface of networks: a function from named arrays to named arrays, independent of the library."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from culld.errors import SystemFaultError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    Arrays = Mapping[str, NDArray[Any]]
    """An array for each name; the first axis of every array counts the examples."""


@dataclass(frozen=True, slots=True)
class ArraySpec:
    """The shape of an array for one example, without the axis of examples, and its element type, such as `uint8`."""

    shape: tuple[int, ...]
    dtype: str

    @property
    def nbytes(self) -> int:
        """The size of one example in bytes."""
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize

    def __str__(self) -> str:
        return f"{self.dtype} {self.shape}"


@dataclass(frozen=True, slots=True)
class Signature:
    """The input and output arrays of a network, by name and in order."""

    inputs: Mapping[str, ArraySpec]
    outputs: Mapping[str, ArraySpec]

    def to_json(self) -> dict[str, Any]:
        """Return the signature as nested lists, equal to those read back from JSON; they keep the order."""
        return {
            side: [[name, spec.dtype, *spec.shape] for name, spec in specs.items()]
            for side, specs in (("inputs", self.inputs), ("outputs", self.outputs))
        }


class Network(Protocol):
    """A loaded network; must not be shared between threads."""

    @property
    def signature(self) -> Signature:
        """The input and output arrays."""

    def run(self, arrays: Arrays) -> dict[str, NDArray[Any]]:
        """Return the outputs for the inputs of n examples; raises ValueError for arrays of another shape or type."""


def example_count(specs: Mapping[str, ArraySpec], arrays: Arrays) -> int:
    """Return how many examples the arrays hold; raises ValueError if they do not match `specs`."""
    if arrays.keys() != specs.keys():
        raise ValueError(f"the network takes {', '.join(specs)}, not {', '.join(arrays)}")
    counts = {len(array) if array.ndim else 0 for array in arrays.values()}
    for name, spec in specs.items():
        array = arrays[name]
        if array.shape[1:] != spec.shape or array.dtype != spec.dtype:
            raise ValueError(f"`{name}` is {array.dtype} {array.shape[1:]} for each example, not {spec}")
    if len(counts) != 1 or 0 in counts:
        raise ValueError("the arrays must hold the same number of examples, at least one")
    return counts.pop()


def run_one_by_one(
    specs: Mapping[str, ArraySpec], arrays: Arrays, run: Callable[[Arrays], dict[str, NDArray[Any]]]
) -> dict[str, NDArray[Any]]:
    """Return the outputs of a `run` that takes a single example, for the inputs of one example or more.

    A single example is passed without a copy. Raises ValueError as `example_count` does.
    """
    count = example_count(specs, arrays)
    if count == 1:
        return run(arrays)
    rows = [run({name: array[i : i + 1] for name, array in arrays.items()}) for i in range(count)]
    return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}


def match_names(
    wanted: Mapping[str, ArraySpec], found: Mapping[str, ArraySpec], what: str, *, any_type: bool = False
) -> dict[str, str]:
    """Return the name in the file for each `wanted` array: the same name, or the only one if there is one of each.

    Raises SystemFaultError if an array is missing, superfluous, of another shape or (unless `any_type`) of another
    element type; `what` is the beginning of its message.
    """
    names = {name: name for name in wanted}
    if len(wanted) == len(found) == 1:
        names = dict(zip(wanted, found, strict=True))
    if set(names.values()) != found.keys():
        raise SystemFaultError(f"{what} {', '.join(found) or 'nothing'}, but culld needs {', '.join(wanted)}")
    for name, spec in wanted.items():
        other = found[names[name]]
        if other.shape != spec.shape or (other.dtype != spec.dtype and not any_type):
            raise SystemFaultError(f"{what} {other} as `{name}`, but culld needs {spec}")
    return names


def as_function(network: Network) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """Return a network of one input and one output as a function from one example to one row."""
    (source,), (target,) = network.signature.inputs, network.signature.outputs

    def run(example: NDArray[Any]) -> NDArray[Any]:
        row: NDArray[Any] = network.run({source: example[None]})[target][0]
        return row

    return run
