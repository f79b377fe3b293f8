"""What a photo program shows of a photo."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Shown:
    """Stars and keywords."""

    stars: int
    words: frozenset[str]

    def __str__(self) -> str:
        """As the table of results has it."""
        return " ".join([str(self.stars), *sorted(self.words)])
