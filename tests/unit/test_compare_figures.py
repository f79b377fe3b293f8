"""The comparison of new figures with the written ones."""

from __future__ import annotations

from typing import Any

import pytest

from bench.accuracy.compare_figures import differences

WRITTEN: dict[str, Any] = {
    "scenes": 100,
    "linear": {"pictures": 400, "exact_match": 0.97, "blur": {"f1": 0.96, "true_positive": 90}},
    "clean": {"bokeh": {"pictures": 12, "tagged": {"blur": 1}}},
}


def changed(**linear: object) -> dict[str, Any]:
    """The figures with another linear protocol."""
    return {**WRITTEN, "linear": {**WRITTEN["linear"], **linear}}


def test_the_same_figures_agree() -> None:
    """There is no line."""
    assert differences(WRITTEN, WRITTEN) == []


@pytest.mark.parametrize("figure", [0.96, 0.98, 0.9651])
def test_a_hundredth_is_agreement(figure: float) -> None:
    """In either direction, the hundredth itself included."""
    assert differences(WRITTEN, changed(exact_match=figure)) == []


def test_more_than_a_hundredth_is_named_with_its_place() -> None:
    """The text names the protocol, the head and the figure."""
    found = differences(WRITTEN, changed(exact_match=0.9599, blur={"f1": 0.5, "true_positive": 90}))

    assert found == ["linear, exact_match: was 0.97, is 0.9599", "linear, blur, f1: was 0.96, is 0.5"]


@pytest.mark.parametrize(("count", "agree"), [(94, True), (86, True), (95, False)])
def test_a_count_is_a_share_of_its_pictures(count: int, agree: bool) -> None:  # noqa: FBT001 - one case of a table
    """Four of 400 are a hundredth."""
    assert agree is not bool(differences(WRITTEN, changed(blur={"f1": 0.96, "true_positive": count})))


def test_among_few_photos_one_is_a_difference() -> None:
    """One of twelve is more than a hundredth."""
    now = {**WRITTEN, "clean": {"bokeh": {"pictures": 12, "tagged": {"blur": 2}}}}

    assert differences(WRITTEN, now) == ["clean, bokeh, tagged, blur: was 1, is 2"]


def test_other_pictures_are_a_difference() -> None:
    """Figures about other numbers of photos are other figures."""
    assert differences(WRITTEN, {**WRITTEN, "scenes": 101}) == ["scenes: was 100, is 101"]


def test_a_figure_on_one_side_only_is_a_difference() -> None:
    """A new figure and a lost one are both reported."""
    lost = {key: value for key, value in WRITTEN.items() if key != "clean"}

    assert differences(WRITTEN, lost) == ["clean: is gone"]
    assert differences(lost, WRITTEN) == ["clean: is new"]
