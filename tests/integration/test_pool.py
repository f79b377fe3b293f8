"""The worker pool, with real processes."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from culld.errors import InternalError, SystemFaultError, WorkerLostError
from culld.inference.pool import Pool
from culld.inference.process_start import Process, start_process
from culld.inference.worker_process import WorkerLimits
from harness import fakes

LIMITS = WorkerLimits(memory=4 << 30, seconds=1.5)


def misbehaving(*items: object) -> list[fakes.Misbehave]:
    """A request for each item."""
    return [fakes.Misbehave(item) for item in items]


@pytest.fixture
def pool() -> Iterator[Pool]:
    """Two workers with fake handlers."""
    pool = Pool(fakes.FakeHandler, 2, LIMITS)
    pool.start()
    yield pool
    pool.stop()


def test_answers_come_in_the_order_of_the_requests(pool: Pool) -> None:
    """Whichever worker is free takes the next request; the order of the answers does not show it."""
    assert pool.map([fakes.Double(item) for item in range(50)]) == [2 * item for item in range(50)]


def test_a_pool_that_starts_in_the_background_answers_when_its_worker_is_ready() -> None:
    """The caller does not wait for the start; a handler that cannot be created fails the request."""
    for create_handler, patience_s in ((fakes.FakeHandler, 60.0), (fakes.broken_handler, 0.1)):
        pool = Pool(create_handler, 1, LIMITS, patience_s=patience_s)
        pool.start_in_background()
        try:
            work = pool.submit([fakes.Double(21)])
            if create_handler is fakes.FakeHandler:
                assert work.results() == [42]
            else:
                with pytest.raises(SystemFaultError, match="the model is gone"):
                    work.results()
        finally:
            pool.stop()


def test_a_crash_costs_one_item(pool: Pool) -> None:
    """The others are answered, and a new worker stands in for the next batch."""
    results = pool.map(misbehaving("a", "crash", "b", "c"))

    assert [str(result) for result in results if not isinstance(result, WorkerLostError)] == ["a", "b", "c"]
    assert isinstance(results[1], WorkerLostError)
    assert pool.map([fakes.Double(1), fakes.Double(2), fakes.Double(3)]) == [2, 4, 6]


def test_a_hang_ends_at_the_time_limit(pool: Pool) -> None:
    """The message names the setting, and the daemon's watchdog was fed meanwhile."""
    beats: list[None] = []

    results = pool.map(misbehaving("hang", "a"), beat=lambda: beats.append(None))

    assert str(results[0]) == "took longer than 1.5 s (limits.time)"
    assert results[1] == "a"
    assert len(beats) >= 2


def test_memory_beyond_the_limit_costs_one_item(pool: Pool) -> None:
    """An allocation beyond `limits.memory` fails inside the worker."""
    results = pool.map(misbehaving("memory", "a"))

    assert isinstance(results[0], WorkerLostError)
    assert results[1] == "a"


def test_an_error_in_the_handler_costs_one_item_and_no_worker(pool: Pool) -> None:
    """The item's result is the error with its reason, and the place in the code is logged once, with the traceback."""
    with fakes.Warnings() as warnings:
        results = pool.map(misbehaving("raise", "a", "raise", "unsendable", "b"))

    assert [str(result) for result in results[:3]] == [
        "internal error: KeyError: 'a mistake'; please report this",
        "a",
        "internal error: KeyError: 'a mistake'; please report this",
    ]
    assert isinstance(results[3], InternalError)
    assert results[4] == "b"
    assert [text for text in warnings.texts if "was lost" in text] == []
    assert len([text for text in warnings.texts if "KeyError" in text and "Traceback" in text]) == 1


def test_a_request_that_cannot_be_sent_costs_that_request(pool: Pool) -> None:
    """It cannot be pickled; the others are answered."""
    results = pool.map(misbehaving("a", lambda: None, "b"))

    assert (results[0], results[2]) == ("a", "b")
    assert isinstance(results[1], InternalError)


def test_a_worker_cannot_write_a_file(pool: Pool, tmp_path: Path) -> None:
    """Untrusted pictures are decoded where nothing can be written."""
    target = tmp_path / "x"

    results = pool.map(misbehaving(f"write {target}"))

    assert str(results[0]).startswith("internal error: OSError: [Errno 27]")
    assert not target.exists() or target.stat().st_size == 0


