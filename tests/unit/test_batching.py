"""Batching: the photos that are read together."""

from __future__ import annotations

from culld.stages.watch.batching import Batcher
from harness import factories

PHOTOS = [factories.snapshot(f"{i}.jpg") for i in range(5)]


def test_a_full_batch_goes_at_once() -> None:
    """Without waiting; of many photos a batch takes four times as many, the rest stays."""
    batcher = Batcher(size=3, wait_s=2)
    batcher.add(PHOTOS[:3], now=10)
    assert batcher.take(now=10) == PHOTOS[:3]

    single = Batcher(size=1, wait_s=2)
    single.add(PHOTOS, now=10)
    assert single.take(now=10) == PHOTOS[:4]
    assert len(single) == 1


def test_a_photo_in_a_batch_is_not_gathered_again_until_it_is_done() -> None:
    """A scan may find it again while the workers read it."""
    batcher = Batcher(size=3, wait_s=2)
    batcher.add(PHOTOS[:3], now=10)

    batch = batcher.take(now=10)

    assert (len(batcher), PHOTOS[0].place in batcher) == (0, True)
    batcher.release(batch)
    assert PHOTOS[0].place not in batcher


def test_a_small_batch_waits_for_more_photos() -> None:
    """A small batch is due when its first photo has waited long enough."""
    batcher = Batcher(size=16, wait_s=2)
    batcher.add(PHOTOS[:1], now=10)
    batcher.add(PHOTOS[1:2], now=11.9)

    assert batcher.take(now=11.9) == []
    assert batcher.due_at == 12
    assert batcher.take(now=12) == PHOTOS[:2]


def test_an_empty_batch_is_never_due() -> None:
    """Without photos there is nothing to wait for."""
    batcher = Batcher(size=16, wait_s=2)

    assert batcher.take(now=1e9) == []
    assert batcher.due_at == float("inf")
