"""The requests that a pool sends to its workers; the type of a request determines the type of its answer."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

Answer_co = TypeVar("Answer_co", covariant=True)


class Request(Protocol[Answer_co]):
    """A frozen dataclass that can be pickled; `Pool` sends it to a worker and returns the answer.

    Each type of request calls one method of the handler that the pool's workers create, so that a type checker knows
    the type of the answer although it comes from another process.
    """

    def handle(self, handler: Any) -> Answer_co:
        """Return the answer of the handler; runs in the worker process."""
