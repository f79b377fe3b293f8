"""`culld run` from the first lock to the last: replay, workers, timer, signals, loop, orderly stop."""

from __future__ import annotations

import contextlib
import logging
import signal
from typing import TYPE_CHECKING

from culld.host.locks import StateLock
from culld.host.notify import Notifier
from culld.host.scheduling import Timer
from culld.intake.lease import survive_lease_breaks
from culld.intake.marks import Marks, Signal
from culld.service.daemon import Daemon
from culld.service.opening import open_journal, prepare_folders
from culld.service.wiring import open_pool

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from culld.config import Config

log = logging.getLogger(__name__)


def serve(path: Path, config: Config, environ: Mapping[str, str]) -> None:
    """Serve until a stop is asked for; raises SystemFaultError if something that every photo needs is broken."""
    survive_lease_breaks()
    notifier = Notifier.from_environ(environ)
    prepare_folders(config)
    with contextlib.ExitStack() as stack:
        stack.enter_context(StateLock(config.state))
        journal = stack.enter_context(contextlib.closing(open_journal(config)))
        pool = open_pool(config)
        stack.callback(pool.stop)
        pool.start()
        daemon = Daemon(config, path, journal, pool, notifier)
        _listen_to_signals(daemon.marks)
        timer = Timer()
        timer.every(config.rescan, lambda: daemon.marks.put(Signal.RESCAN))
        timer.start()
        stack.callback(timer.stop)
        daemon.run(environ)


def _listen_to_signals(marks: Marks) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: marks.put(Signal.STOP))
    signal.signal(signal.SIGHUP, lambda *_: marks.put(Signal.RELOAD))
    signal.signal(signal.SIGUSR1, lambda *_: marks.put(Signal.RESCAN))
