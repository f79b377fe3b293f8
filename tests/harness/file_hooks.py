"""Runs an action right before a call of culld that changes a file, as another program may; counts listings.

The audit hooks of Python (sys.addaudithook) announce these calls; culld announces those that it makes by ctypes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class _Hook:
    def __init__(self) -> None:
        self.event = ""
        self.named = ""
        self.action: Callable[[], object] | None = None
        self.listings = 0
        sys.addaudithook(self.watch)

    def watch(self, event: str, args: tuple[object, ...]) -> None:
        self.listings += event == "os.scandir"
        if self.action is None or event != self.event or self.named not in map(str, args):
            return
        action, self.action = self.action, None
        action()


_hook: list[_Hook] = []  # a hook cannot be removed, so there is one for all tests


def _the_hook() -> _Hook:
    if not _hook:
        _hook.append(_Hook())
    return _hook[0]


def listings_of(action: Callable[[], object]) -> int:
    """How often an action lists a folder."""
    hook = _the_hook()
    before = hook.listings
    action()
    return hook.listings - before


@contextmanager
def right_before(event: str, name: str, action: Callable[[], object]) -> Iterator[None]:
    """Act once, right before the first call of this kind that names this file; the call must occur."""
    hook = _the_hook()
    hook.event, hook.named, hook.action = event, name, action
    try:
        yield
        assert hook.action is None, f"no {event} of {name}"
    finally:
        hook.action = None
