"""Making pictures before the page asks for them, while a page is open and asks for nothing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from culld.app.review.photos import photo_file
from culld.errors import CulldError
from culld.web.picture_making import made_pictures
from culld.web.picture_requests import SizesRequest
from culld.web.problems import ProblemError

if TYPE_CHECKING:
    from culld.web.site import Reading, Site

LENGTHS: Final = (2048, 320, 640)
"""The longer sides of the pictures that are made ahead, in pixels."""
MOST: Final = 2_000
"""So many photos are looked at, those that the page lists first."""


@dataclass(slots=True)
class Warmer:
    """Makes the preview and the thumbnails of one photo after another; one worker stays free for the page."""

    site: Site
    _queue: list[int] = field(default_factory=list)
    _change: int = 0
    _working: asyncio.Task[None] | None = None

    async def step(self) -> None:
        """Go on, if a page is open, and no work is going on."""
        if not self.site.changes.listeners or (self._working is not None and not self._working.done()):
            return
        if self._change != self.site.changes.change:
            self._change = self.site.changes.change
            self._queue = await self.site.read(_shown_first)
        if self._queue:
            self._working = asyncio.create_task(self._work())

    async def end(self) -> None:
        """Stop."""
        if self._working is not None:
            self._working.cancel()
            await asyncio.gather(self._working, return_exceptions=True)

    async def _work(self) -> None:
        while self._queue and self.site.changes.listeners:
            if self.site.pool.is_busy:
                await asyncio.sleep(0.1)
                continue
            try:
                await self._make(self._queue.pop(0))
            except (ProblemError, CulldError):  # the page will say why when it asks for this photo
                await asyncio.sleep(0)

    async def _make(self, number: int) -> None:
        file = await self.site.read(lambda reading: photo_file(reading.journal(), number))
        names = tuple(f"{length}.jpg" for length in LENGTHS)
        if file is None or file.stamp is None or all(self.site.cache.has(file.digest, name) for name in names):
            return
        await made_pictures(self.site, file, names, SizesRequest(file.place, LENGTHS))


def _shown_first(reading: Reading) -> list[int]:
    return [int(number) for number in reading.fresh().shown(kept=False, limit=MOST)["id"]]
