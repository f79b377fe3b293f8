"""The index of the page: its columns, its states, and how it follows the journal."""

from __future__ import annotations

import base64
import itertools
from pathlib import Path

import numpy as np
import pytest

from culld.app.review.columns import ROW, STATES, VERDICTS, set_states
from culld.app.review.index import Index
from culld.app.review.journal import open_review
from culld.errors import SystemFaultError
from culld.records import PlanState, Scores, Verdict
from culld.records.review import Answer, review_state
from harness import factories
from harness.review_library import API, Library, TestClient, decided, taken

TYPES = {"id": "<u4", "taken": "<u4", "folder": "<u2", "camera": "<u2", "burst": "<u4"}


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """An empty library."""
    return Library(tmp_path)


def columns(answer: dict[str, dict[str, str]]) -> dict[str, list[int]]:
    """The columns of an answer."""
    return {
        name: np.frombuffer(base64.b64decode(text), TYPES.get(name, "u1")).tolist()
        for name, text in answer["columns"].items()
    }


def shown(client: TestClient, query: str = "") -> list[tuple[int, str]]:
    """The photos that the index lists, each with its state."""
    answer = client.get(f"{API}/index{query}").json()
    found = columns(answer)
    return [(number, answer["states"][state]) for number, state in zip(found["id"], found["state"], strict=True)]


def test_the_columns_of_a_photo(library: Library) -> None:
    """Bytes for probabilities, numbers for texts, seconds of the camera's clock."""
    library.add(Verdict.TAG, name="2026/a.jpg", scores=Scores(0.7, 0.1, 1.0, 0.5), series_id="s1")
    library.add(Verdict.QUARANTINE, name="2026/b.jpg", series_id="s1")
    with library.client() as client:
        answer = client.get(f"{API}/index").json()
    found = columns(answer)

    assert answer["total"] == 2
    assert found["id"] == [2, 1]
    assert found["taken"] == [int(taken(2).timestamp()), int(taken(1).timestamp())]
    assert [found[defect][1] for defect in ("blur", "under", "over", "focus")] == [178, 25, 254, 127]
    assert found["focus"][0] == 255
    assert [answer["states"][state] for state in found["state"]] == ["rejected", "tagged"]
    assert found["verdict"] == [2, 1]
    assert [answer["folders"][folder] for folder in found["folder"]] == [str(library.folder / "photos" / "2026")] * 2
    assert [answer["cameras"][camera] for camera in found["camera"]] == ["X100", "X100"]
    assert found["burst"][0] == found["burst"][1] > 0
    assert found["tagged"] == [0b0001, 0b0101]


def test_kept_photos_are_listed_on_demand(library: Library) -> None:
    """And unreadable ones always."""
    library.add(Verdict.KEEP)
    library.add(Verdict.UNREADABLE)
    library.add(Verdict.TAG, state=PlanState.FAULT)
    with library.client() as client:
        assert shown(client) == [(3, "unfinished"), (2, "unreadable")]
        assert shown(client, "?kept=1") == [(3, "unfinished"), (2, "unreadable"), (1, "kept")]
        assert shown(client, "?limit=1") == [(3, "unfinished")]
        assert client.get(f"{API}/index?since=x").status_code == 422


def test_the_index_follows_the_journal(library: Library) -> None:
    """Only what changed is sent with `since`; without a change it is 304."""
    number = library.add(Verdict.QUARANTINE)
    library.add(Verdict.TAG)
    with library.client() as client:
        first = client.get(f"{API}/index")
        same = client.get(f"{API}/index", headers={"If-None-Match": first.headers["etag"]})
        assert (same.status_code, same.content) == (304, b"")
        change = first.json()["change"]

        library.execute("UPDATE decision SET restored_at = 1 WHERE id = ?", number)
        assert shown(client, f"?since={change}") == [(number, "restored")]
        library.execute("INSERT INTO answer VALUES (2, 'right', 1)")
        assert shown(client) == [(2, "tag confirmed"), (1, "restored")]
        library.execute("DELETE FROM answer")
        assert shown(client) == [(2, "tagged"), (1, "restored")]
        assert client.get(f"{API}/index?since=5").json()["full"] is True
        changes = client.get(f"{API}/changes?since={change}").json()
        assert changes["ids"] == [2, 1]


def test_an_open_plan_is_read_again(library: Library) -> None:
    """Its outcome comes later, under the same number."""
    number = library.add(Verdict.QUARANTINE, state=PlanState.OPEN)
    with library.client() as client:
        assert shown(client) == [(number, "unfinished")]
        library.execute("UPDATE decision SET state = 'done' WHERE id = ?", number)
        assert shown(client) == [(number, "rejected")]


