"""The file of a wish is read as foreign input, and written so that it is there whole or not at all."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from culld.app.wishes.wish_file import MOST_BYTES, to_bytes, wish_of, write_wish
from culld.errors import BadWishError
from culld.records import MOST_ITEMS, ReviewState, Wish, WishItem, WishKind
from harness import quarantined

ID = "0b6a2f4e-8c1d-4a7b-9e3f-5d2c1b0a9f8e"
WISH = Wish(ID, WishKind.RESTORE, (WishItem(12, ReviewState.REJECTED), WishItem(7, ReviewState.TAGGED)))
CONTENT = json.loads(to_bytes(WISH))


def test_the_form_is_that_of_the_documentation() -> None:
    """Keys, values and their order."""
    assert to_bytes(WISH).decode() == (
        f'{{"id":"{ID}","kind":"restore","items":[{{"decision":12,"state":"rejected"}},'
        '{"decision":7,"state":"tagged"}],"policy":""}'
    )


items = st.lists(
    st.builds(WishItem, st.integers(1, 2**63 - 1), st.sampled_from(ReviewState)),
    min_size=1,
    max_size=5,
    unique_by=lambda item: item.decision,
).map(tuple)


@given(st.uuids().map(str), items, st.sampled_from(WishKind))
def test_every_wish_is_read_as_it_was_written(number: str, some: tuple[WishItem, ...], kind: WishKind) -> None:
    """A wish to resume has no items; one to apply a policy names it."""
    wish = Wish(
        number, kind, () if kind is WishKind.RESUME else some, "0" * 12 if kind is WishKind.APPLY_POLICY else ""
    )

    assert wish_of(to_bytes(wish)) == wish


@given(st.binary(max_size=200))
def test_any_bytes_are_a_wish_or_are_refused(data: bytes) -> None:
    """No other exception."""
    with pytest.raises(BadWishError):
        wish_of(data)


def changed(**values: object) -> bytes:
    """The wish with other values."""
    return json.dumps(CONTENT | values).encode()


def item(decision: object, state: object = "rejected") -> list[dict[str, object]]:
    """The items of a wish with one photo."""
    return [{"decision": decision, "state": state}]


ITEM = "The decision of an item is not a number of the journal."


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "The wish is not JSON in UTF-8."),
        (b"\xff\xfe{}", "The wish is not JSON in UTF-8."),
        (b'{"id": "\xff"}', "The wish is not JSON in UTF-8."),
        (b"[" * 100_000, "The wish is not JSON in UTF-8."),
        (b'{"id": ' * 50_000, "The wish is not JSON in UTF-8."),
        (changed(items=item(float("nan"))), "The wish is not JSON in UTF-8."),
        (changed(items=item(float("inf"))), "The wish is not JSON in UTF-8."),
        (changed(items=item(12.0)), "The wish is not JSON in UTF-8."),
        (b'{"id": ' + b"9" * 5000 + b"}", "The wish is not JSON in UTF-8."),
        (to_bytes(WISH).replace(b'"policy"', b'"id"'), "The wish is not JSON in UTF-8."),
        (b"null", "The wish is not an object with the keys id, kind, items, policy."),
        (b"[]", "The wish is not an object with the keys id, kind, items, policy."),
        (changed(more=1), "The wish is not an object with the keys id, kind, items, policy."),
        (changed(id=7), "The id of the wish is not a UUID in lower case."),
        (changed(id=ID.upper()), "The id of the wish is not a UUID in lower case."),
        (changed(id=ID + "\n"), "The id of the wish is not a UUID in lower case."),
        (changed(id="../" + ID), "The id of the wish is not a UUID in lower case."),
        (changed(kind="delete"), "The kind of the wish is not known."),
        (changed(kind=["restore"]), "The kind of the wish is not known."),
        (changed(items={}), f"The items of the wish are not a list of at most {MOST_ITEMS}."),
        (changed(items=[0] * (MOST_ITEMS + 1)), f"The items of the wish are not a list of at most {MOST_ITEMS}."),
        (changed(items=[[]]), "An item of the wish is not an object with the keys decision, state."),
        (
            changed(items=[{"decision": 1, "state": "kept", "path": "/"}]),
            "An item of the wish is not an object with the keys decision, state.",
        ),
        (changed(items=item(0)), ITEM),
        (changed(items=item(-1)), ITEM),
        (changed(items=item(2**63)), ITEM),
        (changed(items=item(True)), ITEM),
        (changed(items=item("12")), ITEM),
        (changed(items=item(None)), ITEM),
        (changed(items=item(1, "gone")), "The state of an item is not known."),
        (changed(items=item(1, None)), "The state of an item is not known."),
        (changed(items=item(1) + item(1, "kept")), "A decision is named twice in the wish."),
        (changed(items=[]), "A wish of the kind restore has at least one item."),
        (changed(kind="resume"), "A wish of the kind resume has no items."),
        (changed(policy=None), "The policy of the wish is not a digest."),
        (changed(policy="../x"), "The policy of the wish is not a digest."),
        (changed(policy="\ud800" * 12), "The policy of the wish is not a digest."),
        (changed(policy="0" * 12), "A policy belongs to a wish of the kind apply-policy, and to no other."),
        (changed(kind="apply-policy"), "A policy belongs to a wish of the kind apply-policy, and to no other."),
        (b" " * (MOST_BYTES + 1), f"The wish is larger than {MOST_BYTES} bytes."),
    ],
)
def test_what_is_no_wish_is_refused_in_words(data: bytes, why: str) -> None:
    """Every value is checked."""
    with pytest.raises(BadWishError) as refused:
        wish_of(data)

    assert str(refused.value) == why


def test_the_largest_wish_fits(tmp_path: Path) -> None:
    """10,000 photos with the largest numbers and the longest state."""
    some = tuple(WishItem(2**63 - 1 - number, ReviewState.TAG_CONFIRMED) for number in range(MOST_ITEMS))
    wish = replace(WISH, items=some)

    write_wish(tmp_path, wish)

    assert wish_of((tmp_path / f"{ID}.json").read_bytes()) == wish


def test_a_wish_is_one_file_that_its_group_can_read(tmp_path: Path) -> None:
    """Nothing else is left, also by a process that was killed before."""
    (tmp_path / f".{ID}.part").write_bytes(b"half")

    write_wish(tmp_path, WISH)
    write_wish(tmp_path, WISH)

    assert quarantined.tree(tmp_path) == [f"{ID}.json"]
    assert (tmp_path / f"{ID}.json").stat().st_mode & 0o7777 == 0o640
    assert wish_of((tmp_path / f"{ID}.json").read_bytes()) == WISH


def test_another_wish_with_the_id_of_a_waiting_one_is_refused(tmp_path: Path) -> None:
    """The first one stays."""
    write_wish(tmp_path, WISH)
    with pytest.raises(BadWishError, match="Another wish with this id waits"):
        write_wish(tmp_path, replace(WISH, kind=WishKind.CONFIRM))

    assert wish_of((tmp_path / f"{ID}.json").read_bytes()) == WISH


def test_a_wish_that_would_be_refused_is_not_written(tmp_path: Path) -> None:
    """The page learns it at once."""
    with pytest.raises(BadWishError, match="named twice"):
        write_wish(tmp_path, replace(WISH, items=WISH.items * 2))

    assert quarantined.tree(tmp_path) == []


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """Neither as the folder nor as the file."""
    folder, target = tmp_path / "wishes", tmp_path / "target"
    folder.mkdir()
    target.write_bytes(b"precious")
    (folder / f".{ID}.part").symlink_to(target)
    write_wish(folder, WISH)
    assert target.read_bytes() == b"precious"

    (tmp_path / "link").symlink_to(folder)
    with pytest.raises(OSError, match="Not a directory"):
        write_wish(tmp_path / "link", WISH)
