"""A small part of the JSON API of Google Cloud Storage: it lists objects, describes them and sends their bytes.

By the documentation of the API: https://cloud.google.com/storage/docs/json_api/v1/objects
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

CHANGED = "2026-05-01T12:00:00.678Z"
_API = "/storage/v1/b/"


@contextlib.contextmanager
def google_server(bucket: str, objects: dict[str, bytes]) -> Iterator[str]:
    """Serve one bucket, and return the address of the server."""

    class Handler(_Handler):
        name = bucket
        held = objects

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    name: str
    held: dict[str, bytes]

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        bucket, _, rest = unquote(parts.path).removeprefix(_API).partition("/")
        if bucket != self.name:
            self._send(404, {"error": {"code": 404, "message": "The specified bucket does not exist."}})
        elif not rest:
            self._send(200, {"kind": "storage#bucket", "name": bucket, "id": bucket})
        elif rest == "o":
            self._send(200, self._listed(query.get("prefix", [""])[0], query.get("delimiter", [""])[0]))
        elif rest.removeprefix("o/") not in self.held:
            self._send(404, {"error": {"code": 404, "message": "No such object"}})
        elif query.get("alt") == ["media"]:
            self._send(200, self.held[rest.removeprefix("o/")])
        else:
            self._send(200, self._described(rest.removeprefix("o/")))

    def log_message(self, *_: object) -> None:
        """Print nothing."""

    def _listed(self, prefix: str, delimiter: str) -> dict[str, object]:
        below = {key: key.removeprefix(prefix) for key in sorted(self.held) if key.startswith(prefix)}
        direct = [key for key, rest in below.items() if not delimiter or delimiter not in rest]
        deep = [rest for key, rest in below.items() if key not in direct]
        folders = {prefix + rest.partition(delimiter)[0] + delimiter for rest in deep}
        items = [self._described(key) for key in direct]
        return {"kind": "storage#objects", "items": items, "prefixes": sorted(folders)}

    def _described(self, key: str) -> dict[str, str]:
        about = {"name": key, "bucket": self.name, "size": str(len(self.held[key])), "generation": "1"}
        return {"kind": "storage#object", "updated": CHANGED, "timeCreated": CHANGED, **about}

    def _send(self, status: int, content: dict[str, object] | dict[str, str] | bytes) -> None:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
