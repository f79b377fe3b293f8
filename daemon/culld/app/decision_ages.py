"""The age of decisions by counted time, which the journal stores: old ones are forgotten, or their photos trashed."""

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
    "; no photo is put into the trash and no decision is forgotten until the clock is right again, or has been steady"
    " for 24 hours: check it with `timedatectl`"
)


@dataclass(frozen=True, slots=True)
class DecisionAges:
    """Reads the clocks and counts time; `alert` is called with the reason when the wall clock becomes doubtful."""

    journal: SqliteJournal
    clock: Clock
    alert: Callable[[str], object] = lambda _: None

    def observe(self) -> Elapsed:
        """Add the time since the last call, and return the counted time; raises SystemFaultError if the journal fails.

        Call it at the start and each hour: the age of a decision begins at the first call after it.
        """
        reading = Reading(self.clock.now(), self.clock.boot(), self.clock.uptime())
        before = self._kept() or Elapsed.begin(reading)
        found = before.at(reading).marked(self.journal.last_number())
        self.journal.set_status(_NOTE, json.dumps(to_json(found)), reading.wall)
        if found.why and not before.why:
            log.warning("%s%s", found.why, _MEANING)
            self.alert(found.why + _MEANING)
        if before.why and not found.why:
            log.info("the clock of this machine is trusted again")
        return found

    def _kept(self) -> Elapsed | None:
        kept, _ = self.journal.status().get(_NOTE, ("", None))
        if not kept:
            return None
        try:
            return from_json(json.loads(kept))
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            log.warning("the counted time in the journal cannot be read, counting starts from zero: %s", error)
            return None


def clock_doubt(journal: SqliteJournal) -> str:
    """Return why the wall clock is in doubt, and the consequence; empty if it is not in doubt."""
    kept, _ = journal.status().get(_NOTE, ("{}", None))
    why = str(json.loads(kept).get("why", ""))
    return why and why + _MEANING