def test_a_later_decision_takes_the_place_of_an_earlier_one(library: Library) -> None:
    """Unless the earlier photo is in quarantine: then there are two photos."""
    old = library.add(Verdict.TAG, name="a.jpg")
    away = library.add(Verdict.QUARANTINE, name="b.jpg")
    with library.client() as client:
        change = client.get(f"{API}/index").json()["change"]
        again = library.add(Verdict.TAG, name="a.jpg", data=b"new")
        other = library.add(Verdict.TAG, name="b.jpg", data=b"other")
        answer = client.get(f"{API}/index?since={change}").json()

        assert [number for number, _ in shown(client)] == [other, again, away]
        assert answer["gone"] == [old]
        assert columns(answer)["id"] == [other, again]


def test_deleted_history_is_forgotten(library: Library) -> None:
    """The journal deletes old decisions."""
    library.add(Verdict.TAG)
    library.add(Verdict.TAG)
    with library.client() as client:
        change = client.get(f"{API}/index").json()["change"]
        library.execute("DELETE FROM decision WHERE id = 1")
        answer = client.get(f"{API}/index?since={change}").json()

        assert answer["full"] is True
        assert columns(answer)["id"] == [2]


def test_a_photo_without_a_time_is_ordered_by_its_decision(library: Library) -> None:
    """And its column says 0."""
    library.add(Verdict.TAG)
    library.execute("UPDATE decision SET facts = '{}'")
    with library.client() as client:
        found = columns(client.get(f"{API}/index").json())

    assert found["taken"] == [0]


def test_facts_that_cannot_be_read_are_unknown(library: Library) -> None:
    """An older culld stored them."""
    library.add(Verdict.TAG)
    library.execute(
        """UPDATE decision SET facts = '{"camera":{"taken_at":"never","model":7,"exposure":{"iso":"x"}},"focus":"x"}'"""
    )
    with library.client() as client:
        found = columns(client.get(f"{API}/index").json())

    assert (found["taken"], found["focus"]) == ([0], [255])


@pytest.mark.parametrize("verdict", list(Verdict))
def test_states_are_those_of_one_decision(verdict: Verdict) -> None:
    """The columns give what `review_state` gives, in every case that there is."""
    cases = list(
        itertools.product(
            PlanState, (None, *Answer), (False, True), ("", "policy", "deleted", "undecided"), (False, True)
        )
    )
    rows = np.zeros(len(cases), ROW)
    expected = []
    for row, (state, answer, restored, released, superseded) in zip(rows, cases, strict=True):
        decision = decided(
            factories.place(), factories.place(), b"", verdict, 1, state=state,
            restored_at=factories.NOON if restored else None, released=released,
        )  # fmt: skip
        row["verdict"], row["failed"] = VERDICTS.index(verdict), state is not PlanState.DONE
        row["answer"], row["restored"] = 0 if answer is None else list(Answer).index(answer) + 1, restored
        row["released"], row["superseded"] = bool(released), superseded
        expected.append(review_state(decision, answer, superseded=superseded and not decision.away))
    set_states(rows)

    assert [STATES[number] for number in rows["state"]] == expected


def test_the_index_reads_a_stopped_journal(library: Library) -> None:
    """The change number does not fall when it is opened again."""
    library.add(Verdict.TAG)
    index = Index()
    reader = open_review(library.state)
    assert not reader.is_snapshot
    assert index.refresh(reader)
    assert not index.refresh(reader)
    before = index.change
    reader.close()

    index.forget_version()
    reader = open_review(library.state)
    assert not index.refresh(reader)
    assert index.change == before
    reader.close()


def test_tiles_and_facts(library: Library) -> None:
    """In the order asked for; unknown numbers are left out."""
    first = library.add(Verdict.QUARANTINE, name="a\n.jpg", series_id="s1")
    second = library.add(Verdict.TAG, series_id="s1")
    with library.client() as client:
        tiles = client.get(f"{API}/photos?ids={second},{first},77").json()["photos"]
        facts = client.get(f"{API}/photos/{first}").json()

    assert [tile["id"] for tile in tiles] == [second, first]
    assert tiles[1]["name"] == "a\\n.jpg"
    assert (tiles[0]["state"], tiles[0]["width"], tiles[0]["height"]) == ("tagged", 960, 720)
    assert tiles[0]["taken_at"] == (taken(2)).isoformat()
    assert facts["burst"] == [first, second]
    assert facts["scores"]["blur"] == 0.99
    assert facts["thresholds"]["blur"] == {"tag": 0.5, "reject": 0.97}
    assert [past["verdict"] for past in facts["history"]] == ["quarantine"]
    assert facts["would_change"][0] == (
        "With a threshold above 0.990 it would not be rejected for blur (policy.defects.blur.reject is 0.97)."
    )


