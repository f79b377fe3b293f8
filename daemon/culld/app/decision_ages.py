"""Which decisions are old enough to be forgotten or thrown away; the counted time is kept in the journal."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from culld.app.elapsed import Elapsed, Reading, from_json, to_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from culld.journal.store import SqliteJournal
    from culld.ports import Clock

log = logging.getLogger(__name__)

_NOTE: Final = "elapsed"
_MEANING: Final = (
    "; nothing is put into the trash or forgotten until the clock is right again, or has been steady for 24 hours:"
    " check it with `timedatectl`"
)


@dataclass(frozen=True, slots=True)
class DecisionAges:
    """Reads the clocks and counts time; `alert` is called when the wall clock is in doubt."""

    journal: SqliteJournal
    clock: Clock
    alert: Callable[[str], object] = lambda _: None

    def observe(self) -> Elapsed:
        """Count the time since the last call; raises SystemFaultError if the journal fails.

        To be called at the start and each hour: a decision counts from the first call after it.
        """
        reading = Reading(self.clock.now(), self.clock.boot(), self.clock.uptime())
        before = self._kept() or Elapsed.begin(reading)
        found = before.at(reading).marked(self.journal.last_number())
        self.journal.set_status(_NOTE, json.dumps(to_json(found)), reading.wall)
        if found.why and not before.why:
            log.warning("%s%s", found.why, _MEANING)
            self.alert(found.why + _MEANING)
        if before.why and not found.why:
            log.info("the clock of this machine is believed again")
        return found

    def _kept(self) -> Elapsed | None:
        kept, _ = self.journal.status().get(_NOTE, ("", None))
        if not kept:
            return None
        try:
            return from_json(json.loads(kept))
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            log.warning("the time counted so far cannot be read, so it is counted from now on: %s", error)
            return None


def clock_doubt(journal: SqliteJournal) -> str:
    """Why the wall clock is in doubt, and what that means; empty if it is not."""
    kept, _ = journal.status().get(_NOTE, ("{}", None))
    why = str(json.loads(kept).get("why", ""))
    return why and why + _MEANING
