"""The words that people find in their photo program; which ones a photo gets is for the policy to say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from culld.errors import TagRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable


def in_hierarchy(keyword: str, separator: str) -> str:
    """The keyword as a path of levels: `defect|blur` for Lightroom's list, `defect/blur` for digiKam's."""
    return keyword.replace(":", separator)


def missing_keywords(wanted: Iterable[str], present: Iterable[str]) -> tuple[str, ...]:
    """Those of the wanted words that are not there yet, each once, in order."""
    there = set(present)
    return tuple(word for word in dict.fromkeys(wanted) if word not in there)


def check_keywords(words: Iterable[str]) -> None:
    """Refuse words that some program would read as two, as none, or not as text."""
    for word in words:
        if not word.isprintable() or ";" in word or not word.strip() or word != word.strip():
            raise TagRefusedError(
                f"{word!r} cannot be a keyword: use printable characters without a semicolon and without blanks "
                "at either end; change the keyword prefix in the configuration"
            )
