"""The brake: stops moves when too many photos are rejected, until `culld resume` or a new policy releases it."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime

    from culld.journal.store import SqliteJournal
    from culld.ports import Clock
    from culld.records import BrakeLimit, Policy, RootedPath

log = logging.getLogger(__name__)

_NOTE: Final = "brake"
MIN_JUDGED: Final = 20
"""The share is taken of at least so many photos, so that a few rejects do not put the brake on."""


class Brake:
    """Counts photos in a sliding window; the journal stores the state of the brake, for restarts and for `status`.

    A photo that is judged again, because it could not be moved, is counted once. `policy` returns the digest of the
    policy in force; another digest releases the brake. `alert` sends an alert to the user.
    """

    def __init__(
        self, journal: SqliteJournal, policy: Callable[[], str], clock: Clock, alert: Callable[[str], object]
    ) -> None:
        """Keep the parts; the journal is read at the first check."""
        self._journal = journal
        self._policy = policy
        self._clock = clock
        self._alert = alert
        self._since: datetime | None = None
        self._window: dict[RootedPath, bool] | None = None

    def check(self, rules: Policy, place: RootedPath, moving: bool) -> str:  # noqa: FBT001 (one of two values of a decision)
        """Count the decision about the photo at `place`; return why it must not be moved, empty if it may be."""
        why = self._stored(rules)
        if rules.brake is None or why:
            return why
        if self._window is None:
            self._window = dict(self._journal.recently_moving(rules.brake.window, self._since))
        self._window.pop(place, None)
        self._window[place] = moving
        while len(self._window) > rules.brake.window:
            del self._window[next(iter(self._window))]
        if why := exceeds_limit(self._window.values(), rules.brake):
            self._write(why)
            log.error("the brake is on: %s", why)
            self._alert(why)
        return why

    def _stored(self, rules: Policy) -> str:
        """Return why the brake is on since an earlier check, else an empty text; a changed policy releases it."""
        stored, at = self._journal.status().get(_NOTE, ("{}", None))
        known = json.loads(stored)
        if known.get("why") and (rules.brake is None or known["policy"] != self._policy()):
            known, at = {}, self._clock.now()
            self._write("")
            log.info("the brake is off: the policy has changed")
        if at != self._since:  # `culld resume` released the brake, or this is the first check
            self._since = at
            self._window = None
        return str(known.get("why", ""))

    def _write(self, why: str) -> None:
        self._journal.set_status(_NOTE, json.dumps({"why": why, "policy": self._policy()}), self._clock.now())


def active_brake(journal: SqliteJournal) -> str:
    """Return why the brake is on; empty if it is off."""
    stored, _ = journal.status().get(_NOTE, ("{}", None))
    return str(json.loads(stored).get("why", ""))


def resume(journal: SqliteJournal, clock: Clock) -> bool:
    """Release the brake, and restart the count; return whether the brake was on."""
    was_on = bool(active_brake(journal))
    if was_on:
        journal.set_status(_NOTE, json.dumps({"why": "", "policy": ""}), clock.now())
    return was_on


def exceeds_limit(recent: Collection[bool], limit: BrakeLimit | None) -> str:
    """Return why no more photos are to be moved, as a clause; empty if the share is within the limit.

    `recent` holds for each of the last judged photos, at most `limit.window`, whether it was to be moved. The limit is
    exceeded when more than the share `limit.max_share` of them was to be moved. The share is taken of at least
    `MIN_JUDGED` photos: of a first import of rejects only, 12 are moved with a share of 0.6.
    """
    moved = sum(recent)
    if limit is None or moved <= limit.max_share * max(len(recent), min(MIN_JUDGED, limit.window)):
        return ""
    return (
        f"{moved} of the last {len(recent)} photos were to be moved, more than the share {limit.max_share:g} that"
        " policy.brake allows; check them, then run `culld resume`"
    )
