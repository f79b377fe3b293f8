"""Archives by columns: conditions and distances of hashes are the same as those of single photos."""

from __future__ import annotations

import random
from itertools import pairwise

import numpy as np
import pytest

from culld.archive.parquet.row import hash_bytes
from culld.archive.simulation.hash_links import are_near, distances, overlaps, words_of
from culld.archive.simulation.rule_columns import Numbers, RuleColumns, Texts
from culld.records import DHash
from culld.rules import NUMBER, TEXT, VARIABLES, parse
from culld.stages.group.panoramas import moves

CONDITIONS = [
    "blur > 0.5 and iso < 300", "blur > 0.5 or iso < 300", "not (blur > 0.5) and raw", "0.2 < blur <= iso / 100",
    "iso / (blur - blur) > 1", "blur * 2 - under + over >= 1 or raw == (blur > 0.5)", "-blur < -0.5",
    "iso in (100, 200, blur * 200)", "iso not in (100, over)", "raw in (True,)", "camera == 'X100' and blur > 0.1",
    "'x' in camera", "camera in ('x100', name)", "camera not in ['M9']", "camera != name or not (iso > 150)",
    "'a' == 'A' and blur > 0.3", "camera == name == 'm9'", "raw", "not raw or over > 0.9",
]  # fmt: skip
COUNT = 300


def hashes(draw: random.Random, count: int) -> list[DHash]:
    """Hashes, each of them like the one before in about three quarters of the bits."""
    found = [DHash(draw.getrandbits(256), draw.getrandbits(256))]
    while len(found) < count:
        flips = [draw.getrandbits(256) & draw.getrandbits(256) for _ in range(2)]
        found.append(DHash(found[-1].rows ^ flips[0], found[-1].columns ^ flips[1]))
    return found


def rng(seed: int | str) -> random.Random:
    """Numbers by seed."""
    return random.Random(seed)  # noqa: S311 (a test)


def as_words(found: list[DHash]) -> np.ndarray[tuple[int, ...], np.dtype[np.uint64]]:
    """Hashes as they come from a column."""
    return words_of(np.frombuffer(b"".join(map(hash_bytes, found)), np.uint8).reshape(-1, 64))


@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_condition_holds_for_the_rows_for_which_it_holds_alone(condition: str) -> None:
    """Where values are missing as well."""
    draw, expression = rng(condition), parse(condition)
    rows = [
        {
            name: draw.choice([None, "X100", "m9"]) if kind == TEXT
            else draw.choice([None, 0.1, 0.5, 0.7, 1.0, 100, 200]) if kind == NUMBER
            else draw.choice([None, True, False])
            for name, kind in VARIABLES.items()
        }
        for _ in range(COUNT)
    ]  # fmt: skip
    none = np.zeros(COUNT, bool)
    columns: dict[str, Numbers | Texts] = {}
    for name, kind in VARIABLES.items():
        values = [row[name] for row in rows]
        if kind == TEXT:
            words = [None, "X100", "m9"]
            columns[name] = Texts(np.array([words.index(value) for value in values]), words, none)
        else:
            known = np.array([value is not None for value in values])
            columns[name] = Numbers(np.array([float(value or 0) for value in values]), known, none)

    truths = RuleColumns(columns, COUNT).truths(expression)

    opposite = parse(f"not ({condition})")
    assert truths.true.tolist() == [expression.holds(row) for row in rows]
    assert truths.false.tolist() == [opposite.holds(row) for row in rows]
    assert not truths.open_.any()


@pytest.mark.parametrize(
    ("condition", "open_"),
    [
        ("series_ev < -1", True), ("series_ev < -1 and blur > 0.5", False), ("series_ev < -1 or blur < 0.5", False),
        ("series == 'burst'", True), ("not (series_ev > 0) or iso > 5", True), ("series_ev in (1, 2)", True),
        ("blur in (series_ev, 0.25)", False),
    ],
)  # fmt: skip
def test_a_condition_on_what_no_column_has_is_open_unless_the_rest_decides(condition: str, open_: bool) -> None:  # noqa: FBT001
    """The value of blur is 0.25, that of iso is not known."""
    here, none = np.ones(1, bool), np.zeros(1, bool)
    columns = {
        "series_ev": Numbers(np.zeros(1), none, here),
        "series": Texts(np.zeros(1, np.int64), [None], here),
        "blur": Numbers(np.full(1, 0.25), here, none),
        "iso": Numbers(np.zeros(1), none, none),
    }

    assert RuleColumns(columns, 1).truths(parse(condition)).open_.tolist() == [open_]


def test_the_distances_of_pairs_are_those_of_two_hashes() -> None:
    """Unmoved, and after each move of a panorama and of a hand."""
    found = hashes(rng(1), 40)
    words = as_words(found)
    pairs = list(pairwise(found))
    one, other = words[..., :-1], words[..., 1:]

    for right, down in ((0, 0), (1, -1), (-1, 0), *moves()):
        assert distances(one, other, right, down).tolist() == [a.distance(b, right, down) for a, b in pairs]


def test_near_pairs_and_strong_overlaps_are_found() -> None:
    """A photo that moved by one bit is near; one that turned by five columns overlaps the one before."""
    still, other = hashes(rng(2), 1)[0], hashes(rng(4), 1)[0]
    moved, turned = (DHash(still.rows >> bits, still.columns >> bits) for bits in (1, 5))
    words = as_words([still, other, moved, turned])
    first = words[..., [0, 0, 0]]

    assert are_near(first, words[..., 1:], 0.36, 0.38).tolist() == [False, True, False]
    strengths = overlaps(first, words[..., 1:], tuple(moves()))
    assert (strengths > 10).tolist() == [False, False, True]
