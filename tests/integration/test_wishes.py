"""Wishes of people, from their files to real photos: with a real journal, real tags and real restores."""

from __future__ import annotations

from pathlib import Path

import pytest

from culld.records import BY_PERSON, ItemState, ReviewState, Verdict, WishKind
from harness.review_house import ReviewHouse, done


@pytest.fixture
def house(tmp_path: Path) -> ReviewHouse:
    """Three photos: one was kept, one tagged, one moved."""
    return ReviewHouse(tmp_path).build()


def test_each_photo_has_its_state(house: ReviewHouse) -> None:
    """And the folder of wishes exists."""
    states = [house.state(name) for name in house.scores]

    assert states == [ReviewState.KEPT, ReviewState.TAGGED, ReviewState.REJECTED]
    assert house.wishes.stat().st_mode & 0o7777 == 0o750


def test_a_rejected_photo_is_restored_bit_for_bit(tmp_path: Path) -> None:
    """It has its old bytes, and culld never moves it again; the file of the wish is gone."""
    house = ReviewHouse(tmp_path)
    house.build("observe")
    before = {name: data for name, data in house.files().items() if name == "gone.jpg"}
    house.set_policy()
    assert before

    assert house.state("gone.jpg") is ReviewState.TAGGED
    assert house.carry_out(WishKind.REJECT, "gone.jpg") == done(1)
    assert house.carry_out(WishKind.RESTORE, "gone.jpg") == done(1)

    assert house.state("gone.jpg") is ReviewState.RESTORED
    assert "gone.jpg" in house.photos("inbox")
    assert list(house.wishes.iterdir()) == []
