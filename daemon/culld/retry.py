"""When culld tries something again: the times with their reasons, and the functions that compute a delay from them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

RETRY_AFTER: Final = timedelta(minutes=1)
"""The first delay after a failure over a photo: a full disk or a lost permission is seldom repaired sooner."""

LONGEST_DELAY: Final = timedelta(hours=1)
"""The doubled delays end here: a photo is judged within an hour of the repair, and the log stays short."""

FARTHEST_TRY: Final = timedelta(days=1)
"""No delay is longer; a try that is due later was stored under a clock that was ahead, and is due now."""

MAX_TRIES: Final = 3
"""After so many internal errors over a photo, or lost workers, it is not tried again until it changes.

One failure may come from the machine, as when memory is short; three of them come from the photo.
"""

DEFERRED_FOR: Final = timedelta(seconds=15)
"""The delay for a photo that is deferred: what it waits for, such as the rest of its series, comes within seconds."""

NAME_TAKEN_RETRY_AFTER: Final = timedelta(seconds=1)
"""The delay after a name was taken in the last moment: the next plan chooses a free name, so it need not wait."""

TOO_LARGE_RETRY_AFTER: Final = timedelta(days=1)
"""The delay for a file above `limits.file_size`: only a changed file or a changed limit helps."""

RECHECK_AGES: Final = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30))
"""How long after its last change a damaged file is read again; after the last time it counts as unreadable.

A copy over a bad line may pause for minutes in the middle of a file, quiet and closed.
"""

START_RETRY_AFTER: Final = timedelta(seconds=1)
"""The first delay after a worker process could not be started: a shortage may be over at once."""

LONGEST_START_DELAY: Final = timedelta(seconds=30)
"""The doubled delays between starts end here: no photo is judged meanwhile."""

LOCK_TRIES: Final = 5
"""A process that only asks whether a folder is locked holds the lock for a moment, so one refusal proves nothing."""

LOCK_RETRY_AFTER_S: Final = 0.02
"""The delay between two tries for a lock, in seconds: longer than such a question takes."""

SCAN_BACKOFF: Final = 20
"""A folder is not scanned again for this many times the duration of its last scan, so scans take 5 % of the time."""

LONGEST_SCAN_DELAY_S: Final = 30.0
"""A new photo in a folder that is slow to scan waits no longer than this, in seconds."""

ERROR_PAUSE_S: Final = 1.0
"""The loop sleeps at least so long after an unexpected error, in seconds; a lasting one must not use up the CPU."""

_MOST_DOUBLINGS: Final = 10


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Why a try failed, and how long to wait for the next one: twice as long after each failure, up to an hour.

    A wait that is longer from the start stays as it is, up to a day, and so does a `steady` one. After `last` failures
    there are no more tries.
    """

    reason: str
    retry_after: timedelta
    steady: bool = False
    last: int | None = None

    def wait(self, tries: int) -> timedelta | None:
        """Return how long to wait after so many failures in a row; None for no other try until the file changes."""
        if self.last is not None and tries >= self.last:
            return None
        delay = self.retry_after if self.steady else doubled_delay(self.retry_after, tries, LONGEST_DELAY)
        return min(delay, FARTHEST_TRY)


def doubled_delay(first: timedelta, failures: int, longest: timedelta) -> timedelta:
    """Return the delay after 1 or more failures in a row: `first`, then twice as long each time, up to `longest`.

    A `first` that is above `longest` stays as it is.
    """
    grown: timedelta = first * 2 ** min(failures - 1, _MOST_DOUBLINGS)
    return max(first, min(grown, longest))


def recheck_delay(age: timedelta) -> timedelta | None:
    """Return the delay until a damaged file of this age is read again; None if it counts as unreadable.

    The age is the time since its last change. A negative one, from a clock that was set, counts as zero.
    """
    age = max(age, timedelta())
    return next((look - age for look in RECHECK_AGES if look > age), None)


def scan_delay_s(duration_s: float) -> float:
    """Return how many seconds to wait before the next scan of a folder, by the duration of its last one in seconds."""
    return min(SCAN_BACKOFF * duration_s, LONGEST_SCAN_DELAY_S)
