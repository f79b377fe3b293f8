"""The failures of `culld once`, and its options."""

from __future__ import annotations

from datetime import timedelta

import pytest

from culld.app.once_counts import FailureCollector
from culld.cli import build_parser
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


@pytest.mark.parametrize("rejudge", [False, True])
def test_photos_are_judged_again_only_if_asked_for(*, rejudge: bool) -> None:
    """The option may stand before or after the paths."""
    for words in (["--rejudge", "a", "b"], ["a", "b", "--rejudge"]) if rejudge else (["a", "b"],):
        arguments = build_parser(["once"]).parse_args(["once", *words])
        assert (arguments.rejudge, [str(path) for path in arguments.paths]) == (rejudge, ["a", "b"])
