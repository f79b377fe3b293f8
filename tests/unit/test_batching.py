"""Batching: which photos go through the network together."""

from __future__ import annotations

import factories
from culld.intake.batching import Batcher

PHOTOS = [factories.sighting(f"{i}.jpg") for i in range(5)]


def test_a_full_batch_goes_at_once() -> None:
    """The first `size` photos go without waiting, the rest stays."""
    batcher = Batcher(size=3, wait_s=2)
    batcher.add(PHOTOS, now=10)

    assert batcher.take(now=10) == PHOTOS[:3]
    assert len(batcher) == 2


def test_a_small_batch_waits_for_company() -> None:
    """Fewer photos go when the first of them has waited long enough."""
    batcher = Batcher(size=16, wait_s=2)
    batcher.add(PHOTOS[:1], now=10)
    batcher.add(PHOTOS[1:2], now=11.9)

    assert batcher.take(now=11.9) == []
    assert batcher.due == 12
    assert batcher.take(now=12) == PHOTOS[:2]


def test_an_empty_batch_is_never_due() -> None:
    """Without photos there is nothing to wait for."""
    batcher = Batcher(size=16, wait_s=2)

    assert batcher.take(now=1e9) == []
    assert batcher.due == float("inf")


def test_a_flush_takes_what_is_there() -> None:
    """`once` does not wait for photos that will not come."""
    batcher = Batcher(size=16, wait_s=2)
    batcher.add(PHOTOS, now=10)

    assert batcher.take(now=10, flush=True) == PHOTOS
