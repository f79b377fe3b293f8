"""The rule language."""

from __future__ import annotations

import pickle
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from culld.rules import VARIABLES, parse

NOTHING = dict.fromkeys(VARIABLES)


@pytest.mark.parametrize(
    ("text", "facts", "expected"),
    [
        ("blur > 0.8 and iso < 6400", {"blur": 0.9, "iso": 400}, True),
        ("blur > 0.8 and iso < 6400", {"blur": 0.9, "iso": 6400}, False),
        ("0.2 < blur <= 0.5", {"blur": 0.5}, True),
        ("0.2 < blur <= 0.5", {"blur": 0.2}, False),
        ('camera == "x100v" or hour in (22, 23)', {"camera": "X100V", "hour": 3}, True),
        ('extension not in ["jpg", "png"]', {"extension": "JPG"}, False),
        ('"night" in folder', {"folder": "2026/Night walk"}, True),
        ("not raw", {"raw": False}, True),
        ("raw == True", {"raw": True}, True),
        ("bias < -1 / 3", {"bias": -0.4}, True),
        ("blur + under * 2 - over > 1", {"blur": 0.5, "under": 0.5, "over": 0.1}, True),
    ],
)
def test_conditions_have_the_meaning_of_python(text: str, facts: dict[str, object], expected: object) -> None:
    """As in Python; texts without regard to case."""
    assert parse(text).holds(NOTHING | facts) is expected


@pytest.mark.parametrize(
    "text",
    ["iso > 100", "not iso > 100", "iso > 100 and not raw", 'camera != "x"', "iso / 0 > 1", "iso in (1, 2)"],
)
def test_what_hangs_on_an_unknown_fact_does_not_hold(text: str) -> None:
    """Neither the condition nor its opposite."""
    assert not parse(text).holds(NOTHING | {"raw": False})


def test_an_unknown_fact_does_not_hinder_a_known_one() -> None:
    """Unknown or true is true; unknown and false is false."""
    assert parse("iso > 100 or raw").holds(NOTHING | {"raw": True})
    assert parse("not (iso > 100 and raw)").holds(NOTHING | {"raw": False})


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("isoo > 3", "column 1: isoo is not known; did you mean iso? known are blur, under,"),
        ("blur > 0.5 and colour > 3", "column 16: colour is not known"),
        ("blur >", "column 7: not understood"),
        ("", "not understood"),
        ("blur", "column 1: the condition is a number, which is never true or false"),
        ("blur > 'x'", "column 8: 'x' is a text, but a number is needed here"),
        ("camera > 'x'", "column 1: camera is a text, and only numbers have an order"),
        ("blur and raw", "column 1: blur is a number, but true or false is needed here"),
        ("__import__('os')", "column 1: \"__import__('os')\" is not allowed"),
        ("camera.upper() == 'X'", "is not allowed"),
        ("[x for x in (1,2)] == 1", "is not allowed"),
        ("blur ** 9 > 1", "is not allowed"),
        ("(lambda: raw)()", "is not allowed"),
        ("blur if raw else over", "is not allowed"),
        ("f'{blur}' == 'x'", "is not allowed"),
        ("blur is 1", "only < <= > >= == != in and not in compare here"),
        ("blur in 3", "column 9: `in` needs a list such as"),
        ("blur in (1, 'x')", "column 13: 'x' is a text"),
        ("blur > 9" + "9" * 30, "is not allowed"),
        ("(" * 240 + "raw" + ")" * 240, "not understood"),
        ("raw or " * 100 + "raw", "a condition may have 500 characters, this one has 703"),
    ],
)
def test_a_mistake_is_reported_with_its_column(text: str, complaint: str) -> None:
    """And with what may stand there."""
    with pytest.raises(ValueError, match=re.escape(complaint)):
        parse(text)


@given(st.text(alphabet="blurisoand orwt<>=()0123456789.'\"[],+-*/ ", max_size=60))
def test_any_text_is_taken_or_refused_with_a_message(text: str) -> None:
    """No other error comes out."""
    try:
        found = parse(text)
    except ValueError:
        return
    assert found.holds(NOTHING | {"blur": 0.5, "raw": True}) in {True, False}


def test_a_condition_can_cross_to_a_worker() -> None:
    """With the rules that it is part of."""
    expression = parse("blur > 0.5")

    assert pickle.loads(pickle.dumps(expression)) == expression  # noqa: S301 (our own bytes)
