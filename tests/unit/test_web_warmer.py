"""Pictures are made ahead while a page is open and asks for nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from culld.records import Verdict
from culld.web.warmer import LENGTHS, Warmer
from harness import factories
from harness.review_library import Library, PoolHere


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """Two rejected photos, a kept one, one that cannot be decoded, and one that is gone."""
    library = Library(tmp_path)
    for number in range(2):
        library.add(Verdict.QUARANTINE, data=factories.encoded(factories.picture(number, (640, 480))))
    library.add(Verdict.KEEP, data=factories.encoded(factories.picture(3, (640, 480))))
    library.add(Verdict.UNREADABLE, data=b"no photo")
    library.add(Verdict.QUARANTINE)
    (tmp_path / "q" / "IMG_5.jpg").unlink()
    return library


async def steps(library: Library, pool: PoolHere, *, listeners: int) -> int:
    """Let the warmer work to its end; return how many pictures are kept."""
    site = library.site(pool)
    site.changes.listeners = listeners
    site.changes.change = await site.read(lambda reading: reading.fresh().change)
    warmer = Warmer(site)
    for _ in range(3):
        await warmer.step()
        await asyncio.sleep(0.3)
    await warmer.end()
    await site.close()
    return len(list((library.folder / "cache").glob("??/*")))


def test_the_photos_that_are_listed_first_are_made_first(library: Library) -> None:
    """One decode gives all sizes; what cannot be shown stops nothing, and nothing is made twice."""
    pool = PoolHere()
    assert asyncio.run(steps(library, pool, listeners=1)) == 2 * len(LENGTHS)
    made = pool.made
    assert asyncio.run(steps(library, pool, listeners=1)) == 2 * len(LENGTHS)
    assert pool.made - made == 1  # the one that cannot be decoded is tried again


def test_nothing_is_made_without_a_page(library: Library) -> None:
    """Nor while the page asks for pictures itself."""
    assert asyncio.run(steps(library, PoolHere(), listeners=0)) == 0
    busy = PoolHere()
    busy.is_busy = True
    assert asyncio.run(steps(library, busy, listeners=1)) == 0
