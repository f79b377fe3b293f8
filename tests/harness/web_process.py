"""The process `culld web` on a free port, and a client of it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any

from harness.review_library import API, Library


@dataclass
class Answer:
    """An answer."""

    status: int
    headers: Message
    body: bytes

    def json(self) -> dict[str, Any]:
        """The body."""
        return dict(json.loads(self.body))


@dataclass
class Page:
    """A running page, and a client with a session."""

    process: subprocess.Popen[str]
    port: int
    cookie: str = ""

    def ask(self, path: str, body: object = None) -> Answer:
        """The answer to one request."""
        with self.asked(path, body) as answer:
            return Answer(answer.status, answer.headers, answer.read())

    @contextmanager
    def asked(self, path: str, body: object = None, **more: str) -> Iterator[http.client.HTTPResponse]:
        """The answer, whose body is not read yet."""
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            headers = {"Cookie": self.cookie, "Sec-Fetch-Site": "same-origin", "Connection": "close"} | more
            if body is None:
                connection.request("GET", path, headers=headers)
            else:
                connection.request("POST", path, json.dumps(body), headers | {"Content-Type": "application/json"})
            with connection.getresponse() as answer:
                yield answer

    def login(self, link: str) -> None:
        """Begin a session."""
        answer = self.ask(f"{API}/login", {"code": link.strip().partition("#login=")[2]})
        assert answer.status == 204, answer.body
        self.cookie = answer.headers["set-cookie"].partition(";")[0]

    def end(self) -> int:
        """End the process as systemd does; return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(10)

    def workers(self) -> list[int]:
        """The processes that decode."""
        tasks = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        children = [int(child) for file in tasks for child in file.read_text().split()]
        return [child for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


@contextmanager
def page(library: Library, *options: str, prefix: tuple[str, ...] = ()) -> Iterator[Page]:
    """Run `culld web` on a free port, and log in with the code that it prints."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [*prefix, sys.executable, "-m", "culld", "web", "--config", "c.yaml", "--port", str(port), *options]
    environ = os.environ | library.environ
    with subprocess.Popen(
        command, cwd=library.folder, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        found = Page(process, port)
        try:
            assert process.stdout is not None
            process.stdout.readline()
            link = process.stdout.readline()
            assert f":{port}/#login=" in link, process.communicate()
            await_port(port)
            found.login(link)
            yield found
        finally:
            if process.poll() is None:
                process.kill()


def await_port(port: int) -> None:
    """Wait until the page answers; the socket listens before that."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request("GET", "/api/v1/session", headers={"Connection": "close"})
        with connection.getresponse() as answer:
            assert answer.status == 401
