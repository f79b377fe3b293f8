"""The worker pool, with real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import fakes
from culld.errors import InternalError, SystemFaultError, WorkerLostError
from culld.model.worker import WorkerLimits
from culld.model.workers import Pool

LIMITS = WorkerLimits(memory=4 << 30, seconds=1.5)


@pytest.fixture
def pool() -> Iterator[Pool]:
    """Two workers at fake desks."""
    pool = Pool(fakes.FakeDesk, 2, LIMITS)
    pool.start()
    yield pool
    pool.stop()


def test_results_come_in_the_order_of_the_items(pool: Pool) -> None:
    """Whichever worker is free takes the next item; the order of the answers does not show it."""
    assert pool.map("double", list(range(50))) == [2 * item for item in range(50)]


def test_a_crash_costs_one_item(pool: Pool) -> None:
    """The others are answered, and a new worker stands in for the next batch."""
    results = pool.map("misbehave", ["a", "crash", "b", "c"])

    assert [str(result) for result in results if not isinstance(result, WorkerLostError)] == ["a", "b", "c"]
    assert isinstance(results[1], WorkerLostError)
    assert pool.map("double", [1, 2, 3]) == [2, 4, 6]


def test_a_hang_ends_at_the_time_limit(pool: Pool) -> None:
    """The message names the setting, and the daemon's watchdog was fed meanwhile."""
    beats: list[None] = []

    results = pool.map("misbehave", ["hang", "a"], beat=lambda: beats.append(None))

    assert str(results[0]) == "took longer than 1.5 s (limits.seconds)"
    assert results[1] == "a"
    assert len(beats) >= 2


def test_memory_beyond_the_limit_costs_one_item(pool: Pool) -> None:
    """An allocation beyond `limits.memory` fails inside the worker."""
    results = pool.map("misbehave", ["memory", "a"])

    assert isinstance(results[0], WorkerLostError)
    assert results[1] == "a"


def test_an_error_in_the_desk_costs_one_item_and_no_worker(pool: Pool) -> None:
    """The item's result is the error with its reason, and the place in the code is logged once, with the traceback."""
    with fakes.Warnings() as warnings:
        results = pool.map("misbehave", ["raise", "a", "raise", "unsendable", "b"])

    assert [str(result) for result in results[:3]] == [
        "internal error: KeyError: 'a mistake'; please report this",
        "a",
        "internal error: KeyError: 'a mistake'; please report this",
    ]
    assert isinstance(results[3], InternalError)
    assert results[4] == "b"
    assert [text for text in warnings.texts if "was lost" in text] == []
    assert len([text for text in warnings.texts if "KeyError" in text and "Traceback" in text]) == 1


def test_an_item_that_cannot_be_sent_costs_that_item(pool: Pool) -> None:
    """It cannot be pickled; the others are answered."""
    results = pool.map("misbehave", ["a", lambda: None, "b"])

    assert (results[0], results[2]) == ("a", "b")
    assert isinstance(results[1], InternalError)


def test_a_worker_cannot_write_a_file(pool: Pool, tmp_path: Path) -> None:
    """Untrusted pictures are decoded where nothing can be written."""
    target = tmp_path / "x"

    results = pool.map("misbehave", [f"write {target}"])

    assert str(results[0]).startswith("internal error: OSError: [Errno 27]")
    assert not target.exists() or target.stat().st_size == 0


ORPHANING = """
import fakes, os, signal, threading
from culld.model.worker import WorkerLimits
from culld.model.workers import Pool
if __name__ == "__main__":
    pool = Pool(fakes.FakeDesk, 1, WorkerLimits(memory=4 << 30, seconds=1))
    pool.start()
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGKILL)).start()
    pool.map("misbehave", ["spin"])
"""


def test_a_worker_that_never_ends_does_not_outlive_a_killed_daemon_for_long(tmp_path: Path) -> None:
    """Its share of the processor is used up, and the kernel ends it: only then does its output end, too."""
    (tmp_path / "orphaning.py").write_text(ORPHANING)
    environment = os.environ | {"PYTHONPATH": str(Path(fakes.__file__).parent)}
    command = [sys.executable, tmp_path / "orphaning.py"]

    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=False, timeout=40)

    assert done.returncode == -signal.SIGKILL


def test_a_desk_that_cannot_be_opened_is_a_system_fault() -> None:
    """The reason comes through to the person who started culld."""
    pool = Pool(fakes.broken_desk, 1, LIMITS)

    with pytest.raises(SystemFaultError, match="the model is gone"):
        pool.start()
