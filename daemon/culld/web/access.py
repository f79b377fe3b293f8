"""What a request may bring and what it needs, by its path: one table for the guard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from culld.web.secret_store import Scope
from culld.web.upload import MOST_BYTES as MOST_BYTES_OF_FILES

MOST_BYTES: Final = 2 << 20
"""The largest body of a request without files."""


@dataclass(frozen=True, slots=True)
class Access:
    """The rules of a path: whether it needs a login, the scope that a token needs to write, and its bodies."""

    needs_login: bool = True
    writes_need: Scope = Scope.ANSWER
    takes_files: bool = False

    @property
    def most_bytes(self) -> int:
        """The largest body of a request."""
        return MOST_BYTES_OF_FILES if self.takes_files else MOST_BYTES


_USUAL: Final = Access()
_SPECIAL: Final = {
    "/api/v1/login": Access(needs_login=False),
    "/api/v1/simulate": Access(writes_need=Scope.READ),
    "/api/v1/compare": Access(writes_need=Scope.READ, takes_files=True),
    "/upscale": Access(writes_need=Scope.READ, takes_files=True),
}
"""The paths whose rules differ from those of the API: what reads by POST, and what takes files."""


def access_to(path: str) -> Access | None:
    """Return the rules of a path of the API, `/api/` and `/upscale`; None for the page, which can only be read."""
    is_api = path.startswith(("/api/", "/upscale/")) or path == "/upscale"
    return _SPECIAL.get(path, _USUAL) if is_api else None
