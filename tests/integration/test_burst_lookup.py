"""The frames of a series as the journal holds them, for `culld why` and for the review page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from culld.app.burst_lookup import MOST_FRAMES, find_burst_view
from culld.app.burst_view import BurstView
from culld.app.decision_json import burst_json
from culld.app.decisions import explain_decision
from culld.config import load_config
from culld.files.mount_guard import write_marker
from culld.journal.store import SqliteJournal
from culld.records import (
    BY_PERSON,
    Assessment,
    Camera,
    Plan,
    RootedPath,
    Series,
    SeriesKind,
    Stack,
    Subject,
    Verdict,
)
from harness import factories, fakes
from harness.review_library import API, Library


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    """An empty journal."""
    with SqliteJournal.open(tmp_path / "journal.sqlite3", fakes.FakeClock()) as found:
        yield found


def shot(number: int, blur: float = 0.1) -> Assessment:
    """A frame that was taken so many seconds after noon."""
    found = factories.assessment(f"{number}.jpg", blur=blur)
    camera = Camera("X100", factories.NOON + timedelta(seconds=number))
    photo = replace(factories.photo(f"{number}.jpg", b"%d" % number), camera=camera)
    return replace(found, photo=photo, subject=Subject())


def judged(
    journal: SqliteJournal, one: Assessment, series: Series | None, verdict: Verdict = Verdict.KEEP, **more: object
) -> Plan:
    """Store the decision about a frame as carried out; a rejected one is in quarantine."""
    plan = factories.plan(Stack(one, series=series), verdict)
    plan = replace(plan, **{"id": f"{plan.id}-{len(journal.decisions(9999))}"} | more)
    outcome = factories.outcome(plan)
    if verdict is Verdict.QUARANTINE:
        outcome = replace(outcome, now=factories.place(one.photo.place.relative.name, "/quarantine"))
    with journal.intend([plan]) as intent:
        intent.close(outcome)
    return plan


def view_of(journal: SqliteJournal, name: str) -> BurstView | None:
    """The view asked for at the photo that is or was at a path."""
    return find_burst_view(journal, journal.history_of(factories.place(name)), factories.rules())


def test_frames_are_found_by_the_series_in_the_order_of_time(journal: SqliteJournal) -> None:
    """Whichever was judged first; a photo without a series has no view."""
    shots = [shot(number, blur) for number, blur in enumerate((0.9, 0.1, 0.3))]
    series = Series(SeriesKind.BURST, tuple(shots))
    for one in reversed(shots):
        judged(journal, one, series)
    judged(journal, shot(9), None)

    found = view_of(journal, "2.jpg")

    assert found is not None
    assert [note.frame.name for note in found.rows] == ["0.jpg", "1.jpg", "2.jpg"]
    assert found.best is not None
    assert found.best.name == "1.jpg"
    assert [note.text for note in found.rows] == [
        "more likely blurred: 0.90 against 0.10",
        "the best frame",
        "more likely blurred: 0.30 against 0.10",
    ]
    assert view_of(journal, "9.jpg") is None


def test_a_frame_that_came_later_joins_the_view_of_the_earlier_ones(journal: SqliteJournal) -> None:
    """The earlier decision does not name it."""
    shots = [shot(number, 0.9 - number / 3) for number in range(3)]
    for one in shots[:2]:
        judged(journal, one, Series(SeriesKind.BURST, tuple(shots[:2])))
    judged(journal, shots[2], Series(SeriesKind.BURST, tuple(shots)))

    found = view_of(journal, "0.jpg")

    assert found is not None
    assert found.best is not None
    assert found.best.name == "2.jpg"
    assert found.notes[0] == "2.jpg arrived after this decision."


def test_a_frame_that_a_person_rejected_stays_in_the_view(journal: SqliteJournal) -> None:
    """The decision of a person names no series; the view is the same from there."""
    shots = [shot(0, 0.1), shot(1, 0.3)]
    for one in shots:
        judged(journal, one, Series(SeriesKind.BURST, tuple(shots)))
    judged(journal, shots[0], None, Verdict.QUARANTINE, rule=BY_PERSON)

    for name in ("0.jpg", "1.jpg"):
        found = view_of(journal, name)
        assert found is not None
        assert found.best is not None
        assert found.best.name == "1.jpg"
        assert [note.frame.state_text for note in found.rows] == ["rejected by a person", "kept"]


def test_another_photo_at_the_path_of_a_frame_is_none(journal: SqliteJournal) -> None:
    """A camera counts its names from the start again."""
    shots = [shot(0), shot(1)]
    for one in shots:
        judged(journal, one, Series(SeriesKind.BURST, tuple(shots)))
    other = replace(shots[1], photo=replace(shots[1].photo, digest="f" * 64))
    judged(journal, other, None)

    found = view_of(journal, "0.jpg")

    assert found is not None
    assert [note.frame.name for note in found.rows] == ["0.jpg"]
    assert view_of(journal, "1.jpg") is None


def test_a_restored_frame_has_its_state(journal: SqliteJournal) -> None:
    """Under the name that it had."""
    shots = [shot(0, 0.99), shot(1)]
    moved = judged(journal, shots[0], Series(SeriesKind.BURST, tuple(shots)), Verdict.QUARANTINE)
    judged(journal, shots[1], Series(SeriesKind.BURST, tuple(shots)))
    journal.note_restored(moved.id, {shots[0].photo.digest}, factories.place("0~1.jpg"), factories.stamp())

    found = view_of(journal, "0~1.jpg")

    assert found is not None
    assert [note.frame.state_text for note in found.rows] == ["brought back by a person", "kept"]


def statements(journal: SqliteJournal, name: str) -> int:
    """How many statements of SQL a view takes."""
    asked: list[str] = []
    history = journal.history_of(factories.place(name))
    journal._db.set_trace_callback(asked.append)
    find_burst_view(journal, history, factories.rules())
    journal._db.set_trace_callback(None)
    return len(asked)


def test_a_view_takes_as_many_queries_for_many_frames_as_for_two(journal: SqliteJournal) -> None:
    """Of a longer series only the frames taken nearest to the photo are read."""
    few, many = [shot(1000), shot(1001)], [shot(number) for number in range(MOST_FRAMES + 30)]
    for shots in (few, many):
        series = Series(SeriesKind.BURST, tuple(shots))
        plans = [replace(factories.plan(Stack(one, series=series)), id=f"p-{one.photo.place}") for one in shots]
        with journal.intend(plans) as intent:
            for plan in plans:
                intent.close(factories.outcome(plan))

    assert statements(journal, "0.jpg") == statements(journal, "1000.jpg") == 3
    found = view_of(journal, "80.jpg")
    assert found is not None
    assert len(found.rows) == MOST_FRAMES
    assert "80.jpg" in {note.frame.name for note in found.rows}
    assert "0.jpg" not in {note.frame.name for note in found.rows}
    assert any("30 decisions about frames farther away" in note for note in found.notes)


def test_page_and_command_show_the_same_records(tmp_path: Path) -> None:
    """Only the command looks for the files."""
    library = Library(tmp_path)
    places = tuple(RootedPath(tmp_path / "photos", Path(name)) for name in ("IMG_1.jpg", "IMG_2.jpg"))
    first = library.add(Verdict.TAG, series_id="s1")
    second = library.add(Verdict.KEEP, series_id="s1")
    facts = '{"series":{"kind":"burst","members":["IMG_1.jpg","IMG_2.jpg"]},"subject":{"faces":[],"sharpness":%s}}'
    for number, sharpness in ((first, 0.12), (second, 0.25)):
        library.execute("UPDATE decision SET facts = ? WHERE id = ?", facts % sharpness, number)
    with library.client() as client:
        shown = client.get(f"{API}/photos/{first}").json()

    config = load_config(tmp_path / "c.yaml", library.environ)
    explained = explain_decision(config, places[0].path)

    assert explained is not None
    assert shown["burst_view"] == burst_json(explained.burst)
    assert shown["burst"] == [frame["id"] for frame in shown["burst_view"]["frames"]] == [first, second]
    assert shown["burst_view"]["best"]["id"] == second
    assert shown["burst_view"]["frames"][0]["text"].startswith("much softer: 0.12 against 0.25 1/px")

    write_marker(tmp_path / "photos")  # as every run does: without it the disk may be offline
    places[1].path.unlink()
    explained = explain_decision(config, places[0].path)
    assert explained is not None
    assert explained.burst is not None
    assert [note.frame.is_gone for note in explained.burst.rows] == [False, True]
    assert explained.burst.best is not None
    assert explained.burst.best.name == "IMG_1.jpg"
