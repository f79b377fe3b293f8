"""Values that several routes take from a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from culld.web.problems import ProblemError
from culld.web.site import Site

if TYPE_CHECKING:
    from starlette.requests import Request

_LONGEST_NUMBER = 16  # digits: below 2**53 a number is the same in every language


def site_of(request: Request) -> Site:
    """Return what stands behind the routes."""
    site = request.app.state.site
    if not isinstance(site, Site):
        raise TypeError("the application has no site")
    return site


def number_of(request: Request) -> int:
    """Return the number of a photo in the path."""
    text = request.path_params["id"]
    if not text.isascii() or not text.isdigit() or len(text) > _LONGEST_NUMBER:
        raise ProblemError(404, "A photo has a number.")
    return int(text)


def number_in(request: Request, name: str) -> int | None:
    """Return a number of the query; None if it is not given. Raises ProblemError for another text."""
    text = request.query_params.get(name)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > _LONGEST_NUMBER:
        raise ProblemError(422, f"{name} is no number.")
    return int(text)


def flag_in(request: Request, name: str) -> bool:
    """Return a flag of the query, 0 or 1; False if it is not given. Raises ProblemError for another text."""
    text = request.query_params.get(name, "0")
    if text not in {"0", "1"}:
        raise ProblemError(422, f"{name} is 0 or 1.")
    return text == "1"


def required_number(request: Request, name: str) -> int:
    """Return a number of the query; raises ProblemError without one."""
    found = number_in(request, name)
    if found is None:
        raise ProblemError(422, f"{name} is missing.")
    return found


def unknown(number: int) -> ProblemError:
    """Return the answer for a photo that is not in the journal."""
    return ProblemError(404, f"There is no photo {number} in this library.")
