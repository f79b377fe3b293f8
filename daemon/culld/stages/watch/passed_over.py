"""The pictures in the watched folders whose format culld does not read; each format is logged once."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PassedOver:
    """How many pictures each folder has by extension, such as `.bmp`, as of its last scan."""

    _folders: dict[Path, Counter[str]] = field(default_factory=dict)
    _told: set[str] = field(default_factory=set)

    def note(self, folder: Path, found: Counter[str]) -> None:
        """Keep the counts of a folder that was scanned; log each extension that is new."""
        self._folders.pop(folder, None)
        if found:
            self._folders[folder] = found
        for extension in sorted(found.keys() - self._told):
            log.info("%s files are passed over: culld does not read them; see `culld doctor`", extension)
            self._told.add(extension)

    def counts(self) -> Counter[str]:
        """Return the counts by extension in all folders."""
        return sum(self._folders.values(), Counter())


def sentence(counts: Mapping[str, int]) -> str:
    """Return how many pictures are passed over, as a clause; empty if there is none."""
    if not counts:
        return ""
    total, kinds = sum(counts.values()), ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
    return f"{total} {'picture' if total == 1 else 'pictures'} passed over, whose format culld does not read: {kinds}"
