"""What a pool sends to its workers: requests whose type says which answer they get."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

Answer_co = TypeVar("Answer_co", covariant=True)


class Request(Protocol[Answer_co]):
    """A frozen dataclass that can be pickled; `Pool` has it handled in a worker and returns the answer.

    Each type of request calls one method of the handler that the pool's workers create, so that a type checker follows
    a request to its answer through the border between the processes.
    """

    def handle(self, handler: Any) -> Answer_co:
        """Return the answer of the worker's handler; runs in the worker."""
