"""How long a damaged file is given to become whole: pure, by its age.

A copy over a bad line may rest for minutes in the middle of a file, quiet and closed.
"""

from __future__ import annotations

from datetime import timedelta

RECHECK_AGES = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30))
"""How long after its last change a damaged file is looked at again; after the last look it is called unreadable."""


def recheck_delay(age: timedelta) -> timedelta | None:
    """How long to wait for the next look at a damaged file that last changed so long ago; None for no longer.

    A change that seems to lie in the future, by a clock that was set, counts as one of this moment.
    """
    age = max(age, timedelta())
    return next((look - age for look in RECHECK_AGES if look > age), None)
