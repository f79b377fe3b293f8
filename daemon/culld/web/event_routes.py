"""The routes of changes: a stream of events, and the same on request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.responses import Response, StreamingResponse

from culld.web.answers import json_answer
from culld.web.problems import ProblemError
from culld.web.route_values import required_number, site_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from culld.web.site import Reading

MOST_LISTENERS: Final = 32
"""So many pages may be open at the same time; together with `limit_concurrency` this leaves room for requests."""
_MOST_IDS = 1_000


async def events(request: Request) -> Response:
    """Answer with a stream of changes that goes on until the page closes it."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    if request.method == "HEAD":  # it has no body, and so no end either
        return Response(None, 200, headers, "text/event-stream")
    changes = site_of(request).changes
    if changes.listeners >= MOST_LISTENERS:
        raise ProblemError(503, "Too many pages are open; close some, or ask for /changes.", {"Retry-After": "30"})
    text = request.headers.get("last-event-id", "")
    last = int(text) if text.isascii() and text.isdigit() and len(text) <= 16 else None
    return StreamingResponse(changes.stream(last), 200, headers, "text/event-stream")


async def since(request: Request) -> Response:
    """Answer with the number of the last change, and the photos that changed after another one."""
    before = required_number(request, "since")

    def found(reading: Reading) -> dict[str, object]:
        index = reading.fresh()
        rows = index.changed(kept=True, since=before)
        return {"change": index.change, "full": before < index.first_change, "ids": rows["id"][:_MOST_IDS].tolist()}

    return json_answer(await site_of(request).read(found))
