"""The file of a wish: JSON that the web process writes and the daemon takes over."""

from __future__ import annotations

import json
import os
import uuid
from typing import TYPE_CHECKING, Any, Final

from culld.errors import BadWishError
from culld.records.review import MOST_ITEMS, ReviewState, Wish, WishItem, WishKind

if TYPE_CHECKING:
    from pathlib import Path

MOST_BYTES: Final = 2 << 20
"""The largest file of a wish."""


def write_wish(folder: Path, wish: Wish) -> None:
    """Write a wish durably into a folder: `UUID.json`, in place of one with the same id; raises OSError."""
    part = folder / f".{wish.id}.part"
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o640)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(_to_json(wish))
        stream.flush()
        os.fsync(stream.fileno())
    part.rename(folder / f"{wish.id}.json")
    inside = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(inside)
    finally:
        os.close(inside)


def wish_of(data: bytes) -> Wish:
    """Return the wish of the bytes of a file; raises BadWishError."""
    if len(data) > MOST_BYTES:
        raise BadWishError("the wish is larger than 2 MiB")
    try:
        given = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadWishError("the wish is not JSON") from error
    if not isinstance(given, dict) or set(given) - {"id", "kind", "items", "policy"}:
        raise BadWishError("the wish is not an object with the keys id, kind, items and policy")
    id_, kind, items, policy = given.get("id"), given.get("kind"), given.get("items", []), given.get("policy", "")
    if not isinstance(id_, str) or not _is_uuid(id_):
        raise BadWishError("the id of the wish is not a UUID in lower case")
    if not isinstance(kind, str) or kind not in set(WishKind):
        raise BadWishError(f"the kind of the wish is not one of {', '.join(WishKind)}")
    if not isinstance(items, list) or len(items) > MOST_ITEMS:
        raise BadWishError(f"the items of the wish are not a list of at most {MOST_ITEMS} photos")
    if not isinstance(policy, str):
        raise BadWishError("the policy of the wish is not a text")
    return Wish(id_, WishKind(kind), tuple(_item(each) for each in items), policy)


def _item(given: Any) -> WishItem:
    match given:
        case {"decision": int(number), "state": str(state), **rest} if not rest and not isinstance(number, bool):
            if state in set(ReviewState) and 0 < number < 1 << 63:
                return WishItem(number, ReviewState(state))
    raise BadWishError("an item of the wish is not a decision and the state that was shown")


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def _to_json(wish: Wish) -> bytes:
    items = [{"decision": item.decision, "state": item.seen.value} for item in wish.items]
    return json.dumps({"id": wish.id, "kind": wish.kind.value, "items": items, "policy": wish.policy}).encode()
