"""The routes of wishes: the page leaves them in a folder, and the daemon takes them from there."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from culld.app.review.columns import STATES
from culld.app.wishes.wish_file import MOST_BYTES, is_wish_id, wish_of, write_wish
from culld.errors import BadWishError
from culld.records.review import WISH_FOLDER, ItemState
from culld.web.answers import json_answer, json_body
from culld.web.problems import ProblemError
from culld.web.route_values import site_of

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response

    from culld.records.review import Wish, WishProgress
    from culld.web.site import Reading


async def leave(request: Request) -> Response:
    """Take a wish; it is on the disk before the answer."""
    site, given = site_of(request), await json_body(request)
    seen_count = given.pop("seen_count", None)
    try:
        wish = wish_of(json.dumps({"policy": "", **given}).encode())
    except BadWishError as error:
        raise ProblemError(422, str(error)) from error
    if type(seen_count) is not int or seen_count != len(wish.items):
        raise ProblemError(422, "seen_count is not the number of items.")
    folder = site.config.state / WISH_FOLDER
    known = await asyncio.to_thread(_waiting, folder, wish.id) or await site.read(lambda each: _taken(each, wish.id))
    if known is not None:
        if known != wish:
            raise ProblemError(409, "Another wish has this id.")
        return json_answer({"id": wish.id}, 202)
    changed = await site.read(lambda reading: _changed(reading, wish))
    if changed:
        raise ProblemError(410, "Some photos are not in the state that was shown any more.", items=changed)
    try:
        await asyncio.to_thread(_write, folder, wish)
    except BadWishError as error:  # another request has written one with this id since
        raise ProblemError(409, str(error)) from error
    except OSError as error:
        raise ProblemError(503, f"The wish cannot be stored: {error.strerror}.") from error
    return json_answer({"id": wish.id}, 202)


async def progress(request: Request) -> Response:
    """Answer with how far a wish is."""
    site, id_ = site_of(request), request.path_params["id"]
    held = await site.read(lambda reading: reading.journal().wish_progress(id_))
    if held is not None:
        return json_answer(_progress(held))
    waiting = await asyncio.to_thread(_waiting, site.config.state / WISH_FOLDER, id_)
    if waiting is None:  # it may have been taken between the two looks
        held = await site.read(lambda reading: reading.journal().wish_progress(id_))
        if held is None:
            raise ProblemError(404, "There is no wish with this id.")
        return json_answer(_progress(held))
    items = [_item(each.decision, ItemState.WAITING, "", None) for each in waiting.items]
    return json_answer({"id": id_, "kind": waiting.kind, "state": "waiting", "items": items})


def _progress(held: WishProgress) -> dict[str, Any]:
    items = [_item(each.item.decision, each.state, each.note, each.now) for each in held.outcomes]
    state = "taken" if held.ended_at is None else "ended"
    return {"id": held.wish.id, "kind": held.wish.kind, "state": state, "items": items}


def _item(decision: int, state: ItemState, note: str, now: int | None) -> dict[str, Any]:
    return {"decision": decision, "state": state, "note": note, "now": now}


def _write(folder: Path, wish: Wish) -> None:
    folder.mkdir(0o700, exist_ok=True)
    write_wish(folder, wish)


def _waiting(folder: Path, id_: str) -> Wish | None:
    """Return the wish with an id that the daemon has not taken yet; None if there is none."""
    if not is_wish_id(id_):
        return None
    try:
        with (folder / f"{id_}.json").open("rb") as stream:
            return wish_of(stream.read(MOST_BYTES + 1))
    except (OSError, BadWishError):
        return None


def _taken(reading: Reading, id_: str) -> Wish | None:
    held = reading.journal().wish_progress(id_)
    return None if held is None else held.wish


def _changed(reading: Reading, wish: Wish) -> list[dict[str, Any]]:
    """Return the items whose photos are in another state than the page showed, with the state now."""
    index, found = reading.fresh(), []
    for item in wish.items:
        number = index.state_of(item.decision)
        now = None if number is None else STATES[number]
        if now is not item.seen:
            found.append({"decision": item.decision, "state": item.seen, "now": now})
    return found
