"""The daemon as a service manager and a rough world see it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from culld import __version__
from harness import factories
from harness.daemon_process import COMMAND, House

BLURRED = [factories.encoded(factories.blurred(factories.picture(i)), quality=92) for i in range(3)]


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """A service manager's socket, named in the environment, that expects WATCHDOG messages every two seconds."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        address = f"{tmp_path}/notify"
        receiver.bind(address)
        receiver.settimeout(30)
        os.environ |= {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "2000000"}
        yield receiver
        del os.environ["NOTIFY_SOCKET"], os.environ["WATCHDOG_USEC"]


def hear(manager: socket.socket, word: str) -> str:
    """Return the first message that contains this text."""
    while word not in (message := manager.recv(4096).decode()):
        pass
    return message


@pytest.mark.slow
def test_the_log_names_what_is_in_force_at_the_start_and_logs_the_stop(house: House) -> None:
    """Version, configuration, folders, policy, model and engine; then that culld is ready; without a terminal too."""
    house.drop("a.jpg", BLURRED[0])
    with house.daemon():
        house.wait_until(lambda: "quarantine  blur" in house.log(), "the verdict")

    lines = house.log().splitlines()
    assert [f"culld {__version__} starts with the configuration {house.config}"] == lines[:1]
    assert lines[1].startswith("model defects-")
    assert lines[1].endswith(", engine litert, 2 workers")
    assert f"watching {house.inbox} (enforce); quarantine {house.quarantine}; state {house.folder}/state" == lines[2]
    assert re.fullmatch(r"policy [0-9a-f]{12}", lines[3])
    assert "ready; photos waiting: 1" in lines
    assert "stopped; judged since the start: 1 quarantine" in lines


@pytest.mark.slow
def test_the_service_manager_gets_every_message(house: House, manager: socket.socket) -> None:
    """READY with a status after the first scan, WATCHDOG while idle, RELOADING and READY on SIGHUP, then STOPPING."""
    with house.daemon() as process:
        assert "STATUS=0 waiting; policy" in hear(manager, "READY=1")
        for _ in range(3):
            hear(manager, "WATCHDOG=1")

        process.send_signal(signal.SIGHUP)
        assert "MONOTONIC_USEC=" in hear(manager, "RELOADING=1")
        hear(manager, "READY=1")

        process.terminate()
        hear(manager, "STOPPING=1")
        assert process.wait(10) == 0


@pytest.mark.slow
def test_a_missing_folder_is_reported_and_waited_for(house: House) -> None:
    """When it appears its photos are judged."""
    house.inbox.rmdir()
    with house.daemon():
        house.wait_until(lambda: "inbox is missing; culld waits for it" in house.log(), "the report")
        assert json.loads(house.culld("status", "--json"))["watch"][0]["online"] is False

        house.inbox.mkdir()
        house.drop("a.jpg", BLURRED[0])

        house.wait_until((house.quarantine / "a.jpg").exists, "the quarantine")


@pytest.mark.slow
def test_a_file_held_open_is_not_judged_before_it_is_closed(house: House) -> None:
    """A writer that pauses for longer than any quiet time is still a writer."""
    with house.daemon():
        with (house.inbox / "slow.jpg").open("wb") as stream:
            stream.write(BLURRED[0][:1000])
            stream.flush()
            time.sleep(3)
            assert json.loads(house.culld("status", "--json"))["waiting"] == 1
            stream.write(BLURRED[0][1000:])
        house.wait_until((house.quarantine / "slow.jpg").exists, "the quarantine")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_full_disk_stops_moving_not_watching(house: House) -> None:
    """Photos stay whole in the inbox while the quarantine's disk is full, and are moved when it has room again."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount the small file system that this test fills")
    house.quarantine.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", house.quarantine], check=False, capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("this machine does not let root mount a tmpfs")
    try:
        (house.quarantine / "ballast").write_bytes(bytes(240 * 1024))
        with house.daemon():
            house.drop("a.jpg", BLURRED[0])
            house.wait_until(lambda: "not done" in house.log(), "the report")
            (fault,) = json.loads(house.culld("status", "--json"))["faults"]
            assert fault["path"] == str(house.inbox / "a.jpg")
            assert "space" in fault["reason"]
            assert (house.inbox / "a.jpg").read_bytes().endswith(BLURRED[0][-5000:])
            assert not (house.quarantine / "a.jpg").exists()

            house.drop("b.txt", b"the daemon still lives")
            (house.quarantine / "ballast").unlink()
            house.wait_until((house.quarantine / "a.jpg").exists, "the quarantine", seconds=100)
    finally:
        subprocess.run(["umount", house.quarantine], check=True)


@pytest.mark.slow
def test_quarantine_may_lie_on_another_file_system(house: House, tmp_path: Path) -> None:
    """The photo is copied, verified, and only then unlinked; restore brings it back the same way."""
    other = Path("/dev/shm") / f"culld-test-{os.getpid()}"  # noqa: S108 (the one place that mostly is another one)
    if not other.parent.is_dir() or other.parent.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system at /dev/shm")
    house.config.write_text(house.config.read_text().replace("quarantine: quarantine", f"quarantine: {other}"))
    try:
        house.drop("x/a.jpg", BLURRED[0])
        house.culld("once")
        assert (other / "x" / "a.jpg").exists()
        assert house.photos(house.inbox) == {}

        house.culld("restore", "--all")

        assert house.photos(house.inbox) == {"x/a.jpg": hashlib.sha256(BLURRED[0]).hexdigest()}
    finally:
        shutil.rmtree(other)


def test_a_second_culld_on_the_same_photos_is_refused(house: House) -> None:
    """It has a state folder of its own, and would tag and move what the first one does."""
    second = replace(house, folder=house.folder / "second")
    second.folder.mkdir()
    second.config.write_text(house.config.read_text().replace("inbox", "../inbox"))
    with house.daemon():
        for command in ("run", "once"):
            assert "inbox is used by another culld; stop that one" in second.fault(command)


@pytest.mark.slow
def test_the_status_can_be_watched_until_ctrl_c(house: House) -> None:
    """On a terminal it is redrawn after each change."""
    house.culld("once")
    terminal, inside = pty.openpty()
    # In the background of a shell Ctrl-C is ignored, and would be by what is started from there.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    watching = subprocess.Popen([COMMAND, "status", "--watch", "--config", house.config], stdout=inside, stderr=inside)
    signal.signal(signal.SIGINT, before)
    os.close(inside)
    try:
        read_until(terminal, b"0 quarantine")
        house.drop("a.jpg", BLURRED[0])
        house.culld("once")
        read_until(terminal, b"1 quarantine")
    finally:
        watching.send_signal(signal.SIGINT)
        with contextlib.suppress(OSError):  # the end of a terminal
            while os.read(terminal, 65536):  # an unread terminal takes 4 KB and then blocks the writer
                pass
        assert watching.wait(20) == 0
        os.close(terminal)


def read_until(terminal: int, text: bytes) -> None:
    """Read what is drawn; the test's time limit ends a vain wait."""
    seen = b""
    while text not in seen:
        seen += os.read(terminal, 65536)
