"""Darktable and digiKam themselves, before and after culld."""

from __future__ import annotations

from pathlib import Path

import pytest

from programs.display import missing
from programs.keywords import TAGGED_INSIDE
from programs.matrix import RATERS, READERS, SETTINGS, cells

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(bool(missing()), reason=f"needs {', '.join(missing())}"),
]


def test_programs_show_the_same_stars_and_keywords_as_before_and_ours(tmp_path: Path) -> None:
    """In every format, by whichever of them the photo was rated, and by either way to tag it."""
    found = list(cells(tmp_path))

    assert len(found) == len(READERS) * len(SETTINGS) * (2 * len(TAGGED_INSIDE) + 2)
    assert [cell for cell in found if not cell.kept] == []
    assert [cell for cell in found if cell.tagged != cell.reachable] == []
    rated = [cell for cell in found if cell.rater != RATERS[1] or cell.reader != READERS[2]]
    assert {(cell.before.stars, *cell.before.words) for cell in rated} == {(4, "Holiday")}
