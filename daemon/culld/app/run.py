"""The use case `run`: take the lock, open journal and workers, start the timers, run the loop until a signal."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
from datetime import timedelta
from typing import TYPE_CHECKING

from culld import __version__
from culld.app.daemon import Daemon
from culld.app.engine_pool import open_pool
from culld.app.service_status import ServiceStatus
from culld.app.startup import open_journal
from culld.clock import SystemClock
from culld.files.locks import state_lock
from culld.records import display_path
from culld.stages.watch.signals import LoopQueue, Signal
from culld.system.scheduler import Scheduler
from culld.system.sd_notify import Notifier, watchdog_seconds

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from culld.config import Config

log = logging.getLogger(__name__)

_PROBE = timedelta(seconds=30)
_HOUSEKEEPING = timedelta(hours=1)
"""How often the daemon checks whether the daily housekeeping is due."""


def serve(path: Path, config: Config, environ: Mapping[str, str]) -> None:
    """Run the daemon until SIGTERM or SIGINT; raises SystemFaultError if the journal, a folder or the model fails."""
    path = path.absolute()  # the current folder may be deleted later
    log.info("culld %s starts with the configuration %s", __version__, display_path(path))
    queue = LoopQueue()
    _listen_to_signals(queue)
    with contextlib.ExitStack() as stack:
        stack.enter_context(state_lock(config.state))
        journal = stack.enter_context(open_journal(config))
        pool = stack.enter_context(open_pool(config, patient=True))
        service_status = ServiceStatus(Notifier.of(environ), watchdog_seconds(environ, os.getpid()), SystemClock())
        daemon = Daemon(config, path, journal, pool, service_status, queue)
        schedule = Scheduler()
        schedule.every(config.rescan, lambda: queue.put(Signal.RESCAN), name="rescan")
        schedule.every(_PROBE, lambda: queue.put(Signal.PROBE), name="probe")
        schedule.every(_HOUSEKEEPING, lambda: queue.put(Signal.HOUSEKEEPING), name="housekeeping")
        schedule.start()
        stack.callback(schedule.stop)
        daemon.run(environ)


def _listen_to_signals(queue: LoopQueue) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: queue.put(Signal.STOP))
    signal.signal(signal.SIGHUP, lambda *_: queue.put(Signal.RELOAD))
    signal.signal(signal.SIGUSR1, lambda *_: queue.put(Signal.RESCAN))
