"""The routes of the login: a code from the command line or the password becomes a session in a cookie."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from starlette.responses import Response

from culld import __version__
from culld.records import Defect
from culld.web.answers import json_answer, json_body
from culld.web.problems import ProblemError
from culld.web.route_values import site_of
from culld.web.secret_store import SESSION_LIFE_S

if TYPE_CHECKING:
    from starlette.requests import Request

    from culld.web.site import Site

_LONGEST = 1024
LOGINS_A_MINUTE: Final = 5
"""So many attempts to log in are answered in a minute."""


@dataclass(slots=True)
class LoginRate:
    """Counts the attempts of the last minute, of all callers together: on one machine they are not told apart."""

    _times: list[float] = field(default_factory=list)

    def take(self, now: float) -> float:
        """Count an attempt; return the seconds to wait, 0 if it is allowed."""
        self._times = [each for each in self._times if now - each < 60]
        if len(self._times) >= LOGINS_A_MINUTE:
            return 60 - (now - self._times[0])
        self._times.append(now)
        return 0.0


async def login(request: Request) -> Response:
    """Begin a session."""
    site, given = site_of(request), await json_body(request)
    if wait := request.app.state.rate.take(time.monotonic()):
        raise ProblemError(429, "There were too many logins; wait a minute.", {"Retry-After": str(int(wait) + 1)})
    if not await asyncio.to_thread(_is_right, site, given.get("code"), given.get("password")):
        raise ProblemError(401, "The code or password is not right; codes are valid once, for a minute.")
    secret = await asyncio.to_thread(site.store.new_session)
    answer = Response(None, 204, {"Cache-Control": "no-store"})
    answer.set_cookie(
        site.cookie,
        secret,
        max_age=SESSION_LIFE_S,
        path="/",
        httponly=True,
        samesite="strict",
        secure=_is_https(request),
    )
    return answer


def _is_right(site: Site, code: object, password: object) -> bool:
    if isinstance(code, str) and 0 < len(code) <= _LONGEST and password is None:
        return site.store.use_code(code)
    if isinstance(password, str) and 0 < len(password) <= _LONGEST and code is None:
        return site.store.is_password(password)
    return False


def _is_https(request: Request) -> bool:
    return request.headers.get("origin", "").startswith("https://")


async def session(request: Request) -> Response:
    """Answer with what the page needs to know first."""
    site = site_of(request)
    request.app.state.warming = asyncio.create_task(site.pool.warm())
    policy = site.policies().default
    thresholds = {each.value: {"tag": policy.of(each).tag, "reject": policy.of(each).reject} for each in Defect}
    settings = {
        "mode": policy.mode,
        "policy": policy.digest,
        "thresholds": thresholds,
        "watch": [str(watch.path) for watch in site.config.watch],
        "quarantine": str(site.config.quarantine),
    }
    return json_answer({"csrf_free": True, "version": __version__, "settings": settings})


async def logout(request: Request) -> Response:
    """End the session."""
    secret = request.scope.get("culld.session")
    site = site_of(request)
    if isinstance(secret, str):
        await asyncio.to_thread(site.store.end_session, secret)
    answer = Response(None, 204, {"Cache-Control": "no-store"})
    answer.delete_cookie(site.cookie, path="/", httponly=True, samesite="strict")
    return answer
