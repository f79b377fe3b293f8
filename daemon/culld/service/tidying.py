"""Once a day, while nothing else is to do: the journal forgets what nobody needs any more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from culld.disk.beneath import exists
from culld.errors import PhotoError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from culld.journal.store import SqliteJournal
    from culld.ports import Clock
    from culld.records import Place

_EVERY: Final = timedelta(days=1)
_NOTE: Final = "tidied"


@dataclass(slots=True)
class Tidying:
    """Keeps the journal small; decisions are kept for the time `history`, None for ever.

    When it was last done stands in the journal, for a computer that never runs for a whole day.
    """

    journal: SqliteJournal
    history: timedelta | None
    clock: Clock
    _due: float = 0.0

    def is_due(self) -> bool:
        """Whether a day has passed since the last time."""
        if self.clock.monotonic() < self._due:
            return False
        self._due = self.clock.monotonic() + _EVERY.total_seconds() / 24
        _, at = self.journal.notes().get(_NOTE, ("", None))
        return at is None or self.clock.now() - at >= _EVERY

    def tidy(self, roots: Sequence[Path], beat: Callable[[], None]) -> None:
        """Forget old decisions, and the files that are gone from these roots; `beat` is called between the steps."""
        if self.history is not None:
            before = self.clock.now() - self.history
            while self.journal.forget_decisions(before):
                beat()
        for root in roots:
            last: Place | None = None
            while places := self.journal.judged_files(root, last):
                self.journal.forget_files([place for place in places if _is_gone(place)])
                last = places[-1]
                beat()
        self.journal.note(_NOTE, "", self.clock.now())


def _is_gone(place: Place) -> bool:
    try:
        return not exists(place)
    except PhotoError:  # nobody can tell
        return False
