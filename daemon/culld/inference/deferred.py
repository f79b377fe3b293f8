"""Answers that wait for the outputs of the network, so that their worker can go on with the next request."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar, runtime_checkable

from culld.inference.pending import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection

    from numpy.typing import NDArray

    from culld.inference.network import Arrays, Network

Answer = TypeVar("Answer")
Answer_co = TypeVar("Answer_co", covariant=True)


MAX_AHEAD: Final = 128
"""The maximum number of examples of one worker that wait in the GPU process; it reads no more from that worker."""


class Waits(Enum):
    """The message of a worker that a request waits for the network, and that the worker can take another one."""

    FOR_NETWORK = auto()


@dataclass(frozen=True, slots=True, eq=False)
class Deferred(Generic[Answer]):
    """An answer that lacks only the outputs of the network for one example; it holds no file and no full picture.

    `finish` returns the answer for these outputs. It takes a few milliseconds and parses nothing.
    """

    arrays: Arrays
    finish: Callable[[dict[str, NDArray[Any]]], Answer]

    def complete(self, network: Network) -> Answer:
        """Run a network and return the answer."""
        return self.finish(network.run(self.arrays))


@runtime_checkable
class DeferrableRequest(Request[Answer_co], Protocol):
    """A request whose answer may wait for the network."""

    def begin(self, handler: Any) -> Answer_co | Deferred[Answer_co]:
        """Do all that needs no outputs of the network; return the answer if that is all."""


class DistantNetwork(Protocol):
    """A network in another process: see `gpu_client.GpuClient`."""

    def send(self, number: int, arrays: Arrays) -> None:
        """Send one example with its own number."""

    def wait(self, *others: Connection) -> bool:
        """Wait until `outputs` has something or one of `others` can be read; return whether one of `others` can."""

    def outputs(self) -> Iterator[tuple[int, dict[str, NDArray[Any]]]]:
        """Yield the number and the outputs of examples that are answered."""


class GpuHandler(Protocol):
    """A handler of requests whose deferred answers wait for the GPU process."""

    @property
    def gpu(self) -> DistantNetwork:
        """The network there."""
