"""The failures of `culld once`."""

from __future__ import annotations

from datetime import timedelta

import pytest

from culld.app.once import FailureCollector
from culld.records import ReadFailure
from harness import factories, fakes


@pytest.mark.parametrize(
    ("steady", "more", "held"), [(True, True, True), (True, False, False), (False, True, False), (False, False, False)]
)
def test_a_photo_is_held_back_only_while_others_follow(steady: bool, more: bool, held: bool) -> None:  # noqa: FBT001
    """Everything else is a failure, reported and recorded."""
    journal = fakes.FakeJournal()
    collector = FailureCollector(journal.fault, lambda: more)
    fault = ReadFailure(factories.snapshot(), "it waits", timedelta(seconds=15), steady=steady)

    collector.add(fault)

    assert collector.take_deferred() == ([fault.snapshot] if held else [])
    assert collector.failures == ({} if held else {fault.snapshot.place: "it waits"})
    assert bool(journal.events) is not held
    assert (collector.take_count(), collector.take_count(), collector.take_deferred()) == (1, 0, [])
