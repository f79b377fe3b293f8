"""The server of the review page: its socket, its start and its end."""

from __future__ import annotations

import math
import os
import signal
import socket
import stat
import webbrowser
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import uvicorn

from culld.config import types
from culld.errors import SystemFaultError
from culld.system.sd_notify import Notifier
from culld.web.application import application
from culld.web.hosts import AllowedHosts
from culld.web.site import Site
from culld.web.warmer import Warmer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import timedelta
    from types import FrameType

    from culld.config import Config

_FIRST_PASSED: Final = 3  # the first descriptor of sd_listen_fds(3)
_CONNECTIONS: Final = 64
_TICKS: Final = 10


@dataclass(frozen=True, slots=True)
class ServeRequest:
    """How the page is served: the address and port for a socket of its own, and whether a browser is opened.

    `idle` is the time without a request after which the process ends; None: never.
    """

    host: str
    port: int
    idle: timedelta | None
    open_browser: bool = False


def passed_socket(environ: Mapping[str, str], pid: int) -> socket.socket | None:
    """Return the socket that systemd passed to this process, described in sd_listen_fds(3); None if it passed none.

    Raises SystemFaultError for several sockets, and for anything that is no listening socket.
    """
    if environ.get("LISTEN_PID") != str(pid):
        return None
    if environ.get("LISTEN_FDS") != "1":
        raise SystemFaultError(
            f"systemd passed {environ.get('LISTEN_FDS')} sockets; name one ListenStream= in the unit"
        )
    try:
        if not stat.S_ISSOCK(os.fstat(_FIRST_PASSED).st_mode):
            raise SystemFaultError("systemd passed no socket; name one ListenStream= in the unit")
        found = socket.socket(fileno=_FIRST_PASSED)
        listens = found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError as error:
        raise SystemFaultError(f"the socket that systemd passed cannot be used: {error.strerror}") from error
    if found.type != socket.SOCK_STREAM or not listens:
        raise SystemFaultError("systemd passed a socket that does not listen; name a ListenStream= in the unit")
    found.set_inheritable(False)
    return found


def own_socket(host: str, port: int) -> socket.socket:
    """Return a listening TCP socket; raises SystemFaultError.

    It names its protocol: asyncio sets TCP_NODELAY only then, and without that each answer takes 40 ms longer.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
    except OSError as error:
        made.close()
        raise SystemFaultError(
            f"the page cannot listen on {host} port {port}: {error.strerror}; name another with --port"
        ) from error
    made.listen(_CONNECTIONS)
    return made


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Return the folder of made pictures: that of systemd, else `culld` in the XDG cache folder."""
    if given := environ.get("CACHE_DIRECTORY", "").split(":")[0]:
        return Path(given)
    xdg = environ.get("XDG_CACHE_HOME", "")
    return (Path(xdg) if xdg.startswith("/") else types.home(environ) / ".cache") / "culld" / "web"


def serve(
    config_file: Path, config: Config, request: ServeRequest, environ: Mapping[str, str], show: Callable[[str], None]
) -> None:
    """Serve the page until SIGTERM, SIGINT or the end of the idle time; `show` gets the address to open.

    Raises SystemFaultError if the page cannot be served.
    """
    site = Site.of(config_file, config, cache_folder(environ), environ)
    site.store.prepare()
    site.reading_check()
    passed = passed_socket(environ, os.getpid())
    listening = own_socket(request.host, request.port) if passed is None else passed
    hosts = AllowedHosts.of(_port(listening), config.web.hosts)
    if not _is_loopback(listening) and not (config.web.hosts and site.store.has_password):
        listening.close()
        raise SystemFaultError(
            f"{request.host} is reached from other machines: set a password (`culld web password`) and the names of "
            "this machine (web.hosts) first"
        )
    if passed is None:
        link = address(site, listening)
        show(link)
        if request.open_browser:
            webbrowser.open(link)
    server = PageServer(_settings(application(site, hosts)), site, request.idle)
    Notifier.of(environ).ready("the review page is served")
    server.run(sockets=[listening])


class PageServer(uvicorn.Server):
    """Ends at SIGTERM and SIGINT, with open streams as well, and after the idle time."""

    def __init__(self, settings: uvicorn.Config, site: Site, idle: timedelta | None) -> None:
        """Serve a site; `idle` is the time without a request after which the server ends, None: never."""
        super().__init__(settings)
        self._site = site
        self._warmer = Warmer(site)
        self._idle_s = math.inf if idle is None else idle.total_seconds()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 (the signature of a handler)
        """Ask for the end; the base class would raise the signal once more afterwards, for an exit code above 0."""
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True

    async def on_tick(self, counter: int) -> bool:
        """Return whether to end; it is called ten times a second."""
        if counter % _TICKS == 0:
            await self._warmer.step()
            await self._site.rest()
            if self._site.idle_s >= self._idle_s:
                return True
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams first: the base class waits for them."""
        Notifier.of(os.environ).stopping()
        await self._site.changes.end()
        await self._warmer.end()
        await super().shutdown(sockets)


def address(site: Site, listening: socket.socket | None) -> str:
    """Return the address of the page with a new login code."""
    port = (listening and _port(listening)) or site.config.web.port
    return f"http://127.0.0.1:{port}/#login={site.store.new_code()}"


def _settings(app: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="asyncio",
        http="h11",
        ws="none",
        interface="asgi3",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=_CONNECTIONS,
        timeout_graceful_shutdown=2,
    )


def _port(listening: socket.socket) -> int | None:
    if listening.family not in {socket.AF_INET, socket.AF_INET6}:
        return None
    return int(listening.getsockname()[1])


def _is_loopback(listening: socket.socket) -> bool:
    if listening.family == socket.AF_UNIX:
        return True
    name = str(listening.getsockname()[0])
    return name == "::1" or name.startswith("127.")
