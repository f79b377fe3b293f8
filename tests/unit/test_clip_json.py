"""What was judged of a clip, in the facts of a decision."""

from __future__ import annotations

import json
import math

import pytest

from culld.journal.clip_json import clip_in, clip_out
from harness.judged_clips import judgement


def test_a_judgement_is_read_back_as_it_was() -> None:
    """By way of JSON; a photo has none."""
    found = judgement(blur=0.25, any=0.5)

    assert clip_in(json.loads(json.dumps(clip_out(found)))) == found
    assert clip_out(None) is None
    assert clip_in(None) is None


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("size", [1920]),
        ("seconds", "ten"),
        ("seconds", math.nan),
        ("rate", True),
        ("transfer", "film"),
        ("verdict", "burn"),
        ("shares", None),
        ("good", ["a", "b"]),
    ],
)
def test_a_value_that_cannot_be_read_leaves_no_judgement(key: str, value: object) -> None:
    """The journal may have been written by another version."""
    known = clip_out(judgement())
    assert known is not None

    assert clip_in(known | {key: value}) is None
