"""The guard in front of every route, as pure ASGI: host, origin, login, body, and the headers of every answer."""

from __future__ import annotations

import time
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers, MutableHeaders

from culld.web.access import MOST_BYTES, access_to
from culld.web.problems import ProblemError
from culld.web.secret_store import Scope

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Send
    from starlette.types import Scope as Connection

    from culld.web.access import Access
    from culld.web.hosts import AllowedHosts
    from culld.web.site import Site

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
}
"""The headers of every answer."""

_READING: Final = {"GET", "HEAD"}


@dataclass(frozen=True, slots=True)
class Guard:
    """Passes on the requests that are allowed; the API needs a login, except the login itself."""

    app: ASGIApp
    hosts: AllowedHosts
    site: Site

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        self.site.used = time.monotonic()

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        access = access_to(scope["path"])
        try:
            self._check(scope, access)
            most = MOST_BYTES if access is None else access.most_bytes
            await self.app(scope, _limited(receive, most), send_with_headers)
        except ProblemError as error:
            await error.response()(scope, receive, send_with_headers)

    def _check(self, scope: Connection, access: Access | None) -> None:
        headers, method = Headers(scope=scope), scope["method"]
        self._check_host(headers)
        if access is None:
            if method not in _READING:
                raise ProblemError(405, "Only GET and HEAD are allowed here.", {"Allow": "GET, HEAD"})
            return
        self._check_site(headers, method)
        if method not in _READING:
            _check_body(headers, access)
        if access.needs_login:
            scope["culld.session"] = self._login(headers, Scope.READ if method in _READING else access.writes_need)

    def _check_host(self, headers: Headers) -> None:
        given = headers.getlist("host")
        if len(given) != 1 or not self.hosts.allows(given[0]):
            raise ProblemError(421, "This address is not one of this page; add its name to web.hosts.")

    def _check_site(self, headers: Headers, method: str) -> None:
        """Refuse requests that another web page made the browser send."""
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if site in {"cross-site", "same-site"} or (site is None and origin is not None and not self._is_own(origin)):
            raise ProblemError(403, "Another web page made this request.")
        if method in _READING or site == "same-origin" or (site is None and origin is not None):
            return
        if "cookie" in headers or site is not None:
            raise ProblemError(403, "The request does not say which page made it; use a browser of this decade.")

    def _is_own(self, origin: str) -> bool:
        return self.hosts.allows_origin(origin)

    def _login(self, headers: Headers, needed: Scope) -> str | None:
        """Return the secret of the session; None for a token. Raises ProblemError without a login."""
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            scope = self.site.store.token_scope(token.strip())
            if scope is None:
                raise ProblemError(401, "The token is not valid; make one with `culld web token`.", _CHALLENGE)
            if needed is Scope.ANSWER and scope is not Scope.ANSWER:
                raise ProblemError(403, "The token may only read; make one with `--scope answer`.")
            return None
        session = cookie_of(headers, self.site.cookie)
        if session is None or not self.site.store.is_session(session):
            raise ProblemError(401, "Log in first: `culld web --link` prints an address.", _CHALLENGE)
        return session


_FORM: Final = "multipart/form-data"
_JSON: Final = "JSON, with the type application/json"
_CHALLENGE: Final = {"WWW-Authenticate": "Bearer"}


def cookie_of(headers: Headers, name: str) -> str | None:
    """Return the value of a cookie; None if there is none."""
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return None
    return None if found is None else found.value


def _check_body(headers: Headers, access: Access) -> None:
    form, most = access.takes_files, access.most_bytes
    if headers.get("content-type", "").partition(";")[0].strip().lower() != (_FORM if form else "application/json"):
        raise ProblemError(415, f"The body must be {f'a form with files, {_FORM}' if form else _JSON}.")
    length = headers.get("content-length", "0")
    if not length.isascii() or not length.isdigit() or int(length) > most:
        raise ProblemError(413, f"The body is larger than {most} bytes.")


def _limited(receive: Receive, most: int) -> Receive:
    """Return a reader that refuses a body of more than `most` bytes, also one of unknown length."""
    seen = 0

    async def read() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > most:
            raise ProblemError(413, f"The body is larger than {most} bytes.")
        return message

    return read
