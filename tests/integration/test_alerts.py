"""Alerts, with real commands and real servers, most of which misbehave."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from culld.system.alerts import Alerts
from harness.fakes import Warnings

LONG_S = 600.0
"""Longer than any test may take."""


@contextlib.contextmanager
def server(answer: Callable[[socket.socket], None]) -> Iterator[tuple[str, list[bytes]]]:
    """A server that sends this answer after each request; yields its address and the requests."""
    received: list[bytes] = []

    def serve() -> None:
        with contextlib.suppress(OSError):  # the listener was closed
            while True:
                connection, _ = listener.accept()
                with connection, contextlib.suppress(OSError):  # the client has closed the connection
                    received.append(request(connection))
                    answer(connection)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/hook", received
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(30)
    assert not thread.is_alive()


def request(connection: socket.socket) -> bytes:
    """A whole request."""
    connection.settimeout(60)
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(4096)
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")).split()[1])
    while len(body) < length:
        body += connection.recv(4096)
    return head + b"\r\n\r\n" + body


def say(data: bytes) -> Callable[[socket.socket], None]:
    """Answer with these bytes."""
    return lambda connection: connection.sendall(data)


def drip(connection: socket.socket) -> None:
    """Send a header without end until the client closes."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        connection.sendall(b"x")
        time.sleep(0.05)


def wait_until(true: Callable[[], bool], what: str) -> None:
    """Fail unless it becomes true."""
    deadline = time.monotonic() + 50
    while not true():
        assert time.monotonic() < deadline, f"{what} did not happen"
        time.sleep(0.02)


