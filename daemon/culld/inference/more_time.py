"""Requests that may take longer than others: the worker names the time once it knows the file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar, runtime_checkable

from culld.inference.pending import Request

LONGEST_S: Final = 12 * 3600.0
"""No request may take longer, in seconds."""
Answer_co = TypeVar("Answer_co", covariant=True)


@dataclass(frozen=True, slots=True)
class MoreTime:
    """The message of a worker that its request may take so many seconds from now on."""

    seconds: float

    def __post_init__(self) -> None:
        """Check the time; the bounds also refuse NaN."""
        if not 0 <= self.seconds <= LONGEST_S:
            raise ValueError(f"{self.seconds!r} is not a time between 0 and {LONGEST_S:g} seconds")


@runtime_checkable
class LongRequest(Request[Answer_co], Protocol):
    """A request whose time depends on its file."""

    def seconds(self, handler: Any) -> float:
        """Return how many seconds the answer may take, 0 for the usual time.

        It runs in the worker process before `handle`, within the usual time.
        """


def time_for(request: LongRequest[object], handler: object, usual: float) -> float:
    """Return the seconds for a request, `usual` at least and `LONGEST_S` at most."""
    wanted = request.seconds(handler)
    return min(max(usual, wanted), LONGEST_S) if wanted == wanted else usual  # noqa: PLR0124 (NaN)
