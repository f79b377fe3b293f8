"""Answers that several routes give: JSON, cached bytes, and the whole or a part of an open file."""

from __future__ import annotations

import asyncio
import json
import os
import re
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from starlette.responses import Response

from culld.web.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

IMMUTABLE: Final = "private, max-age=31536000, immutable"
CHECKED: Final = "private, no-cache"
_CHUNK = 1 << 18
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def json_answer(content: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return an answer as JSON that no cache keeps, unless `headers` say otherwise."""
    body = json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "backslashreplace")
    return Response(body, status, {"Cache-Control": "no-store"} | dict(headers or {}), "application/json")


def is_known(request: Request, etag: str) -> bool:
    """Return whether the browser has the content with this ETag (in quotes)."""
    given = request.headers.get("if-none-match", "")
    return given.strip() == "*" or etag in {each.strip().removeprefix("W/") for each in given.split(",")}


def not_modified(headers: Mapping[str, str]) -> Response:
    """Return the answer for content that the browser has."""
    return Response(None, 304, headers)


class FileAnswer(Response):
    """An open file, or the range of it that is asked for; the file is closed afterwards."""

    def __init__(self, stream: BinaryIO, media_type: str, headers: Mapping[str, str]) -> None:
        """Answer with `stream` from its start; `headers` hold the ETag."""
        self.stream = stream
        self.size = os.fstat(stream.fileno()).st_size
        super().__init__(None, 200, dict(headers) | {"Accept-Ranges": "bytes"}, media_type)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 (the signature of ASGI)
        """Send the head, and for GET the bytes."""
        try:
            start, stop = self._range(scope)
            self.headers["content-length"] = str(stop - start)
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await self._send_bytes(send, start, 0 if scope["method"] == "HEAD" else stop - start)
        finally:
            self.stream.close()

    async def _send_bytes(self, send: Send, start: int, left: int) -> None:
        if left <= 0:
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        while left > 0:
            data = await asyncio.to_thread(os.pread, self.stream.fileno(), min(_CHUNK, left), start)
            if not data:  # the file became shorter: the connection is closed, so that the part is not taken as whole
                raise ConnectionAbortedError("the photo became shorter while it was sent")
            start, left = start + len(data), left - len(data)
            await send({"type": "http.response.body", "body": data, "more_body": left > 0})

    def _range(self, scope: Scope) -> tuple[int, int]:
        """Return the first byte and the one after the last; sets the status and the header of a part."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        match = _RANGE.fullmatch(headers.get("range", "").replace(" ", ""))
        if (
            match is None
            or match[0] == "bytes=-"
            or headers.get("if-range", self.headers["etag"]) != self.headers["etag"]
        ):
            return 0, self.size
        if match[1]:
            start, stop = int(match[1]), min(int(match[2]) + 1 if match[2] else self.size, self.size)
        else:
            start, stop = max(0, self.size - int(match[2])), self.size
        if start >= stop:
            self.status_code = 416
            self.headers["content-range"] = f"bytes */{self.size}"
            return 0, 0
        self.status_code = 206
        self.headers["content-range"] = f"bytes {start}-{stop - 1}/{self.size}"
        return start, stop


async def json_body(request: Request) -> dict[str, Any]:
    """Return the body as an object; raises ProblemError for anything else."""
    try:
        found = json.loads(await request.body())
    except (ValueError, RecursionError) as error:
        raise ProblemError(400, "The body is not JSON.") from error
    if not isinstance(found, dict):
        raise ProblemError(400, "The body is not a JSON object.")
    return found
