"""The application: the table of its routes, behind the guard."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route

from culld.errors import SystemFaultError
from culld.web import (
    compare_routes,
    event_routes,
    login_routes,
    page_routes,
    photo_routes,
    picture_routes,
    policy_routes,
    upscale_routes,
    wish_routes,
)
from culld.web.guard import Guard
from culld.web.login_routes import LoginRate
from culld.web.problems import ProblemError, problem

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response

    from culld.web.hosts import AllowedHosts
    from culld.web.site import Site

log = logging.getLogger(__name__)

API: Final = "/api/v1"
ROUTES: Final = (
    Route("/", page_routes.page),
    Route("/s/{path:path}", page_routes.page),
    Route(f"{API}/login", login_routes.login, methods=["POST"]),
    Route(f"{API}/session", login_routes.session),
    Route(f"{API}/logout", login_routes.logout, methods=["POST"]),
    Route(f"{API}/index", photo_routes.index),
    Route(f"{API}/photos", photo_routes.photos),
    Route(f"{API}/photos/{{id}}", photo_routes.photo),
    Route(f"{API}/photos/{{id}}/thumb", picture_routes.thumb),
    Route(f"{API}/photos/{{id}}/preview", picture_routes.preview),
    Route(f"{API}/photos/{{id}}/original", picture_routes.original),
    Route(f"{API}/photos/{{id}}/crop", picture_routes.crop),
    Route(f"{API}/photos/{{id}}/heat", picture_routes.heat),
    Route(f"{API}/photos/{{id}}/regions", picture_routes.regions),
    Route(f"{API}/simulate", policy_routes.simulate, methods=["POST"]),
    Route(f"{API}/compare", compare_routes.compare, methods=["POST"]),
    Route(f"{API}/report", policy_routes.show_report),
    Route(f"{API}/status", policy_routes.show_status),
    Route(f"{API}/events", event_routes.events),
    Route(f"{API}/changes", event_routes.since),
    Route(f"{API}/wishes", wish_routes.leave, methods=["POST"]),
    Route(f"{API}/wishes/{{id}}", wish_routes.progress),
    Route("/upscale", upscale_routes.upscale, methods=["POST"]),
    Route("/upscale/{job}", upscale_routes.result),
)
"""Every route; `openapi.yaml` describes those of the API."""


def application(site: Site, hosts: AllowedHosts, folder: Path = page_routes.FOLDER) -> Guard:
    """Return the application for a site, with the page in `folder`."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        first = asyncio.create_task(site.warm())
        yield
        first.cancel()
        await site.close()

    inner = Starlette(routes=ROUTES, lifespan=lifespan, exception_handlers=_HANDLERS)
    inner.router.redirect_slashes = False
    inner.state.site = site
    inner.state.rate = LoginRate()
    inner.state.files = page_routes.page_files(folder)
    return Guard(inner, hosts, site)


async def _refused(_: Request, error: Exception) -> Response:
    if isinstance(error, ProblemError):
        return error.response()
    if isinstance(error, HTTPException):
        detail = {404: "There is no such address.", 405: "This address does not take that method."}
        return problem(error.status_code, detail.get(error.status_code, error.detail), error.headers)
    if isinstance(error, SystemFaultError):
        log.error("%s", error)
        return problem(503, f"{error}.", {"Retry-After": "2"})
    log.error("a request failed", exc_info=error)
    return problem(500, "culld could not answer; its log says why.")


_HANDLERS: Final[dict[Any, Callable[[Request, Exception], Awaitable[Response]]]] = {
    ProblemError: _refused,
    HTTPException: _refused,
    SystemFaultError: _refused,
    Exception: _refused,
}
