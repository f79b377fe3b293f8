"""The route that compares two photos that the request brings; nothing of them is stored."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Final

from culld.app.compare import require_opencv
from culld.app.compare_messages import CompareRequest, as_json
from culld.errors import SystemFaultError
from culld.web.answers import json_answer
from culld.web.problems import ProblemError
from culld.web.route_values import flag_in, site_of
from culld.web.upload import uploads

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from culld.app.compare_messages import Comparison

_MOST: Final = 2
"""Comparisons at a time: each holds two files in memory."""


async def compare(request: Request) -> Response:
    """Answer with how the second photo of a form differs from the first one."""
    site, wanted = site_of(request), flag_in(request, "picture")
    try:
        require_opencv()
    except SystemFaultError as error:
        raise ProblemError(501, f"{error}.") from error
    if site.comparing >= _MOST:
        raise ProblemError(503, f"{_MOST} comparisons are being made; ask again.", {"Retry-After": "2"})
    site.comparing += 1
    try:
        first, second = await uploads(request, ("first", "second"))
        asked = CompareRequest(first.data, second.data, (first.name, second.name), wanted)
        found: Comparison = await site.comparer.make(asked)
    finally:
        site.comparing -= 1
    answer = as_json(found, first.name, second.name)
    if wanted:
        answer["picture"] = base64.b64encode(found.picture).decode("ascii") or None
    return json_answer(answer)