ORPHANING = """
import os, signal, threading
from harness import fakes
from culld.inference.worker_process import WorkerLimits
from culld.inference.pool import Pool
if __name__ == "__main__":
    pool = Pool(fakes.FakeHandler, 1, WorkerLimits(memory=4 << 30, seconds=1))
    pool.start()
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGKILL)).start()
    pool.map([fakes.Misbehave("spin")])
"""


def test_a_worker_that_never_ends_does_not_outlive_a_killed_daemon_for_long(tmp_path: Path) -> None:
    """Its share of the processor is used up, and the kernel ends it: only then does its output end, too."""
    (tmp_path / "orphaning.py").write_text(ORPHANING)
    environment = os.environ | {"PYTHONPATH": str(Path(fakes.__file__).parents[1])}
    command = [sys.executable, tmp_path / "orphaning.py"]

    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=False, timeout=40)

    assert done.returncode == -signal.SIGKILL


class Shortage:
    """Starts processes, unless the system has no room for one at the moment."""

    def __init__(self) -> None:
        """There is room."""
        self.over = threading.Event()
        self.over.set()
        self.refused = threading.Event()

    def __call__(self, pipe: Connection, create_handler: Callable[[], object], limits: WorkerLimits) -> Process:
        """Start a process, or raise as `fork` does at the limit of `pids`."""
        if not self.over.is_set():
            self.refused.set()
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        return start_process(pipe, create_handler, limits)


TROUBLE = "no worker process can be started: Resource temporarily unavailable; culld tries again"


def test_a_worker_lost_while_no_process_can_be_started_is_replaced_later() -> None:
    """Meanwhile the trouble is reported and the items wait; afterwards the work continues."""
    shortage = Shortage()
    with Pool(fakes.FakeHandler, 1, LIMITS, shortage) as pool:
        shortage.over.clear()
        lost = pool.map(misbehaving("crash"))
        waiting = pool.submit([fakes.Double(1), fakes.Double(2), fakes.Double(3)])
        assert shortage.refused.wait(30)
        await_until(lambda: pool.trouble == TROUBLE)
        shortage.over.set()

        assert waiting.results() == [2, 4, 6]
        assert isinstance(lost[0], WorkerLostError)
        assert pool.trouble == ""


def test_the_other_workers_go_on_while_no_process_can_be_started() -> None:
    """One worker is enough, and no trouble is reported."""
    shortage = Shortage()
    with Pool(fakes.FakeHandler, 2, LIMITS, shortage) as pool:
        shortage.over.clear()
        results = pool.map(misbehaving("crash", *"abcdefgh"))

        assert results[1:] == list("abcdefgh")
        assert pool.trouble == ""


def test_a_worker_that_dies_while_it_is_idle_is_replaced(pool: Pool) -> None:
    """The kernel ends whatever is largest when memory runs out."""
    for pid in pool.map([fakes.ProcessId()] * 2):
        with contextlib.suppress(ProcessLookupError):  # one worker may have answered twice
            os.kill(pid, signal.SIGKILL)

    assert [result for result in pool.map([fakes.Double(item) for item in range(20)]) if isinstance(result, int)]
    assert pool.map([fakes.Double(item) for item in range(20)]) == [2 * item for item in range(20)]


def test_a_pool_that_may_not_wait_for_ever_is_broken_in_the_end() -> None:
    """For `culld once`, which must end."""
    shortage = Shortage()
    with Pool(fakes.FakeHandler, 1, LIMITS, shortage, patience_s=0.5) as pool:
        shortage.over.clear()
        pool.map(misbehaving("crash"))

        with pytest.raises(SystemFaultError, match="Resource temporarily unavailable"):
            pool.map([fakes.Double(1)])


def test_without_a_process_at_the_start_culld_does_not_start() -> None:
    """The service manager tries again."""
    shortage = Shortage()
    shortage.over.clear()

    with pytest.raises(SystemFaultError, match="no worker process can be started: Resource temporarily unavailable"):
        Pool(fakes.FakeHandler, 1, LIMITS, shortage).start()


