"""The folders that could not be read completely at the last scan."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Final

from culld.records import display_path

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_MAX_SHOWN: Final = 20

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Failures:
    """The number of entries of one folder that could not be read in one scan, and the reason for the first one."""

    count: int = 0
    reason: str = ""

    def add(self, error: Exception) -> None:
        """Count one more failure."""
        self.count += 1
        self.reason = self.reason or str(error)

    def __str__(self) -> str:
        return f"{self.reason} ({self.count} entries of this folder)" if self.count > 1 else self.reason


@dataclass(slots=True)
class UnreadableFolders:
    """The reason for each folder that is not read completely; a folder is logged once, until it can be read again."""

    reasons: dict[Path, str] = field(default_factory=dict)

    def note(self, folder: Path, reason: str) -> None:
        """Keep the reason why a folder or an entry in it cannot be read; warn if the folder was readable before."""
        if folder not in self.reasons:
            log.warning("%s; the other folders are scanned, and culld tries this one again at each scan", reason)
        self.reasons[folder] = reason

    def clear(self, folder: Path) -> None:
        """Drop the reason of a folder that could be read completely."""
        if self.reasons.pop(folder, None) is not None:
            log.info("%s can be read again", display_path(folder))

    def below(self, folder: Path) -> set[Path]:
        """Return the unreadable folders at or below a folder."""
        return {unread for unread in self.reasons if unread.is_relative_to(folder)}

    def forget(self, folders: Iterable[Path]) -> None:
        """Drop folders that are no longer there."""
        for folder in folders:
            self.reasons.pop(folder, None)

    def as_text(self) -> dict[str, str]:
        """The reasons of the first folders, as text."""
        return {display_path(folder): reason for folder, reason in islice(sorted(self.reasons.items()), _MAX_SHOWN)}

    def __len__(self) -> int:
        return len(self.reasons)
