"""The file of a wish: the web process writes it into the folder of wishes, and the daemon reads it as foreign input.

    {"id": "0b6a...", "kind": "restore", "items": [{"decision": 12, "state": "rejected"}], "policy": ""}

Every value is checked, in the daemon and in the web process by the same function.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, NoReturn

from culld.errors import BadWishError
from culld.files.open_beneath import sync_folder
from culld.records import MOST_ITEMS, ReviewState, Wish, WishItem, WishKind

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

MOST_BYTES: Final = 2 << 20
"""The size of the largest file of a wish, in bytes."""
SUFFIX: Final = ".json"
PART_SUFFIX: Final = ".part"
"""The suffix of a file that is not complete yet; its name also begins with a dot."""

_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_POLICY: Final = re.compile(r"[0-9a-f]{12,64}")
_LARGEST_ID: Final = 2**63 - 1
_CREATE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_STATES: Final = {state.value: state for state in ReviewState}
_KINDS: Final = {kind.value: kind for kind in WishKind}


def wish_of(data: bytes) -> Wish:
    """Return the wish of the bytes of a file; raises BadWishError with the reason, as a sentence."""
    if len(data) > MOST_BYTES:
        raise BadWishError(f"The wish is larger than {MOST_BYTES} bytes.")
    content = _object(_parsed(data), ("id", "kind", "items", "policy"), "The wish")
    number, kind = content["id"], content["kind"]
    if not is_wish_id(number):
        raise BadWishError("The id of the wish is not a UUID in lower case.")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise BadWishError("The kind of the wish is not known.")
    return _checked(Wish(number, _KINDS[kind], _items(content["items"]), _text(content["policy"])))


def is_wish_id(value: object) -> bool:
    """Return whether a value is a UUID as text, in its usual form and in lower case."""
    return isinstance(value, str) and _UUID.fullmatch(value) is not None


def to_bytes(wish: Wish) -> bytes:
    """Return the bytes of the file of a wish; `wish_of` returns the wish again."""
    items = [{"decision": item.decision, "state": item.seen.value} for item in wish.items]
    content = {"id": wish.id, "kind": wish.kind.value, "items": items, "policy": wish.policy}
    return json.dumps(content, separators=(",", ":")).encode()


def write_wish(folder: Path, wish: Wish) -> None:
    """Write the file of a wish into the folder of wishes, durably; the same wish twice is one file.

    Raises BadWishError for a wish that `wish_of` refuses, or whose id another waiting wish has, and OSError.
    """
    data = to_bytes(wish)
    wish_of(data)
    inside = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if not _is_there(inside, wish.id + SUFFIX, data):
            _write(inside, f".{wish.id}{PART_SUFFIX}", data)
            os.rename(f".{wish.id}{PART_SUFFIX}", wish.id + SUFFIX, src_dir_fd=inside, dst_dir_fd=inside)
        sync_folder(inside)
    finally:
        os.close(inside)


def _is_there(inside: int, name: str, data: bytes) -> bool:
    """Return whether the file of a wish waits already; raises BadWishError if it holds another wish."""
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=inside)
    except FileNotFoundError:
        return False
    with os.fdopen(descriptor, "rb") as stream:
        if stream.read(MOST_BYTES + 1) != data:
            raise BadWishError("Another wish with this id waits.")
    return True


def _write(inside: int, name: str, data: bytes) -> None:
    with suppress(FileNotFoundError):  # of a process that was killed while it wrote the same wish
        os.unlink(name, dir_fd=inside)
    descriptor = os.open(name, _CREATE, 0o640, dir_fd=inside)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            os.fchmod(descriptor, 0o640)  # whatever the umask is: the daemon may run as another user of the group
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError:
        with suppress(OSError):
            os.unlink(name, dir_fd=inside)
        raise


def _parsed(data: bytes) -> object:
    try:
        parsed: object = json.loads(
            data.decode("utf-8"), object_pairs_hook=_without_repeats, parse_constant=_refuse, parse_float=_refuse
        )
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise BadWishError("The wish is not JSON in UTF-8.") from error
    return parsed


def _refuse(_text: str) -> NoReturn:
    raise ValueError("a number that is not whole")


def _without_repeats(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found = list(pairs)
    content = dict(found)
    if len(content) < len(found):
        raise ValueError("a key is repeated")
    return content


def _object(value: object, keys: tuple[str, ...], what: str) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) != set(keys):
        raise BadWishError(f"{what} is not an object with the keys {', '.join(keys)}.")
    return value


def _items(value: object) -> tuple[WishItem, ...]:
    if not isinstance(value, list) or len(value) > MOST_ITEMS:
        raise BadWishError(f"The items of the wish are not a list of at most {MOST_ITEMS}.")
    return tuple(_item(each) for each in value)


def _item(value: object) -> WishItem:
    content = _object(value, ("decision", "state"), "An item of the wish")
    decision, state = content["decision"], content["state"]
    if type(decision) is not int or not 1 <= decision <= _LARGEST_ID:
        raise BadWishError("The decision of an item is not a number of the journal.")
    if not isinstance(state, str) or state not in _STATES:
        raise BadWishError("The state of an item is not known.")
    return WishItem(decision, _STATES[state])


def _text(value: object) -> str:
    if not isinstance(value, str) or (value and _POLICY.fullmatch(value) is None):
        raise BadWishError("The policy of the wish is not a digest.")
    return value


def _checked(wish: Wish) -> Wish:
    """Return the wish; raises BadWishError if its parts contradict each other."""
    if len({item.decision for item in wish.items}) < len(wish.items):
        raise BadWishError("A decision is named twice in the wish.")
    if (wish.kind is WishKind.RESUME) == bool(wish.items):
        raise BadWishError(f"A wish of the kind {wish.kind} has {'no items' if wish.items else 'at least one item'}.")
    if (wish.kind is WishKind.APPLY_POLICY) != bool(wish.policy):
        raise BadWishError("A policy belongs to a wish of the kind apply-policy, and to no other.")
    return wish
