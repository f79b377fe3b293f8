"""The process that posts one alert to a webhook: `python -m culld.system.webhook_post`.

It reads the alert from standard input; if it fails, it prints the reason in one line and exits with status 1.
"""

from __future__ import annotations

import json
import math
import signal
import sys
import urllib.error
import urllib.request
from http.client import HTTPException
from typing import Any, Final

_LONGEST: Final = 200


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: the alert is sent only to the configured address."""

    def http_error_302(self, *_args: Any, **_kwargs: Any) -> None:
        """Leave the response to the next handler, which makes it an error; its Location is not parsed."""

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


def post(address: str, alert: dict[str, Any], patience_s: float) -> None:
    """Post an alert as JSON; any status from 200 to 299 is success, and the body of the response is not read.

    Raises OSError, HTTPException or ValueError, as urllib documents, for an invalid address or response.
    """
    request = urllib.request.Request(  # noqa: S310 (the schema lets only http and https through)
        address, json.dumps(alert).encode(), {"Content-Type": "application/json", "User-Agent": "culld"}
    )
    with urllib.request.build_opener(_NoRedirect).open(request, timeout=patience_s):
        pass


def main() -> int:
    """Post the alert from standard input; return the exit status."""
    request = json.load(sys.stdin)
    signal.alarm(math.ceil(request["patience_s"]) + 1)  # ends this process also if culld is killed
    try:
        post(request["address"], request["told"], request["patience_s"])
    except (OSError, HTTPException, ValueError) as error:
        sys.stdout.write(_line(error))
        return 1
    return 0


def _line(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        if 300 <= error.code < 400:
            return (
                f"the server answers {error.code}, a redirect, which culld does not follow; configure the new address"
            )
        return f"the server answers {error.code}"
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    text = f"{type(reason).__name__}: {reason}" if isinstance(reason, Exception) else str(reason)
    return "".join(letter if letter.isprintable() else " " for letter in text)[:_LONGEST]


if __name__ == "__main__":
    sys.exit(main())
