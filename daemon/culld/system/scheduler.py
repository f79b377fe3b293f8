"""Periodic calls; the only module that imports APScheduler."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta


class Scheduler:
    """Calls functions at intervals on a thread of its own, from `start` to `stop`.

    The functions must only put a wake-up on the loop's queue: a slow one would delay the others.
    """

    def __init__(self) -> None:
        """Schedule nothing yet."""
        self._scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(1)},
            # The defaults would drop a call that is more than a second late, such as after a suspend, and make up for
            # a long sleep with a burst of calls.
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
            timezone=UTC,
        )

    def every(self, interval: timedelta, call: Callable[[], object], *, name: str) -> None:
        """Call a function each `interval`, the first time after one interval; the same `name` again replaces it."""
        trigger = IntervalTrigger(seconds=interval.total_seconds(), timezone=UTC)
        self._scheduler.add_job(call, trigger, id=name, name=name, replace_existing=True)

    def start(self) -> None:
        """Start the thread."""
        self._scheduler.start()

    def stop(self) -> None:
        """Stop calling, and wait for a call that is running."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)
