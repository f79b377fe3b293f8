"""gThumb's comment files."""

from __future__ import annotations

import gzip

import pytest

from culld.errors import TagRefusedError
from culld.records import Rating
from culld.tags.gthumb_comments import MOST_BYTES, comment_in

EMPTY = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<comment version="3.0">\n  <caption/>\n  <note></note>\n  <place/>\n'
    '  <time value="2026:05:01 12:00:00"/>\n  {}\n</comment>\n'
)


def comment(element: str = "") -> bytes:
    """A comment file as gThumb 3 writes it, with one more element."""
    return EMPTY.format(element).encode()


@pytest.mark.parametrize(
    ("data", "says", "stars"),
    [
        (comment(), False, 0),
        (comment('<rating value="0"/>'), False, 0),
        (comment('<rating value="4"/>'), True, 4),
        (comment('<rating value="nonsense"/>'), False, 0),
        (comment("<note>on the way</note>"), True, 0),
        (comment("<caption>the harbour</caption>"), True, 0),
        (comment('<categories><category value="Holiday"/></categories>'), True, 0),
        (comment("<categories/>"), False, 0),
        (b'<Comment format="2.0"><Place/><Time>1</Time><Note>on the way</Note><Keywords/></Comment>', True, 0),
        (gzip.compress(comment('<rating value="5"/>')), True, 5),
    ],
)
def test_a_comment_counts_with_a_rating_a_text_or_a_category(data: bytes, says: bool, stars: int) -> None:  # noqa: FBT001
    """The time alone, which gThumb copies from the camera, is no user metadata."""
    assert comment_in(data) == (says, Rating(f"gThumb rating {stars}", stars) if stars else None)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<comment>",
        b'<!DOCTYPE x [<!ENTITY a "b">]><comment><note>&a;</note></comment>',
        gzip.compress(b"x" * (MOST_BYTES + 1)),
        b"\x1f\x8bnot gzip",
        b"<a>" + b" " * MOST_BYTES + b"</a>",
    ],
    ids=["empty", "cut", "entities", "large when unpacked", "broken gzip", "large"],
)
def test_what_is_no_comment_is_refused(data: bytes) -> None:
    """So that the photo stays, with the reason."""
    with pytest.raises(TagRefusedError, match="a gThumb comment cannot be read"):
        comment_in(data)
