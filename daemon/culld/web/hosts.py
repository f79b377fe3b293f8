"""The names under which a browser may reach the page: the guard against pages that point their own name here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import urlsplit

_LOOPBACK: Final = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """The exact values of `Host` and `Origin` that are allowed, in lower case."""

    hosts: frozenset[str]
    origins: frozenset[str]

    @classmethod
    def of(cls, port: int | None, configured: tuple[str, ...]) -> Self:
        """Return what is allowed on a port (None: a Unix socket behind a proxy), with the names of web.hosts.

        A configured name without a port is allowed with this port, and without one behind a proxy.
        """
        local = {f"{name}:{port}" if port not in {None, 80} else name for name in _LOOPBACK}
        named = {variant for name in configured for variant in _variants(name, port)}
        origins = {f"http://{host}" for host in local | named} | {f"https://{host}" for host in named}
        return cls(frozenset(local | named), frozenset(origins))

    def allows(self, host: str) -> bool:
        """Return whether a header `Host` names this page."""
        return host.lower() in self.hosts

    def allows_origin(self, origin: str) -> bool:
        """Return whether a header `Origin` names this page."""
        return origin.lower() in self.origins


def _variants(name: str, port: int | None) -> set[str]:
    has_port = urlsplit(f"//{name}").port is not None
    return {name} if has_port or port is None else {name, f"{name}:{port}"}
