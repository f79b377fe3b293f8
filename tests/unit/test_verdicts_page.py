"""The page of what culld does with photographs."""

from __future__ import annotations

from bench.verdicts import Answer, Case, page
from culld.records import Defect

TAGGED = Answer(frozenset({Defect.BLUR}), frozenset(), moved=False)
MOVED = Answer(frozenset({Defect.BLUR}), frozenset({Defect.BLUR}), moved=True)
KEPT = Answer(frozenset(), frozenset(), moved=False)


def lines(cases: list[str], answers: list[Answer]) -> str:
    """The page for photographs of these sets."""
    return "\n".join(page("model@1", [Case(group, b"") for group in cases], answers))


def test_tags_moves_and_sure_probabilities_are_counted_by_set() -> None:
    """A photograph that is moved is tagged as well."""
    shown = lines(["others: blur", "others: blur", "others: blur"], [TAGGED, MOVED, KEPT])

    assert "| others: blur (3) | 2 = 66.7 % (21-94) | 0 = 0.0 % (0-56) | 0 = 0.0 % (0-56) | 1 | 0 | 0 | 1 |" in shown


def test_ordinary_photographs_of_all_sources_are_summed_without_the_hard_kinds() -> None:
    """Nights, high keys and bokeh have rows of their own."""
    shown = lines(["test: one/set", "test: another/set", "test: bokeh"], [TAGGED, KEPT, TAGGED])

    assert "| test: all ordinary (2) | 1 = 50.0 %" in shown
    assert "| test: bokeh (1) | 1 = 100.0 %" in shown
