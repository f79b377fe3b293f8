"""Undeclared exceptions: each fails one photo or one step, and is logged once with its traceback."""

from __future__ import annotations

import functools
import logging
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from culld.errors import CulldError, InternalError, PhotoError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

_T = TypeVar("_T")
_R = TypeVar("_R")
_F = TypeVar("_F")

log = logging.getLogger(__name__)

_LONGEST = 200


def internal_error(error: Exception) -> InternalError:
    """Return an exception as an InternalError with the reason in one line, the line of code, and the traceback.

    An InternalError can be sent between processes.
    """
    if isinstance(error, InternalError):
        return error
    reason = _legible(" ".join(traceback.format_exception_only(error)[-1].split()))[:_LONGEST]
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else type(error).__name__
    trace = "".join(traceback.format_exception(error)).encode("utf-8", "backslashreplace").decode()
    return InternalError(f"internal error: {reason}; please report this", where, trace)


class UnexpectedErrors:
    """Converts undeclared exceptions to InternalErrors, and logs one exception for each line of code.

    `count` is the number of converted exceptions.
    """

    def __init__(self) -> None:
        """Start with a count of 0."""
        self.count = 0
        self._logged: set[str] = set()

    def note(self, error: Exception, doing: str) -> InternalError:
        """Log an exception unless its line of code was logged before, and return it as an InternalError."""
        found = internal_error(error)
        self.count += 1
        if found.where not in self._logged:
            self._logged.add(found.where)
            log.error("internal error while %s, logged once; please report this\n%s", doing, found.trace.rstrip())
        return found

    @contextmanager
    def tolerated(self, doing: str) -> Iterator[None]:
        """Log and suppress an undeclared exception or a PhotoError of the block.

        A CulldError that is not a PhotoError is raised.
        """
        try:
            yield
        except Exception as error:  # noqa: BLE001 (undeclared exceptions have no common class; each is logged)
            self._require_unexpected(error)
            self.note(error, doing)

    def attempt(self, doing: str, call: Callable[[], _T]) -> _T | PhotoError:
        """Return the result of the call, the PhotoError that it raised, or an InternalError for another exception.

        A CulldError that is not a PhotoError is raised.
        """
        try:
            return call()
        except PhotoError as error:
            return error
        except Exception as error:  # noqa: BLE001 (undeclared exceptions have no common class; each is logged)
            self._require_unexpected(error)
            return self.note(error, doing)

    def each_apart(
        self,
        doing: str,
        stage: Callable[[Sequence[_T]], Iterable[_R]],
        items: Sequence[_T],
        failed: Callable[[_T, PhotoError], _F],
    ) -> list[_R | _F]:
        """Return the results of a stage, and the result of `failed` for each item over which the stage fails.

        The stage must treat each item by itself: after a failure it is called with one half, then with the other.
        """
        if not items:
            return []
        found = self.attempt(doing, lambda: list(stage(items)))
        if not isinstance(found, PhotoError):
            return [*found]
        if len(items) == 1:
            return [failed(items[0], found)]
        half = len(items) // 2
        again = functools.partial(self.each_apart, doing, stage, failed=failed)
        return [*again(items[:half]), *again(items[half:])]

    def fitting(
        self,
        doing: str,
        stage: Callable[[Sequence[_T]], object],
        items: Sequence[_T],
        failed: Callable[[_T, PhotoError], None],
        beside: Sequence[_T] = (),
    ) -> list[_T]:
        """Return the items that the stage accepts together with `beside`; call `failed` for each of the others."""
        if not items:
            return []
        found = self.attempt(doing, lambda: stage([*beside, *items]))
        if not isinstance(found, PhotoError):
            return list(items)
        if len(items) == 1:
            failed(items[0], found)
            return []
        half = len(items) // 2
        first = self.fitting(doing, stage, items[:half], failed, beside)
        return [*first, *self.fitting(doing, stage, items[half:], failed, [*beside, *first])]

    @staticmethod
    def _require_unexpected(error: Exception) -> None:
        if isinstance(error, CulldError) and not isinstance(error, PhotoError):
            raise error


def _legible(text: str) -> str:
    """Return the text with control characters and surrogates escaped."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
