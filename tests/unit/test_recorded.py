"""The recorded decision about a photo."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from culld.records import (
    Defect,
    PlanState,
    RecordedDecision,
    Scores,
    Series,
    SeriesKind,
    SeriesMembership,
    Stack,
    Verdict,
)
from harness import factories

MOVED = replace(
    RecordedDecision.of(factories.plan(Stack(factories.assessment()), Verdict.QUARANTINE)),
    state=PlanState.DONE,
    now=factories.place(root="/quarantine"),
    now_digest="2",
)


def test_the_decision_of_a_plan_has_not_ended() -> None:
    """Its photo is where it was judged, in its series."""
    first, second = factories.assessment("a.jpg"), factories.assessment("b.jpg")
    stack = Stack(first, siblings=(second,), series=Series(SeriesKind.BURST, (first, second)))
    found = RecordedDecision.of(factories.plan(stack), "id")

    assert (found.ended, found.away, found.restored) == (False, False, False)
    assert (found.now, found.now_digest, found.siblings) == (found.place, found.digest, (second.photo.place,))
    assert found.series == SeriesMembership(SeriesKind.BURST, (first.photo.place, second.photo.place))
    assert found.series_id == "id"


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (MOVED, True),
        (replace(MOVED, restored_at=factories.NOON), False),
        (replace(MOVED, released="trash"), False),
        (replace(MOVED, state=PlanState.FAULT), False),
        (replace(MOVED, verdict=Verdict.TAG), False),
    ],
)
def test_a_photo_is_away_while_it_lies_in_quarantine(found: RecordedDecision, expected: bool) -> None:  # noqa: FBT001
    """As far as the journal knows."""
    assert found.away is expected


def test_both_digests_of_a_moved_photo_are_known() -> None:
    """As it was judged, and as it was moved."""
    assert MOVED.digests == {factories.photo().digest, "2"}


@pytest.mark.parametrize(("blur", "expected"), [(0.5, 0.5), (math.nan, 0.0)])
def test_a_score_that_is_no_number_is_zero(blur: float, expected: float) -> None:
    """A broken network gave it; what is computed from scores must not fail on it."""
    primary = replace(factories.assessment(), result=Scores(blur, 0, 0))

    assert replace(MOVED, stack=Stack(primary)).score(Defect.BLUR) == expected


def test_a_photo_without_scores_has_the_score_zero() -> None:
    """It was imported from a record without, or could not be read."""
    assert replace(MOVED, stack=Stack(factories.unreadable())).score(Defect.BLUR) == 0.0
