"""Keywords: levels, missing ones, and refused ones."""

from __future__ import annotations

import pytest

from culld.errors import TagRefusedError
from culld.tags.keywords import check_keywords, in_hierarchy, missing_keywords


def test_a_keyword_becomes_a_path_in_a_hierarchy() -> None:
    """Lightroom separates levels with a bar, digiKam with a slash."""
    assert "defect|blur" == in_hierarchy("defect:blur", "|")


def test_only_missing_keywords_are_added() -> None:
    """A keyword of the user is not added again."""
    assert ("c",) == missing_keywords(("a", "c", "c"), ("b", "a"))


@pytest.mark.parametrize("word", ["", " ", "a;b", "a\n", " a", "a ", "a\0", "\udcff"])
def test_keywords_that_programs_would_misread_are_refused(word: str) -> None:
    """XPKeywords separates keywords by semicolons; control characters and surrogates cannot be written as XML."""
    with pytest.raises(TagRefusedError, match="change the keyword prefix"):
        check_keywords([word])
