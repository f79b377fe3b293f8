"""Live changes: one look at the journal each 250 ms for all open pages together, and none while no page is open."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from starlette.responses import StreamingResponse

from culld.errors import SystemFaultError
from culld.web.answers import json_answer
from culld.web.photo_routes import site_of
from culld.web.problems import ProblemError
from culld.web.site import parsed_int

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request
    from starlette.responses import Response

    from culld.web.site import Reading, Site

log = logging.getLogger(__name__)

LOOK_S: Final = 0.25
BEAT_S: Final = 15.0
MOST_LISTENERS: Final = 32
"""So many pages may be open at the same time; together with `limit_concurrency` this leaves room for requests."""
_MOST_IDS = 1_000


@dataclass(slots=True)
class Changes:
    """Wakes up the listeners after each change of the journal."""

    site: Site
    beat_s: float = BEAT_S
    change: int = 0
    listeners: int = 0
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
            while not self.site.stopping.is_set():
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
                await self._changed.wait_for(lambda: self.change != seen or self.site.stopping.is_set())
            return True
        return False

    async def _watch(self) -> None:
        while self.listeners and not self.site.stopping.is_set():
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
        self.change = await self.site.read(lambda reading: reading.fresh().change)

    async def wake(self) -> None:
        """Let every listener look, also at the end of the process."""
        async with self._changed:
            self._changed.notify_all()


async def events(request: Request) -> Response:
    """Answer with a stream of changes that goes on until the page closes it."""
    changes: Changes = request.app.state.changes
    if changes.listeners >= MOST_LISTENERS:
        raise ProblemError(503, "Too many pages are open; close some, or ask for /changes.", {"Retry-After": "30"})
    text = request.headers.get("last-event-id", "")
    last = int(text) if text.isascii() and text.isdigit() and len(text) <= 16 else None
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(changes.stream(last), 200, headers, "text/event-stream")


async def since(request: Request) -> Response:
    """Answer with the number of the last change, and the photos that changed after another one."""
    try:
        before = parsed_int(request.query_params, "since")
    except ValueError as error:
        raise ProblemError(422, f"The request cannot be read: {error}.") from error
    if before is None:
        raise ProblemError(422, "since is missing.")

    def found(reading: Reading) -> dict[str, object]:
        index = reading.fresh()
        rows = index.shown(kept=True, since=before)
        return {"change": index.change, "full": before < index.first_change, "ids": rows["id"][:_MOST_IDS].tolist()}

    return json_answer(await site_of(request).read(found))


def idle_s(site: Site, changes: Changes) -> float:
    """Return the seconds since the last request; 0 while a page is open."""
    return 0.0 if changes.listeners else time.monotonic() - site.used
