"""The process `culld web`: its start, its streams, its workers and its end."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from culld.records import Verdict
from harness import factories
from harness.review_library import API, Library
from harness.users import AS_ANY_USER, needs_setpriv
from harness.web_process import Page, await_port, page

ACTIVATED = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.execv(sys.executable, [sys.executable, "-m", "culld", *sys.argv[2:]])
"""


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """Three photos in quarantine."""
    library = Library(tmp_path)
    for number in range(3):
        library.add(Verdict.QUARANTINE, data=factories.encoded(factories.picture(number, (1200, 900))))
    return library


def test_the_page_ends_at_once_with_open_streams(library: Library) -> None:
    """With exit code 0; a stream gets the change that another process makes."""
    with page(library) as running:
        with running.asked(f"{API}/events") as stream:
            assert (stream.status, stream.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
            assert [stream.readline(), stream.readline()] == [b"retry: 2000\n", b"\n"]
            change = running.ask(f"{API}/index").json()["change"]
            library.execute("UPDATE decision SET restored_at = 1 WHERE id = 1")
            number, event, data = (stream.readline() for _ in range(3))
            assert event == b"event: change\n"
            seen = int(number.removeprefix(b"id: "))
            assert seen > change
            assert json.loads(data.removeprefix(b"data: ")) == {"change": seen}
            begun = time.monotonic()
            assert running.end() == 0
            assert time.monotonic() - begun < 4
        assert running.process.stderr is not None
        assert running.process.stderr.read() == ""


def test_a_stream_goes_on_after_the_last_event(library: Library) -> None:
    """A browser that was away gets the change that it missed at once."""
    with page(library) as running:
        with running.asked(f"{API}/events", **{"Last-Event-ID": "7"}) as stream:
            assert [stream.readline() for _ in range(4)][3] == b"event: change\n"
        running.end()


def test_systemd_starts_the_page_and_it_ends_when_idle(library: Library) -> None:
    """No code is printed; `culld web --link` makes one. The socket stays open for the next start."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        command = [
            sys.executable,
            "-c",
            ACTIVATED,
            str(listening.fileno()),
            "web",
            "--config",
            "c.yaml",
            "--idle",
            "2s",
        ]
        environ = os.environ | library.environ
        with subprocess.Popen(
            command, cwd=library.folder, env=environ, pass_fds=(listening.fileno(),), stdout=subprocess.PIPE, text=True
        ) as process:
            running = Page(process, port)
            await_port(port)
            link = subprocess.run(
                [sys.executable, "-m", "culld", "web", "--link", "--config", "c.yaml"],
                cwd=library.folder,
                env=environ,
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            running.login(link)
            assert running.ask(f"{API}/index").status == 200
            assert process.wait(20) == 0
            assert process.stdout is not None
            assert process.stdout.read() == ""
        socket.create_connection(("127.0.0.1", port)).close()


def test_a_page_that_listens_is_not_idle(library: Library) -> None:
    """The stream is a use, though nothing is asked for."""
    with page(library, "--idle", "1s") as running:
        with running.asked(f"{API}/events"):
            time.sleep(2.5)
            assert running.process.poll() is None
        assert running.process.wait(20) == 0


def test_a_worker_that_dies_costs_one_picture_at_most(library: Library) -> None:
    """Workers yield to every other process, have a limit of memory, and no decoder is loaded in the page itself."""
    with page(library) as running:
        assert running.ask(f"{API}/photos/1/thumb").status == 200
        workers = running.workers()
        assert 1 <= len(workers) <= 2
        for pid in workers:
            assert Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[16] == "19"
            assert re.search(r"Max address space +2000000000 ", Path(f"/proc/{pid}/limits").read_text())
            os.kill(pid, signal.SIGKILL)
        answers = [running.ask(f"{API}/photos/2/{kind}").status for kind in ("thumb", "preview", "preview", "thumb")]
        assert set(answers) <= {200, 422}
        assert answers.count(422) <= len(workers)
        assert answers[-2:] == [200, 200]
        assert running.ask(f"{API}/photos/1/thumb").status == 200  # from the cache
        maps = Path(f"/proc/{running.process.pid}/maps").read_text()
        assert not any(library in maps for library in ("_imaging", "litert", "tensorflow", "libheif", "libraw"))
        assert running.end() == 0


def test_the_end_does_not_wait_for_a_picture(library: Library) -> None:
    """A picture that is being made is given up."""
    large = factories.encoded(factories.picture(1, (6000, 4000)), "PNG", compress_level=1)
    number = library.add(Verdict.QUARANTINE, name="a.png", data=large)
    with page(library) as running:
        assert running.ask(f"{API}/photos/1/thumb").status == 200
        answers: list[int] = []

        def ask() -> None:
            with contextlib.suppress(OSError, http.client.HTTPException):
                answers.append(running.ask(f"{API}/photos/{number}/heat?head=sharpness").status)

        asking = threading.Thread(target=ask)
        asking.start()
        time.sleep(0.3)
        begun = time.monotonic()
        assert running.end() == 0
        assert time.monotonic() - begun < 8
        asking.join()


def test_broken_requests_end_nothing(library: Library) -> None:
    """A body that is cut off, one that never comes, and bytes that are no request."""
    with page(library) as running:
        head = f"POST {API}/wishes HTTP/1.1\r\nHost: 127.0.0.1:{running.port}\r\nCookie: {running.cookie}\r\n"
        head += "Sec-Fetch-Site: same-origin\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
        with socket.create_connection(("127.0.0.1", running.port)) as slow:
            slow.sendall(head.encode() + b'{"id"')
            with socket.create_connection(("127.0.0.1", running.port)) as cut:
                cut.sendall(head.encode() + b'{"id"')
            with socket.create_connection(("127.0.0.1", running.port)) as noise:
                noise.sendall(b"\x16\x03\x01\x02\x00\x01\r\n\r\n")
                assert noise.recv(100).startswith(b"HTTP/1.1 400")
            assert running.ask(f"{API}/session").status == 200
        assert not (library.state / "wishes").exists()
        assert running.end() == 0


def test_a_session_outlives_the_process(library: Library) -> None:
    """Socket activation starts a new one with the next connection."""
    with page(library) as running:
        cookie = running.cookie
        assert running.end() == 0
    with page(library) as running:
        running.cookie = cookie
        assert running.ask(f"{API}/session").status == 200
        running.end()


@needs_setpriv
def test_a_user_who_may_only_read_sees_the_journal_of_a_stopped_daemon(library: Library) -> None:
    """And, once a daemon has started again, its changes."""
    (library.state / "web").mkdir()
    assert not list(library.state.glob("*-wal"))
    (library.state / "journal.sqlite3").chmod(0o444)
    library.state.chmod(0o555)
    try:
        with page(library, prefix=AS_ANY_USER) as running:
            assert running.ask(f"{API}/index").json()["total"] == 3
            assert running.ask(f"{API}/status").json()["daemon"] == "stopped"
            with library.journal() as journal:
                before = running.ask(f"{API}/changes?since=0").json()["change"]
                with journal._writing() as db:
                    db.execute("UPDATE decision SET restored_at = 1 WHERE id = 1")
                for _ in range(50):
                    if running.ask(f"{API}/changes?since={before}").json()["ids"] == [1]:
                        break
                    time.sleep(0.2)
                else:
                    pytest.fail("the change is not seen")
            assert running.end() == 0
    finally:
        library.state.chmod(0o755)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--host", "0.0.0.0"], "set a password"),  # noqa: S104 (it must be refused)
        (["--host", "192.0.2.1"], "cannot listen on 192.0.2.1"),
        (["--idle", "soon"], "--idle: "),
    ],
)
def test_what_prevents_the_start_is_one_message(library: Library, arguments: list[str], text: str) -> None:
    """And exit code 2 or 3."""
    found = run(library, ["web", "--port", "0", *arguments])

    assert found.returncode in {2, 3}
    assert text in found.stderr
    assert "Traceback" not in found.stderr


def test_without_a_journal_there_is_nothing_to_show(tmp_path: Path) -> None:
    """The message names the command that makes one."""
    library = Library(tmp_path)
    (library.state / "journal.sqlite3").unlink()
    found = run(library, ["web"])

    assert found.returncode == 3
    assert "there is no journal" in found.stderr
    assert "culld run" in found.stderr


def test_without_the_extra_there_is_one_message(library: Library) -> None:
    """It names what to install."""
    code = "import sys; sys.modules['starlette'] = None; from culld.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "web", "--config", "c.yaml"]
    found = subprocess.run(
        command, cwd=library.folder, env=os.environ | library.environ, capture_output=True, text=True, check=False
    )

    assert found.returncode == 3
    assert found.stderr == "culld: the review page needs the extra `web`: pip install 'culld[web]'\n"


def run(library: Library, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    """Run culld to its end."""
    command = [sys.executable, "-m", "culld", *arguments, "--config", "c.yaml"]
    environ = os.environ | library.environ
    return subprocess.run(
        command, cwd=library.folder, env=environ, capture_output=True, text=True, check=False, timeout=60
    )
