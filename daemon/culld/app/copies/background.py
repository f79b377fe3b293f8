"""Repaired copies in the loop of the daemon: one repair at a time, in a process of its own, while no photo waits."""

from __future__ import annotations

import logging
import math
from functools import partial
from typing import TYPE_CHECKING, Final

from culld.app.copies.making import Making, OfflineError
from culld.app.enhance import settings_of
from culld.app.enhance_messages import EnhanceRequest
from culld.errors import ConfigError, PhotoError, SystemFaultError
from culld.files.mount_guard import MountGuard
from culld.records import CopyPolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from culld.app.build import Builder
    from culld.app.copies.making import Case
    from culld.app.copies.repairer import Repairer
    from culld.app.enhance_messages import Enhanced
    from culld.records import RecordedCopy
    from culld.unexpected import UnexpectedErrors

log = logging.getLogger(__name__)

_MOST_REFUSED: Final = 16
"""So many copies at most end without a repair in one step of the loop."""
_FAULT_PAUSE_S: Final = 600.0
"""How long no photo is repaired after the worker process could not be started, in seconds."""
_OFFLINE_PAUSE_S: Final = 60.0
"""The same after a folder was found to be offline; the next rescan tells the loop which ones are."""


class Copies:
    """Asks for copies of the photos that the policy rejects, and makes the copies that wait.

    `more`: another step can be taken at once.
    """

    def __init__(self, builder: Builder, unexpected: UnexpectedErrors, repairer: Repairer) -> None:
        """Start nothing; `unexpected` logs undeclared exceptions."""
        self.more = False
        self._builder = builder
        self._journal = builder.journal
        self._unexpected = unexpected
        self._repairer = repairer
        self._making = Making(builder)
        self._current: Case | None = None
        self._policies: frozenset[str] = frozenset()
        self._looked_at = 0
        self._paused_until = -math.inf

    @property
    def wait_s(self) -> float:
        """How long the loop may sleep, in seconds: a second while a photo is repaired."""
        return 0.0 if self.more else self._repairer.wait_s

    def close(self) -> None:
        """End the worker process, if there is one; a photo that is being repaired waits for the next start."""
        self._current = None
        self._repairer.close()

    def step(self, roots: Sequence[Path], *, is_quarantine_there: bool, is_idle: bool) -> None:
        """Take the answer of the worker, and give it the next photo; return at once.

        `roots` are the watched folders that are there; without the quarantine all copies wait. Unless `is_idle`, only
        copies that people asked for are begun.
        """
        self.more = False
        with self._unexpected.tolerated("making repaired copies"):
            self._ask()
            self._recover()
            self._take(self._repairer.answer)
            is_due = self._builder.clock.monotonic() >= self._paused_until
            if self._current is None and is_due and is_quarantine_there:
                self.more = self._begin_next(roots, is_idle=is_idle)
            self._repairer.rest()

    def waiting(self) -> list[RecordedCopy]:
        """Ask for the copies of rejected photos; return those that can be made now."""
        self._ask()
        self._recover()
        config, guard = self._builder.config, MountGuard(self._journal)
        roots = [watch.path for watch in config.watch if not guard.unavailable_reason(watch.path)]
        return self._journal.next_copies(roots, config.quarantine, -1)

    def make(self, copy: RecordedCopy) -> None:
        """Make a copy, and wait for it; after the loss of a worker it waits for the next call."""
        with self._unexpected.tolerated("making a repaired copy"):
            if self._begin(copy):
                self._take(partial(self._repairer.wait, self._builder.heartbeat))

    def _ask(self) -> None:
        """Ask for copies of the photos that were rejected since the last step, by a policy that wants it."""
        found = (self._builder.policies.of(watch.path) for watch in self._builder.config.watch)
        policies = frozenset(policy.digest for policy in found if policy.enhance is CopyPolicy.REJECTS)
        if policies != self._policies:
            self._policies, self._looked_at = policies, 0
        if policies:
            self._looked_at = self._journal.ask_for_rejected(policies, self._looked_at)

    def _recover(self) -> None:
        for copy in self._journal.begun_copies():
            self._making.recover(copy)

    def _take(self, ask: Callable[[], Enhanced | PhotoError | None]) -> None:
        """Finish the copy of the photo that was repaired, if the answer is there."""
        case = self._current
        if case is None:
            return
        try:
            answer = ask()
        except SystemFaultError as error:
            self._pause(error, _FAULT_PAUSE_S)
            return
        if answer is None:
            return
        self._current = None
        done = self._unexpected.attempt("making a repaired copy", partial(self._making.finish, case, answer))
        if isinstance(done, OfflineError):
            self._pause(done, _OFFLINE_PAUSE_S)
        elif isinstance(done, PhotoError):
            self._making.give_up(case.copy, done)

    def _begin_next(self, roots: Sequence[Path], *, is_idle: bool) -> bool:
        """Give the next photo to the worker; return whether more copies may end at once."""
        quarantine = self._builder.config.quarantine
        for copy in self._journal.next_copies(roots, quarantine, _MOST_REFUSED):
            if not (is_idle or copy.by_person) or self._begin(copy):
                return False
        return bool(self._journal.next_copies(roots, quarantine, 1))

    def _begin(self, copy: RecordedCopy) -> bool:
        """Begin the repair for a copy; return False if it ended without one."""
        case = self._unexpected.attempt("preparing a repaired copy", partial(self._making.prepare, copy))
        if isinstance(case, OfflineError):
            self._pause(case, _OFFLINE_PAUSE_S)
            return True
        if isinstance(case, PhotoError):
            self._making.give_up(copy, case)
            return False
        if case is None:
            return False
        try:
            self._submit(case)
        except (ConfigError, SystemFaultError) as error:
            self._pause(error, _FAULT_PAUSE_S)
        else:
            self._current = case
        return True

    def _submit(self, case: Case) -> None:
        policy = self._builder.policies.of(case.place.root)
        self._repairer.submit(EnhanceRequest(case.photo), settings_of(self._builder.config, policy))

    def _pause(self, error: Exception, seconds: float) -> None:
        log.warning("no repaired copies are made for %.0f s: %s", seconds, error)
        self._current = None
        self._paused_until = self._builder.clock.monotonic() + seconds
