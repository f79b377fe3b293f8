"""The notification socket, and the locks: what other processes see of the daemon."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from culld.errors import SystemFaultError
from culld.files.locks import state_lock
from culld.system.sd_notify import Notifier, watchdog_seconds


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """A service manager's socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "notify"))
        receiver.settimeout(5)
        yield receiver


@pytest.fixture
def notifier(manager: socket.socket) -> Notifier:
    """A notifier that sends to it."""
    return Notifier.of({"NOTIFY_SOCKET": manager.getsockname()})


class TestNotifier:
    """The messages that the service manager gets."""

    def test_ready_comes_with_a_status_in_one_message(self, manager: socket.socket, notifier: Notifier) -> None:
        """So that the status is there when the unit turns active."""
        notifier.ready("watching 2 folders")

        assert manager.recv(1000) == b"READY=1\nSTATUS=watching 2 folders"

    def test_a_reload_carries_the_monotonic_time(self, manager: socket.socket, notifier: Notifier) -> None:
        """In microseconds of the clock that the manager compares with."""
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        notifier.reloading()
        after = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000

        first, second = manager.recv(1000).split(b"\n")
        assert first == b"RELOADING=1"
        assert before <= int(second.removeprefix(b"MONOTONIC_USEC=")) <= after

    def test_watchdog_and_stopping_are_separate_messages(self, manager: socket.socket, notifier: Notifier) -> None:
        """Each is one datagram."""
        notifier.watchdog()
        notifier.stopping()

        assert [manager.recv(1000), manager.recv(1000)] == [b"WATCHDOG=1", b"STOPPING=1"]

    def test_a_status_cannot_smuggle_in_another_message(self, manager: socket.socket, notifier: Notifier) -> None:
        """A file name with a line break in it stays within its line, and bytes that are no text are escaped."""
        notifier.status("last: a\nWATCHDOG=1\n\udcff " + "x" * 1000)

        received = manager.recv(5000)
        assert received.startswith(b"STATUS=last: a WATCHDOG=1 \\udcff xxx")
        assert received.count(b"\n") == 0
        assert len(received) < 450

    def test_an_abstract_address_is_understood(self) -> None:
        """Containers give one: it begins with @ in the environment and with a zero byte in the kernel."""
        name = f"culld-test-{os.getpid()}"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
            receiver.bind(f"\0{name}")
            receiver.settimeout(5)

            Notifier.of({"NOTIFY_SOCKET": f"@{name}"}).watchdog()

            assert receiver.recv(100) == b"WATCHDOG=1"

    @pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "vsock:2:1234"}])
    def test_without_a_manager_nothing_is_sent(self, environ: dict[str, str]) -> None:
        """In a terminal there is no socket."""
        assert Notifier.of(environ) == Notifier(None)
        Notifier.of(environ).ready("alone")

    def test_a_manager_that_is_gone_is_logged_and_nothing_more(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Telling the manager must never stop the work."""
        Notifier.of({"NOTIFY_SOCKET": str(tmp_path / "gone")}).watchdog()

        assert "WATCHDOG=1 cannot be sent to the service manager" in caplog.text


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "60000000"}, 60.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "42"}, 60.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "43"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "me"}, None),
    ],
)
def test_the_watchdog_is_wanted_only_from_the_process_it_names(environ: dict[str, str], expected: float | None) -> None:
    """A worker that inherits the environment must not answer for the daemon."""
    assert watchdog_seconds(environ, pid=42) == expected


HOLDER = """
import sys, pathlib
from culld.files import locks
with locks.state_lock(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


class TestLocks:
    """One holder at a time, across processes."""

    def test_a_second_process_is_refused_with_the_id_of_the_first(self, tmp_path: Path) -> None:
        """And gets the lock as soon as the first is killed."""
        command = [sys.executable, "-c", HOLDER, str(tmp_path)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
            assert other.stdout is not None
            assert other.stdout.readline() == b"held\n"

            with pytest.raises(SystemFaultError, match=rf"process {other.pid}\b"), state_lock(tmp_path):
                pass

            other.kill()
            other.wait()
            with state_lock(tmp_path):
                assert [path.read_text() for path in tmp_path.iterdir()] == [f"{os.getpid()}\n"]

    def test_it_can_be_taken_again(self, tmp_path: Path) -> None:
        """Leaving the context frees it, and so does an error inside."""
        with pytest.raises(ZeroDivisionError), state_lock(tmp_path):
            raise ZeroDivisionError
        with state_lock(tmp_path):
            pass

    def test_the_state_folder_is_made_for_its_user_alone(self, tmp_path: Path) -> None:
        """It holds the paths of the user's photos."""
        with state_lock(tmp_path / "a" / "state"):
            assert (tmp_path / "a" / "state").stat().st_mode & 0o777 == 0o700

    def test_an_impossible_state_folder_is_reported_with_what_to_do(self, tmp_path: Path) -> None:
        """A file stands where the folder should be."""
        (tmp_path / "state").touch()

        expected = r"state/daemon.lock cannot be opened .*; set `state`"
        with pytest.raises(SystemFaultError, match=expected), state_lock(tmp_path / "state"):
            pass

    def test_a_link_in_place_of_the_lock_file_is_not_followed(self, tmp_path: Path) -> None:
        """Locking must not write into a file elsewhere."""
        (tmp_path / "elsewhere").write_text("mine")
        (tmp_path / "daemon.lock").symlink_to("elsewhere")

        with pytest.raises(SystemFaultError, match="cannot be opened"), state_lock(tmp_path):
            pass
        assert (tmp_path / "elsewhere").read_text() == "mine"