@pytest.mark.parametrize("ids", ["", "x", "1,", "1,,2", "-1", ",".join(["1"] * 201), "1;2"])
def test_tiles_need_numbers(library: Library, ids: str) -> None:
    """One to two hundred of them."""
    with library.client() as client:
        assert client.get(f"{API}/photos", params={"ids": ids}).status_code == 422


def test_an_older_journal_is_refused(library: Library) -> None:
    """The daemon upgrades it; it is not opened as a snapshot either."""
    library.execute("PRAGMA user_version = 4")
    with pytest.raises(SystemFaultError, match="format of an older culld"):
        open_review(library.state)


def test_a_new_process_knows_what_the_last_one_knew(library: Library) -> None:
    """The ETag of the browser holds, and only what changed meanwhile is read."""
    library.add(Verdict.QUARANTINE, name="\udcff/a.jpg", series_id="s1")
    library.add(Verdict.TAG, state=PlanState.OPEN, series_id="s1")
    with library.client() as client:
        before = client.get(f"{API}/index")
    (file,) = (library.folder / "cache").glob("index-*.npz")
    with library.client() as client:
        again = client.get(f"{API}/index", headers={"If-None-Match": before.headers["etag"]})
        assert again.status_code == 304
    library.execute("UPDATE decision SET state = 'done', now_root = root, now_relative = relative WHERE id = 2")
    library.execute("UPDATE decision SET restored_at = 1 WHERE id = 1")
    new = library.add(Verdict.TAG)
    with library.client() as client:
        answer = client.get(f"{API}/index?since={before.json()['change']}").json()
        assert columns(answer)["id"] == [new, 2, 1]
        fresh = client.get(f"{API}/index").json()
    file.unlink()
    with library.client() as client:
        whole = client.get(f"{API}/index").json()
    assert {name: each for name, each in fresh.items() if name != "change"} == {
        name: each for name, each in whole.items() if name != "change"
    }


def test_a_snapshot_of_another_journal_is_not_used(library: Library) -> None:
    """Nor one that is damaged."""
    library.add(Verdict.QUARANTINE)
    with library.client() as client:
        client.get(f"{API}/index")
    library.execute("UPDATE decision SET plan = 'other', verdict = 'tag'")
    with library.client() as client:
        assert shown(client) == [(1, "tagged")]
    (file,) = (library.folder / "cache").glob("index-*.npz")
    for content in (b"", b"PK\x03\x04", file.read_bytes()[:-30]):
        file.write_bytes(content)
        with library.client() as client:
            assert shown(client) == [(1, "tagged")]


def test_a_photo_that_came_back_beside_another_one_is_still_there(library: Library) -> None:
    """Its old path has another photo by now; it got another name."""
    number = library.add(Verdict.QUARANTINE, name="a.jpg")
    other = library.add(Verdict.TAG, name="a.jpg", data=b"other")
    with library.client() as client:
        assert shown(client) == [(other, "tagged"), (number, "rejected")]
        library.execute(
            "UPDATE decision SET restored_at = 1, now_root = root, now_relative = ? WHERE id = ?", b"a~1.jpg", number
        )
        assert shown(client) == [(other, "tagged"), (number, "restored")]
        again = library.add(Verdict.KEEP, name="a~1.jpg", data=b"again")
        assert shown(client, "?kept=1") == [(again, "kept"), (other, "tagged")]


def test_the_head_of_the_stream_of_changes_has_an_end(library: Library) -> None:
    """The stream itself has none."""
    with library.client() as client:
        answer = client.head(f"{API}/events")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")


def test_a_journal_that_was_replaced_is_opened(library: Library) -> None:
    """As after a damaged one was set aside; what the old one held is forgotten."""
    library.add(Verdict.TAG)
    library.add(Verdict.TAG)
    with library.client() as client:
        change = client.get(f"{API}/index").json()["change"]
        for file in library.state.glob("journal.sqlite3*"):
            file.rename(file.with_name(f"old-{file.name}"))
        library.add(Verdict.QUARANTINE)
        answer = client.get(f"{API}/index?since={change}").json()

        assert answer["full"] is True
        assert shown(client) == [(1, "rejected")]