UPROOTED = """
import os, sys
from harness import fakes
from culld.inference.worker_process import WorkerLimits
from culld.inference.pool import Pool
if __name__ == "__main__":
    with Pool(fakes.FakeHandler, 1, WorkerLimits(memory=4 << 30, seconds=5)) as pool:
        os.rmdir(sys.argv[1])
        print(type(pool.map([fakes.Misbehave("crash")])[0]).__name__, pool.map([fakes.Double(21)]))
"""


def test_a_worker_is_replaced_although_the_working_folder_was_deleted(tmp_path: Path) -> None:
    """As when the terminal from which culld was started stood in a folder that is gone."""
    (tmp_path / "uprooted.py").write_text(UPROOTED)
    folder = tmp_path / "gone"
    folder.mkdir()
    environment = os.environ | {"PYTHONPATH": str(Path(fakes.__file__).parents[1])}
    command = [sys.executable, tmp_path / "uprooted.py", folder]

    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=50)

    assert done.stdout == "WorkerLostError [42]\n", done.stderr


CROWDED = """
import os, resource, sys, threading
from harness import fakes
from culld.inference.worker_process import WorkerLimits
from culld.inference.pool import Pool
if __name__ == "__main__":
    with Pool(fakes.FakeHandler, 1, WorkerLimits(memory=4 << 30, seconds=5)) as pool:
        hard = resource.getrlimit(resource.RLIMIT_NPROC)[1]
        resource.setrlimit(resource.RLIMIT_NPROC, (0, hard))
        lost = pool.map([fakes.Misbehave("crash")])[0]
        waiting = pool.submit([fakes.Double(21)])
        while not pool.trouble:
            threading.Event().wait(0.05)
        print(type(lost).__name__, pool.trouble)
        resource.setrlimit(resource.RLIMIT_NPROC, (hard, hard))
        print(waiting.results())
"""


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="needs root and setpriv")
def test_a_worker_is_replaced_once_the_system_has_room_again(tmp_path: Path) -> None:
    """With the kernel's own limit, for a user to whom it applies and who may read the files of this Python."""
    script = tmp_path / "crowded.py"
    script.write_text(CROWDED)
    environment = os.environ | {"PYTHONPATH": str(Path(fakes.__file__).parents[1])}
    caps = "+dac_override,+dac_read_search"
    other_user = ["setpriv", "--reuid=65534", "--clear-groups", f"--inh-caps={caps}", f"--ambient-caps={caps}"]
    if subprocess.run([*other_user, sys.executable, "-c", ""], check=False, timeout=50).returncode:
        pytest.skip("another user cannot run this Python here")

    done = subprocess.run(
        [*other_user, sys.executable, script], env=environment, capture_output=True, text=True, check=False, timeout=50
    )

    assert done.stdout == f"WorkerLostError {TROUBLE}\n[42]\n", done.stderr


def await_until(true: Callable[[], bool]) -> None:
    """Fail unless it becomes true in time."""
    deadline = time.monotonic() + 40
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_handler_that_cannot_be_created_is_a_system_fault() -> None:
    """The error holds the reason."""
    pool = Pool(fakes.broken_handler, 1, LIMITS)

    with pytest.raises(SystemFaultError, match="the model is gone"):
        pool.start()


def test_a_request_may_take_longer_than_others_if_its_file_needs_it() -> None:
    """The worker names the time; the loss after that time says so."""
    limits = WorkerLimits(memory=4 << 30, seconds=1.0)
    pool = Pool(fakes.FakeHandler, 1, limits)
    pool.start()
    try:
        results = pool.map([fakes.Long(wants_s=60.0, takes_s=1.5), fakes.Long(wants_s=2.0, takes_s=3600.0)])
    finally:
        pool.stop()

    assert [str(result) for result in results] == [
        "done",
        "took longer than 2 s (limits.time and the length of the clip)",
    ]


@pytest.mark.parametrize("wants_s", [float("nan"), float("-inf"), 0.0, "a mistake"])
def test_a_request_that_names_no_possible_time_has_the_usual_one(wants_s: float) -> None:
    """And is answered."""
    pool = Pool(fakes.FakeHandler, 1, LIMITS)
    pool.start()
    try:
        assert pool.map([fakes.Long(wants_s=wants_s, takes_s=0.0)]) == ["done"]
    finally:
        pool.stop()
