"""The record beside a quarantined photo, written and read back."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from culld.quarantine.record import BadRecordError, Member, Record, from_bytes, to_bytes
from culld.records import Scores
from harness import factories

RECORD = Record(
    plan="plan-1",
    made_at=factories.NOON,
    root=Path("/photos"),
    members=(
        Member("a.jpg.xmp", Path("2026/a.jpg.xmp"), "1" * 64),
        Member("a.jpg", Path("2026/a.jpg"), "2" * 64),
    ),
    judged="3" * 64,
    reason="blur 0.99 is at least 0.97",
    keywords=("defect:blur",),
    model="model@1",
    policy="policy-1",
    scores=Scores(0.99, 0.1, 0.02),
)


def changed(**fields: Any) -> bytes:
    """The record with some JSON fields exchanged."""
    return json.dumps(json.loads(to_bytes(RECORD)) | fields).encode()


def member(**fields: Any) -> bytes:
    """The record with some fields of its photo exchanged."""
    content = json.loads(to_bytes(RECORD))
    content["members"][-1] |= fields
    return json.dumps(content).encode()


def test_a_record_is_read_back_as_it_was() -> None:
    """Every field survives, also missing scores."""
    bare = replace(RECORD, scores=None, keywords=())

    assert [RECORD, bare] == [from_bytes(to_bytes(RECORD)), from_bytes(to_bytes(bare))]


@given(st.binary(min_size=1, max_size=40).filter(lambda name: not {0, 0x2F} & set(name) and name not in {b".", b".."}))
def test_any_bytes_that_a_file_name_may_hold_survive(raw: bytes) -> None:
    """Newlines, controls and bytes that are no UTF-8 come back exactly."""
    name = os.fsdecode(raw)
    record = replace(RECORD, members=(Member(name, Path(name), "1" * 64),), reason=f"odd {name}")

    assert record == from_bytes(to_bytes(record))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"null",
        b"\xff",
        b"[" * 200_000,
        b" " * (1 << 19),
        b"1" * 5000,
        changed(culld=2),
        changed(members=[]),
        changed(members=[7]),
        changed(members=json.loads(to_bytes(RECORD))["members"] * 2),
        changed(members="a.jpg"),
        changed(root="photos"),
        changed(root=""),
        changed(root={"bytes": "zz"}),
        changed(root={"bytes": "2f00"}),
        changed(root="/\ud800"),
        changed(quarantined_at="2026-05-01T12:00:00"),
        changed(quarantined_at="yesterday"),
        changed(judged_sha256="3" * 63),
        changed(keywords=[1]),
        changed(reason=None),
        changed(scores={"blur": True, "under": 0, "over": 0}),
        changed(scores={"blur": float("nan"), "under": 0, "over": 0}),
        member(name="../a.jpg"),
        member(name="b/a.jpg"),
        member(name=".."),
        member(name="."),
        member(name="/a.jpg"),
        member(name="a\0.jpg"),
        member(origin="/etc/passwd"),
        member(origin="2026/../../a.jpg"),
        member(origin="elsewhere/a.jpg"),
        member(origin={"bytes": "2e2e2f61"}),
        member(origin=""),
        member(sha256="x"),
    ],
)
def test_a_record_that_culld_would_not_write_is_refused(data: bytes) -> None:
    """Whatever it contains, a record names no path outside its root and its own folder."""
    with pytest.raises(BadRecordError):
        from_bytes(data)
