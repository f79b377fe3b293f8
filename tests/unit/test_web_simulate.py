"""Simulations and reports of the page: those of `culld policy simulate` and `culld report`."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import yaml

from culld.app.report import report_rejects
from culld.app.review.intervals import wilson
from culld.config import load_config
from culld.records import Camera, Scores, Verdict
from culld.stages.decide.feedback import Feedback
from harness.review_library import API, Library

POLICY = "policy: {mode: enforce, protect: {smaller_than: never}}\n"


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """Forty photos with scores of all sizes."""
    library = Library(tmp_path)
    (tmp_path / "c.yaml").write_text(
        f"watch: [{{path: photos}}]\nquarantine: q\nstate: state\n{POLICY}web: {{hosts: [nas.local]}}\n"
    )
    dice = random.Random(5)  # noqa: S311
    digest = load_config(tmp_path / "c.yaml", library.environ).policies(lambda *_: 0.5).default.digest
    for _ in range(40):
        scores = Scores(round(dice.random(), 3), round(dice.random() ** 3, 3), round(dice.random() ** 3, 3))
        reject = scores.blur >= 0.97
        tag = scores.blur >= 0.5 or scores.under >= 0.6 or scores.over >= 0.6
        verdict = Verdict.QUARANTINE if reject else Verdict.TAG if tag else Verdict.KEEP
        library.add(verdict, scores=scores, policy=digest)
    return library


def simulated(library: Library, **defects: dict[str, float | None]) -> dict[str, object]:
    """The answer for some thresholds."""
    with library.client() as client:
        answer = client.post(f"{API}/simulate", json={"defects": defects, "ids": True})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


@pytest.mark.parametrize("reject", [0.99, 0.9, 0.5, 0.0, None])
def test_the_photos_that_change_sides_are_those_of_the_policy(library: Library, reject: float | None) -> None:
    """As the thresholds say; nothing protects these photos."""
    found = simulated(library, blur={"tag": 0.0, "reject": reject})
    with library.client() as client:
        every = [client.get(f"{API}/photos/{number}").json() for number in range(1, 41)]
    move = {each["id"] for each in every if reject is not None and 0.97 > each["scores"]["blur"] >= reject}
    back = {
        each["id"]
        for each in every
        if each["scores"]["blur"] >= 0.97 and not (reject is not None and each["scores"]["blur"] >= reject)
    }

    assert set(found["ids"]["move"]) == move
    assert set(found["ids"]["come_back"]) == back
    assert (found["would_move"], found["would_come_back"]) == (len(move), len(back))
    assert found["then"]["rejected"] - found["now"]["rejected"] == len(move) - len(back)
    assert sum(found["now"].values()) == sum(found["then"].values()) == 40
    assert found["exact"] is True


def test_the_nearest_come_first(library: Library) -> None:
    """They are the best ones to look at."""
    found = simulated(library, blur={"tag": 0.5, "reject": 0.6})
    with library.client() as client:
        scores = [client.get(f"{API}/photos/{number}").json()["scores"] for number in found["ids"]["move"]]
    distance = [
        min(abs(each["blur"] - 0.6), abs(each["blur"] - 0.5), abs(each["under"] - 0.6), abs(each["over"] - 0.6), 0.7)
        for each in scores
    ]

    assert distance == sorted(distance)


def test_tags_that_come_and_go(library: Library) -> None:
    """Of photos that are not moved."""
    fewer, more = simulated(library, blur={"tag": 0.9}), simulated(library, blur={"tag": 0.2})

    assert fewer["would_untag"] > 0
    assert fewer["would_tag"] == 0
    assert more["would_tag"] > 0
    assert more["would_untag"] == 0
    assert fewer["would_move"] == more["would_move"] == 0


def test_no_change_changes_nothing(library: Library) -> None:
    """The thresholds in force."""
    found = simulated(library)

    assert found["now"] == found["then"]
    assert not any(found[f"would_{name}"] for name in ("move", "come_back", "tag", "untag"))
    assert yaml.safe_load(found["yaml"])["policy"]["defects"]["blur"] == {"tag": 0.5, "reject": 0.97}


def test_what_a_person_decided_stays(library: Library) -> None:
    """Brought back, untagged, or rejected by a person."""
    restored = library.add(Verdict.QUARANTINE, scores=Scores(0.99, 0, 0))
    library.execute("UPDATE decision SET restored_at = 1 WHERE id = ?", restored)
    untagged = library.add(Verdict.TAG, scores=Scores(0.8, 0, 0))
    library.execute("INSERT INTO answer VALUES (?, 'untagged', 1)", untagged)
    by_person = library.add(Verdict.QUARANTINE, scores=Scores(0.1, 0, 0), rule="person")
    for reject in (0.0, None):
        found = simulated(library, blur={"tag": 0.0, "reject": reject})
        named = {number for ids in found["ids"].values() for number in ids}
        assert not named & {restored, untagged, by_person}


def test_a_night_scene_is_not_under_exposed(library: Library) -> None:
    """Columns know the light value."""
    number = library.add(Verdict.KEEP, scores=Scores(0.0, 0.9, 0.0))
    library.execute(
        "UPDATE decision SET facts = json_set(facts, '$.camera.exposure', json(?)) WHERE id = ?",
        '{"seconds":1,"aperture":1,"iso":100}',
        number,
    )
    found = simulated(library, under={"tag": 0.1, "reject": 0.5})

    assert number not in found["ids"]["move"]
    assert number not in found["ids"]["tag"]
    assert Camera().exposure.light_value is None


def test_protection_holds_for_photos_that_change_sides(library: Library) -> None:
    """They are decided about again with all their facts: this one is rated."""
    number = library.add(Verdict.TAG, scores=Scores(0.9, 0, 0))
    assert number in simulated(library, blur={"reject": 0.85})["ids"]["move"]
    library.execute(
        "UPDATE decision SET facts = json_set(facts, '$.care', json('{\"rated\":[\"3 stars\"]}')) WHERE id = ?", number
    )

    assert number not in simulated(library, blur={"reject": 0.85})["ids"]["move"]


@pytest.mark.parametrize(
    "body",
    [
        {"defects": {"noise": {"tag": 0.5}}},
        {"defects": {"blur": {"tag": 1.5}}},
        {"defects": {"blur": {"tag": "0.5"}}},
        {"defects": {"blur": {"tag": True}}},
        {"defects": {"blur": {"tag": None}}},
        {"defects": {"blur": {"tag": 0.9, "reject": 0.5}}},
        {"defects": {"blur": {"reject": 0.4}}},
        {"defects": {"blur": 0.5}},
        {"defects": []},
        {"defects": {"blur": {"tag": 0.5, "x": 1}}},
        {"ids": 1},
        {"mode": "enforce"},
    ],
)
def test_thresholds_that_make_no_policy_are_refused(library: Library, body: dict[str, object]) -> None:
    """With one sentence."""
    with library.client() as client:
        assert client.post(f"{API}/simulate", json=body).status_code == 422
        content = b'{"defects": {"blur": {"tag": NaN}}}'
        answer = client.post(f"{API}/simulate", content=content, headers={"Content-Type": "application/json"})
        assert answer.status_code == 422


def answered(library: Library) -> None:
    """Some of the rejects get an answer, in every way."""
    library.execute(
        "UPDATE decision SET restored_at = 1 WHERE id = (SELECT min(id) FROM decision WHERE verdict = 'quarantine')"
    )
    last = "(SELECT max(id) FROM decision WHERE verdict = 'quarantine')"
    library.execute(f"UPDATE decision SET released = 'deleted' WHERE id = {last}")  # noqa: S608 (a constant)
    for released in ("undecided", "unclear", "trash"):
        number = library.add(Verdict.QUARANTINE, rule="policy.rules.mine")
        library.execute(
            "UPDATE decision SET released = ?, restored_at = ? WHERE id = ?",
            released,
            1 if released == "undecided" else None,
            number,
        )


def test_the_report_is_that_of_the_command(library: Library) -> None:
    """Where no answer was given on the page."""
    for score in (0.98, 0.985, 0.995):
        library.add(Verdict.QUARANTINE, scores=Scores(score, 0, 0))
    answered(library)
    with library.client() as client:
        found = client.get(f"{API}/report").json()
    expected = report_rejects(library.state, None)

    for group in ("defect", "camera", "rule"):
        assert {(each["name"], each["rejected"], each["false"], each["answers"]) for each in found["rates"][group]} == {
            (
                each.name,
                each.counts.total(),
                each.counts[Feedback.FALSE_REJECT],
                each.counts[Feedback.FALSE_REJECT] + each.counts[Feedback.CONFIRMED],
            )
            for each in expected.groups[group]
        }
    assert found["rates"]["month"][0]["name"] == "2026-05"
    assert found["counts"] == {verdict.value: count for verdict, count in expected.decisions.items()}


def test_answers_on_the_page_count(library: Library) -> None:
    """Rejects that were confirmed, tags that were confirmed or taken out: promised against seen."""
    number = library.add(Verdict.QUARANTINE, scores=Scores(0.98, 0, 0))
    library.execute("INSERT INTO answer VALUES (?, 'right', 1)", number)
    for answer in ("right", "untagged"):
        number = library.add(Verdict.TAG, scores=Scores(0.75, 0, 0))
        library.execute("INSERT INTO answer VALUES (?, ?, 1)", number, answer)
    with library.client() as client:
        found = client.get(f"{API}/report")
        again = client.get(f"{API}/report", headers={"If-None-Match": found.headers["etag"]})
        rates = client.post(f"{API}/simulate", json={}).json()["false_rejects"]["blur"]
    classes = {each["from"]: each for each in found.json()["calibration"]["blur"]}

    assert again.status_code == 304
    assert (classes[0.7]["promised"], classes[0.7]["answers"], classes[0.7]["right"]) == (0.75, 2, 1)
    assert (classes[0.97]["answers"], classes[0.97]["right"]) == (1, 1)
    assert rates == {"answers": 1, "false": 0, "low": 0.0, "high": round(wilson(0, 1)[1], 4)}


def test_the_status(library: Library) -> None:
    """Of a stopped daemon, with a wish that waits."""
    (library.state / "wishes").mkdir()
    (library.state / "wishes" / "x.json").write_text("")
    (library.state / "wishes" / ".x.part").write_text("")
    with library.client() as client:
        found = client.get(f"{API}/status").json()

    assert (found["daemon"], found["wishes_waiting"], found["mode"]) == ("stopped", 1, "enforce")
    assert sum(found["counts"].values()) == 40


def test_a_configuration_with_a_mistake_keeps_the_last_policy(library: Library) -> None:
    """The file is being edited."""
    with library.client() as client:
        before = client.get(f"{API}/session").json()["settings"]["policy"]
        (library.folder / "c.yaml").write_text("watch: [")
        assert client.get(f"{API}/session").json()["settings"]["policy"] == before


@pytest.mark.parametrize(
    ("hits", "total", "low", "high"),
    [(0, 0, 0.0, 1.0), (0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0)],
)
def test_the_interval_is_wilsons(hits: int, total: int, low: float, high: float) -> None:
    """Values of the formula from the literature (Brown, Cai and DasGupta 2001)."""
    assert wilson(hits, total) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))
