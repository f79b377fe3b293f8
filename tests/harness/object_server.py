"""An S3 server on this machine, and before it a proxy that counts requests, and answers some of them badly."""

from __future__ import annotations

import contextlib
import http.client
import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote, unquote

_LONGEST_S = 20.0
"""A stalled answer ends after this time, whatever the client does."""
_SIGNED = "AWS4-HMAC-SHA256 Credential=test/20260501/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
_DROPPED = {"connection", "transfer-encoding", "date", "server"}
_DENIED = "<Error><Code>{}</Code><Message>as the test says</Message></Error>"


class Bad(Enum):
    """What is wrong with an answer."""

    STATUS = auto()
    """It has the status and the error code of the fault."""
    CUT = auto()
    """Half of the body, and the connection ends."""
    DROPPED = auto()
    """The connection ends before the answer."""
    STALLED = auto()
    """The head, and then nothing."""
    TRICKLING = auto()
    """The head, and then a byte each 0.2 s."""


@dataclass
class Fault:
    """Answers badly to requests with `method` whose path and query contain `part`, so many `times`."""

    method: str
    part: str
    bad: Bad
    times: int = 1_000_000
    status: int = 503
    code: str = "SlowDown"


@dataclass
class ObjectServer:
    """The server: its address, its faults, and the requests that it had, each as method, path and query.

    `sent` counts the bytes of answers, `signed` the requests with a signature; a `private` server denies the others.
    `bucket` is that of the present test.
    """

    url: str
    backend: tuple[str, int]
    faults: list[Fault] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    sent: int = 0
    signed: int = 0
    private: bool = False
    bucket: str = ""
    before: dict[str, threading.Event] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    ended: threading.Event = field(default_factory=threading.Event)

    def put(self, path: str, data: bytes = b"", acl: str = "private") -> None:
        """Store an object at `bucket/key`, or create the bucket."""
        self._direct("PUT", path, data, acl)

    def delete(self, path: str) -> None:
        """Remove an object."""
        self._direct("DELETE", path)

    def count(self, method: str, part: str = "") -> int:
        """The number of requests with this method whose path or query contains a text."""
        return sum(each == method and part in path for each, path in self.requests)

    def fault_for(self, method: str, path: str) -> Fault | None:
        """Return the fault of the next answer, and use it up by one."""
        with self.lock:
            self.requests.append((method, path))
            for each in self.faults:
                if each.times and each.method == method and each.part in path:
                    each.times -= 1
                    return each
            return None

    def _direct(self, method: str, path: str, data: bytes = b"", acl: str = "private") -> None:
        connection = http.client.HTTPConnection(*self.backend)
        connection.request(method, "/" + quote(path), data, {"x-amz-acl": acl, "Authorization": _SIGNED})
        answer = connection.getresponse()
        answer.read()
        connection.close()
        assert answer.status < 300, (method, path, answer.status)


@contextlib.contextmanager
def object_server() -> Iterator[ObjectServer]:
    """Start a server that holds no bucket."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 (slow to import, and other tests share this module)

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    moto = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    moto.start()
    try:
        host, port = moto.get_host_and_port()
        with proxied((host, port)) as server:
            connection = http.client.HTTPConnection(host, port)
            connection.request("POST", "/moto-api/reset")  # its state belongs to the process
            connection.getresponse().read()
            connection.close()
            yield server
    finally:
        moto.stop()


@contextlib.contextmanager
def proxied(backend: tuple[str, int]) -> Iterator[ObjectServer]:
    """Start a proxy before a server."""

    class Handler(_Handler):
        server_state: ObjectServer

    proxy = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    proxy.daemon_threads = True
    proxy.block_on_close = False
    Handler.server_state = ObjectServer(f"http://127.0.0.1:{proxy.server_address[1]}", backend)
    thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield Handler.server_state
    finally:
        Handler.server_state.ended.set()
        proxy.shutdown()
        thread.join()
        proxy.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    server_state: ObjectServer

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def log_message(self, *_: object) -> None:
        """Print nothing."""

    def _answer(self) -> None:
        state = self.server_state
        shown = unquote(self.path)
        for part, event in state.before.items():
            if part in shown and self.command == "GET":
                event.wait(_LONGEST_S)
        state.signed += "Authorization" in self.headers
        fault = state.fault_for(self.command, shown)
        if state.private and "Authorization" not in self.headers:
            fault = Fault("", "", Bad.STATUS, status=403, code="AccessDenied")
        if fault and fault.bad is Bad.DROPPED:
            self._end()
        elif fault and fault.bad is Bad.STATUS:
            error = b"" if self.command == "HEAD" else _DENIED.format(fault.code).encode()
            self._send(fault.status, [("Content-Type", "application/xml")], error)
        else:
            self._forward(fault)

    def _forward(self, fault: Fault | None) -> None:
        connection = http.client.HTTPConnection(*self.server_state.backend)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        connection.request(self.command, self.path, body, dict(self.headers))
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        headers = [(name, value) for name, value in answer.getheaders() if name.lower() not in _DROPPED]
        if fault is None:
            self._send(answer.status, headers, data)
            return
        self._head(answer.status, headers, len(data))
        if fault.bad is Bad.CUT:
            self.wfile.write(data[: len(data) // 2])
        self.wfile.flush()
        if fault.bad is Bad.STALLED:
            self.server_state.ended.wait(_LONGEST_S)
        elif fault.bad is Bad.TRICKLING:
            self._trickle(data, fault)
        self._end()

    def _trickle(self, data: bytes, fault: Fault) -> None:
        end = time.monotonic() + _LONGEST_S
        with contextlib.suppress(OSError):
            for byte in data:
                if time.monotonic() > end or self.server_state.ended.wait(0.2) or fault not in self.server_state.faults:
                    return
                self.wfile.write(bytes([byte]))
                self.wfile.flush()

    def _head(self, status: int, headers: list[tuple[str, str]], size: int) -> None:
        self.send_response(status)
        for name, value in headers:
            if name.lower() != "content-length" or self.command == "HEAD":
                self.send_header(name, value)
        if self.command != "HEAD":
            self.send_header("Content-Length", str(size))
        self.end_headers()

    def _send(self, status: int, headers: list[tuple[str, str]], data: bytes) -> None:
        with contextlib.suppress(OSError):  # the client has gone
            self._head(status, headers, len(data))
            self.wfile.write(data)  # together with the head: the client may look at it as soon as that is there
            self.wfile.flush()
            self.server_state.sent += len(data)

    def _end(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(2)