def lives(pid: int) -> bool:
    """Return whether a process is there, and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def warnings() -> Iterator[list[str]]:
    """The warnings of culld so far."""
    with Warnings() as handler:
        yield handler.texts


def ring(alerts: Alerts, times: int = 1) -> None:
    """Send some alerts, and wait for their end."""
    for _ in range(times):
        alerts.send("brake", "on")
    alerts.close(LONG_S)


def test_a_command_gets_the_alert_on_its_input(tmp_path: Path) -> None:
    """Nothing of it is read by a shell."""
    script = "import sys; open(sys.argv[1], 'w').write(sys.stdin.read())"
    alerts = Alerts([sys.executable, "-c", script, str(tmp_path / "a; b")])
    alerts.send("brake", "on $(date)", moved=3)
    alerts.close(LONG_S)

    told = json.loads((tmp_path / "a; b").read_text())
    assert told == {"subject": "brake", "text": "on $(date)", "moved": 3}


def test_a_webhook_gets_the_alerts_in_order(warnings: list[str]) -> None:
    """As JSON; an answer of any length is not read."""
    with server(say(b"HTTP/1.1 204 No Content\r\n\r\n" + bytes(1 << 20))) as (address, received):
        alerts = Alerts(webhook=address)
        alerts.send("brake", "on")
        alerts.send("brake", "off")
        alerts.close(LONG_S)

    bodies = [json.loads(data.partition(b"\r\n\r\n")[2]) for data in received]
    assert bodies == [{"subject": "brake", "text": "on"}, {"subject": "brake", "text": "off"}]
    assert not warnings


MANY = b"".join(b"X-%d: 1\r\n" % number for number in range(200))


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "BadStatusLine"),
        (b"", "RemoteDisconnected"),
        (b"HTTP/1.1 999999 X\r\n\r\n", "BadStatusLine"),
        (b"HTTP/1.1 200 OK\r\n" + MANY + b"\r\n", "more than 100 headers"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n", "header line"),
        (b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n\r\n", "302, a redirect, which culld does not follow"),
        (b"HTTP/1.1 307 Moved\r\nLocation: http://[::1/\r\n\r\n", "307, a redirect, which culld does not follow"),
        (b"HTTP/1.1 301 Moved\r\n\r\n", "301"),
        (b"HTTP/1.1 500 \x1b[2J\r\n\r\n", "the server answers 500"),
    ],
)
def test_an_answer_that_makes_no_sense_is_one_line_in_the_log(answer: bytes, reason: str, warnings: list[str]) -> None:
    """The next alert is sent all the same."""
    with server(say(answer)) as (address, received):
        ring(Alerts(webhook=address), times=2)

    assert len(received) == 2
    assert len(warnings) == 2
    assert all(reason in line and line.isprintable() for line in warnings)


@pytest.mark.parametrize("address", ["http://127.0.0.1:1/", "http://127.0.0.1:99999/", "http://b\xfccher.invalid/\xe9"])
def test_an_address_that_leads_nowhere_is_one_line_in_the_log(address: str, warnings: list[str]) -> None:
    """Also one that the configuration would have refused."""
    ring(Alerts(webhook=address))

    (line,) = warnings
    assert line.startswith("the alert could not be posted: ")


def test_a_server_that_drips_is_left_at_the_deadline(warnings: list[str]) -> None:
    """Each byte comes in time, but the whole answer does not; the sender has not waited."""
    with server(drip) as (address, _):
        ring(Alerts(webhook=address, patience_s=2))

    assert warnings == ["the alert could not be posted: it took longer than 2 s"]


def test_alerts_that_wait_for_a_slow_server_are_few(warnings: list[str]) -> None:
    """The oldest are dropped, so that the memory does not fill; the loop never waits."""
    with server(drip) as (address, received):
        alerts = Alerts(webhook=address, patience_s=LONG_S)
        alerts.send("first", "")
        wait_until(lambda: bool(received), "the first request")
        for number in range(10):
            alerts.send(str(number), "")
        alerts.close(0)

    assert warnings[:2] == [f"too many alerts wait, so this one is not sent: {number}" for number in range(2)]
    assert "stopped before all alerts were sent" in warnings


def test_a_stop_does_not_wait_for_what_is_being_sent() -> None:
    """The process that sends is ended; the server sees that."""
    gone = threading.Event()

    def hold(connection: socket.socket) -> None:
        connection.recv(1)
        gone.set()

    with server(hold) as (address, received):
        alerts = Alerts(webhook=address, patience_s=LONG_S)
        alerts.send("brake", "on")
        wait_until(lambda: bool(received), "the request")
        alerts.close(0)
        assert gone.wait(50)
        alerts.send("brake", "too late")

    assert len(received) == 1


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (["/no/such/program"], "No such file"),
        (["a\0b"], "null byte"),
        ([sys.executable, "-c", "raise SystemExit(3)"], "it ended with 3"),
        ([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"], "it ended with -9"),
    ],
)
def test_a_command_that_does_not_work_is_one_line_in_the_log(
    command: list[str], reason: str, warnings: list[str]
) -> None:
    """And does not keep the next alert from being sent."""
    ring(Alerts(command), times=2)

    assert len(warnings) == 2
    assert all(reason in line for line in warnings)


def test_a_command_that_hangs_is_ended_with_all_that_it_started(tmp_path: Path, warnings: list[str]) -> None:
    """It reads nothing of a long alert, writes without end, and so does its child."""
    script = f"echo $$ > {tmp_path}/pids; yes & echo $! >> {tmp_path}/pids; yes >&2; wait"
    alerts = Alerts(["sh", "-c", script], patience_s=3)
    alerts.send("brake", "x" * (1 << 20))
    alerts.close(LONG_S)

    assert warnings == ["the alert command sh did not work: it took longer than 3 s"]
    for pid in map(int, (tmp_path / "pids").read_text().split()):
        wait_until(lambda pid=pid: not lives(pid), "the end of what it started")  # type: ignore[misc]


def test_what_a_command_leaves_in_the_background_is_not_waited_for(tmp_path: Path, warnings: list[str]) -> None:
    """For example a program that shows a message until the user closes it."""
    alerts = Alerts(["sh", "-c", f"sleep {LONG_S:g} & echo $! > {tmp_path}/pid"], patience_s=LONG_S)
    ring(alerts)

    pid = int((tmp_path / "pid").read_text())
    assert lives(pid)
    os.kill(pid, 9)
    assert not warnings


def test_without_a_command_and_a_webhook_nothing_is_started() -> None:
    """The log holds the alert."""
    before = threading.active_count()
    Alerts().send("brake", "on")

    assert threading.active_count() == before
