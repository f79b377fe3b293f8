"""Ctrl-C for commands that finish the photo at hand first."""

from __future__ import annotations

import contextlib
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextlib.contextmanager
def asked_by_signal() -> Iterator[Callable[[], bool]]:
    """The function in hand says whether Ctrl-C was pressed; a second Ctrl-C raises KeyboardInterrupt at once.

    Where SIGINT is ignored, as in the background of a shell, it stays so. To be used in the main thread.
    """
    asked = False

    def ask(*_: object) -> None:
        nonlocal asked
        asked = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.getsignal(signal.SIGINT)
    if before is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, ask)
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, before)
