"""The signal of changes: one look at the journal each 250 ms for all open pages together, none without one."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from culld.errors import SystemFaultError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

log = logging.getLogger(__name__)

LOOK_S: Final = 0.25
"""The time between two looks at the journal."""
BEAT_S: Final = 15.0
"""The time after which a stream without a change sends a heart beat."""


@dataclass(slots=True)
class Changes:
    """Wakes up the listeners after each change of the journal; `look` returns the number of the last one."""

    look: Callable[[], Awaitable[int]]
    beat_s: float = BEAT_S
    change: int = 0
    listeners: int = 0
    is_over: bool = False
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _watching: asyncio.Task[None] | None = None

    async def stream(self, last: int | None) -> AsyncIterator[bytes]:
        """Yield an event after each change, at once if `last` is not the last one, and a comment as heart beat."""
        self.listeners += 1
        try:
            if self._watching is None or self._watching.done():
                await self._look()
                self._watching = asyncio.create_task(self._watch())
            yield b"retry: 2000\n\n"
            seen = self.change if last is None else last
            while not self.is_over:
                if self.change != seen:
                    seen = self.change
                    yield f"id: {seen}\nevent: change\ndata: {json.dumps({'change': seen})}\n\n".encode()
                elif not await self._waited(seen):
                    yield b": still here\n\n"
        finally:
            self.listeners -= 1

    async def _waited(self, seen: int) -> bool:
        """Wait for a change or the end, at most until the next heart beat is due; return whether there was one."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.beat_s), self._changed:
                await self._changed.wait_for(lambda: self.change != seen or self.is_over)
            return True
        return False

    async def _watch(self) -> None:
        while self.listeners and not self.is_over:
            before = self.change
            try:
                await self._look()
            except SystemFaultError as error:
                log.warning("%s", error)
                await asyncio.sleep(2.0)
            if self.change != before:
                await self.wake()
            await asyncio.sleep(LOOK_S)

    async def _look(self) -> None:
        self.change = await self.look()

    async def wake(self) -> None:
        """Let every listener look."""
        async with self._changed:
            self._changed.notify_all()

    async def end(self) -> None:
        """End every stream."""
        self.is_over = True
        await self.wake()
