"""Byte edits and their inverse."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from culld.errors import TagRefusedError
from culld.files.rewrite import inverse
from culld.records import Edit
from culld.tags.edits import apply_edits


@st.composite
def data_and_edits(draw: st.DrawFn) -> tuple[bytes, list[Edit]]:
    """Any bytes, with any edits that fit them."""
    data = draw(st.binary(max_size=60))
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=8)))
    spans = zip(cuts[::2], cuts[1::2], strict=False)
    return data, [Edit(start, data[start:end], draw(st.binary(max_size=9))) for start, end in spans]


@given(data_and_edits())
def test_the_inverse_leads_back_to_the_old_bytes(case: tuple[bytes, list[Edit]]) -> None:
    """Applying edits and then their inverse is the identity, and the inverse of the inverse is the edits."""
    data, edits = case

    assert data == apply_edits(apply_edits(data, edits), inverse(edits))
    assert tuple(edits) == inverse(inverse(edits))


def test_edits_replace_insert_and_remove() -> None:
    """Offsets count in the old bytes."""
    edits = [Edit(0, b"", b">"), Edit(1, b"bc", b""), Edit(4, b"e", b"EEE")]

    assert b">adEEEf" == apply_edits(b"abcdef", edits)


@pytest.mark.parametrize(
    "edits",
    [
        [Edit(1, b"x", b"")],
        [Edit(5, b"f!", b"")],
        [Edit(9, b"", b"late")],
        [Edit(3, b"", b"1"), Edit(2, b"", b"2")],
        [Edit(1, b"bcd", b""), Edit(2, b"c", b"")],
    ],
    ids=["other bytes", "beyond the end", "behind the end", "out of order", "overlapping"],
)
def test_edits_that_do_not_fit_are_refused(edits: list[Edit]) -> None:
    """Nothing is spliced into bytes that are not the expected ones."""
    with pytest.raises(TagRefusedError, match="no longer fit"):
        apply_edits(b"abcdef", edits)
