"""The routes of facts: the index, tiles, and everything about one photo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from culld.app.review.copies import copy_facts, copy_of_photo
from culld.app.review.index_answer import IndexRequest, index_answer
from culld.app.review.photos import MOST_TILES, photo_facts, tiles
from culld.web.answers import CHECKED, is_known, json_answer, not_modified
from culld.web.problems import ProblemError
from culld.web.route_values import number_in, number_of, site_of, unknown

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from culld.records import FolderPolicies, Policy
    from culld.web.site import Reading

FIRST_TILES: Final = 60
"""So many tiles come with an index that has a limit: those of the first screen."""


async def index(request: Request) -> Response:
    """Answer with the columns of the index."""
    site = site_of(request)
    is_kept = request.query_params.get("kept") == "1"
    wanted = IndexRequest(is_kept, number_in(request, "since"), number_in(request, "limit"))
    policy = site.policies().default
    change = await site.read(lambda reading: reading.fresh().change)
    etag = f'"{change}-{policy.digest[:8]}"'
    headers = {"ETag": etag, "Cache-Control": CHECKED}
    if is_known(request, etag):
        return not_modified(headers)
    return json_answer(await site.read(lambda reading: _answer(reading, wanted, policy)), headers=headers)


def _answer(reading: Reading, wanted: IndexRequest, policy: Policy) -> dict[str, Any]:
    """Return the columns; with a limit also the tiles of the first photos, which saves the page a second request."""
    answer = index_answer(reading.fresh(), wanted, policy)
    if wanted.limit is not None:
        first = reading.index.shown(kept=wanted.kept, limit=min(wanted.limit, FIRST_TILES))
        answer["photos"] = tiles(reading.journal(), reading.index, first["id"].tolist())
    return answer


async def photos(request: Request) -> Response:
    """Answer with the facts for some tiles."""
    text = request.query_params.get("ids", "")
    ids = [int(each) for each in text.split(",") if each.isascii() and each.isdigit() and len(each) <= 16]
    if len(ids) != len(text.split(",")) or not 1 <= len(ids) <= MOST_TILES:
        raise ProblemError(422, f"Ask for 1 to {MOST_TILES} photos: ids=1,2,3.")
    found = await site_of(request).read(lambda reading: tiles(reading.journal(), reading.fresh(), ids))
    return json_answer({"photos": found})


async def photo(request: Request) -> Response:
    """Answer with all facts of a photo."""
    site, number = site_of(request), number_of(request)
    policies = site.policies()
    found = await site.read(lambda reading: _facts(reading, number, policies))
    if found is None:
        raise unknown(number)
    return json_answer(found)


def _facts(reading: Reading, number: int, policies: FolderPolicies) -> dict[str, Any] | None:
    journal = reading.journal()
    found = photo_facts(journal, reading.fresh(), number, policies)
    return found and found | {"copy": copy_facts(copy_of_photo(journal, number))}
