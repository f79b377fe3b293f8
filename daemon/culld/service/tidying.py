"""Once a day, while nothing else is to do: the digest, the trash, and what the journal need not remember."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from culld.disk.beneath import exists
from culld.errors import PhotoError
from culld.service.digest import digest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from culld.journal.store import SqliteJournal
    from culld.ports import Clock
    from culld.records import Place
    from culld.service.expiry import Expiry

log = logging.getLogger(__name__)

_EVERY: Final = timedelta(days=1)
_NOTE: Final = "tidied"


@dataclass(frozen=True, slots=True)
class Tidying:
    """Tells of the day, and keeps journal and quarantine small.

    Decisions are kept for the time `history`, photos in quarantine for `trash_after`, None for ever. When it was last
    done stands in the journal, for a computer that never runs for a whole day.
    """

    journal: SqliteJournal
    clock: Clock
    history: timedelta | None
    expiry: Expiry | None = None
    trash_after: timedelta | None = None
    tell: Callable[[str], object] = lambda _: None

    def is_due(self) -> bool:
        """Whether a day has passed since the last time."""
        _, at = self.journal.notes().get(_NOTE, ("", None))
        return at is None or self.clock.now() - at >= _EVERY

    def tidy(self, roots: Sequence[Path], beat: Callable[[], None], *, is_quarantine_there: bool = True) -> None:
        """Do all of it; files are looked for in these roots; `beat` is called between the steps."""
        self._digest()
        beat()
        if self.expiry is not None and self.trash_after is not None and is_quarantine_there:
            self.expiry.expire(self.clock.now() - self.trash_after)
            beat()
        if self.history is not None:
            before = self.clock.now() - self.history
            while self.journal.forget_decisions(before):
                beat()
        for root in roots:
            self._forget_files(root, beat)
        self.journal.note(_NOTE, "", self.clock.now())

    def _digest(self) -> None:
        _, at = self.journal.notes().get(_NOTE, ("", None))
        text = digest(self.journal.cases(at or self.clock.now() - _EVERY))
        if text:
            log.info("the last day: %s", text)
            self.tell(text)

    def _forget_files(self, root: Path, beat: Callable[[], None]) -> None:
        last: Place | None = None
        while places := self.journal.judged_files(root, last):
            self.journal.forget_files([place for place in places if _is_gone(place)])
            last = places[-1]
            beat()


def _is_gone(place: Place) -> bool:
    try:
        return not exists(place)
    except PhotoError:  # nobody can tell
        return False
