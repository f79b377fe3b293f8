"""Repaired copies in the journal: which are asked for, in which order they are made, and how each one ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from culld.journal.review import ReviewReader
from culld.journal.store import SqliteJournal
from culld.records import BY_PERSON, CopyState, PlanState, RootedPath, Stack, Verdict
from harness import factories, fakes

PHOTOS, QUARANTINE = Path("/photos"), Path("/quarantine")
COPY = factories.place("a.enhanced.jpg")


@pytest.fixture
def clock() -> fakes.FakeClock:
    """Noon."""
    return fakes.FakeClock()


@pytest.fixture
def journal(tmp_path: Path, clock: fakes.FakeClock) -> Iterator[SqliteJournal]:
    """An empty journal."""
    with SqliteJournal.open(tmp_path / "journal.sqlite3", clock) as found:
        yield found


def decide(journal: SqliteJournal, name: str, verdict: Verdict = Verdict.QUARANTINE, **more: object) -> int:
    """Decide about a photo, and carry the plan out; return the number of the decision."""
    plan = factories.plan(Stack(factories.assessment(name)), verdict)
    rejected = {"would_reject": verdict is Verdict.QUARANTINE}
    plan = replace(plan, **{**rejected, **more})  # type: ignore[arg-type]
    with journal.intend([plan]) as intent:
        now = factories.place(name, str(QUARANTINE)) if verdict is Verdict.QUARANTINE else plan.photo.place
        intent.close(replace(factories.outcome(plan), now=now))
    number = journal.number_of(plan.id)
    assert number is not None
    return number


def waiting(journal: SqliteJournal, roots: tuple[Path, ...] = (PHOTOS,)) -> list[int]:
    """The decisions whose copies can be made now."""
    return [each.decision for each in journal.next_copies(roots, QUARANTINE, 10)]


def test_photos_that_the_policy_rejects_get_a_copy(journal: SqliteJournal) -> None:
    """Also where they were only tagged; not those of another policy or of a person, nor kept and restored ones."""
    moved = decide(journal, "moved.jpg")
    tagged = decide(journal, "tagged.jpg", Verdict.TAG, would_reject=True)
    decide(journal, "kept.jpg", Verdict.KEEP)
    decide(journal, "old.jpg", policy="policy-0")
    decide(journal, "person.jpg", rule=BY_PERSON)
    decide(journal, "restored.jpg")
    journal.note_restored("plan-restored.jpg", set(), factories.place("restored.jpg"), None)

    journal.ask_for_rejected({"policy-1"}, 0)

    assert waiting(journal) == [moved, tagged]
    assert journal.copies_waiting() == 2


def test_a_photo_is_asked_for_once(journal: SqliteJournal) -> None:
    """A copy that was refused is not tried again."""
    moved = decide(journal, "moved.jpg")
    after = journal.ask_for_rejected({"policy-1"}, 0)
    journal.end_copy(moved, CopyState.NONE, "it is burnt out")
    journal.ask_for_rejected({"policy-1"}, 0)

    assert waiting(journal) == []
    assert after == moved


def test_a_decision_that_has_not_ended_is_looked_at_again(journal: SqliteJournal) -> None:
    """Later ones do not hide it."""
    plan = replace(factories.plan(Stack(factories.assessment("open.jpg")), Verdict.QUARANTINE), would_reject=True)
    with journal.intend([plan]):
        pass
    later = decide(journal, "later.jpg")
    after = journal.ask_for_rejected({"policy-1"}, 0)
    assert waiting(journal) == [later]

    (unfinished,) = journal.unfinished()
    journal.finish(unfinished, factories.place("open.jpg", str(QUARANTINE)), None, plan.photo.digest)
    assert journal.ask_for_rejected({"policy-1"}, after) == later

    assert waiting(journal) == [journal.number_of(plan.id), later]


def test_copies_wait_for_the_folders_of_their_photos(journal: SqliteJournal) -> None:
    """The one in which a photo was found, and the one in which it is: an older quarantine is not looked at."""
    kept, moved = decide(journal, "kept.jpg", Verdict.KEEP), decide(journal, "moved.jpg")
    for number in (kept, moved):
        journal.ask_for_copy(number)

    assert waiting(journal) == [kept, moved]
    assert waiting(journal, roots=(Path("/other"),)) == []
    assert waiting(journal, roots=()) == []
    assert [each.decision for each in journal.next_copies([PHOTOS], Path("/other"), 10)] == [kept]
    assert [each.decision for each in journal.next_copies([PHOTOS], QUARANTINE, 1)] == [kept]


def test_people_come_first(journal: SqliteJournal, clock: fakes.FakeClock) -> None:
    """Then those that were asked for first."""
    one, two, three = (decide(journal, name) for name in ("a.jpg", "b.jpg", "c.jpg"))
    journal.ask_for_rejected({"policy-1"}, 0)
    journal.end_copy(three, CopyState.FAILED, "the worker was lost")
    clock.advance(5)
    journal.ask_for_copy(three)

    assert waiting(journal) == [three, one, two]


def test_a_copy_is_begun_before_its_file_is_written_and_then_made(journal: SqliteJournal) -> None:
    """Both moments are stored, with the place and the digest of the file."""
    number = decide(journal, "a.jpg")
    journal.ask_for_copy(number)

    assert journal.begin_copy(number, COPY, "d1", "exposure", "better")
    assert not journal.begin_copy(number, COPY, "d2", "jpeg", "better")
    (begun,) = journal.begun_copies()
    assert (begun.place, begun.digest, begun.state, begun.ended_at) == (COPY, "d1", CopyState.BEGUN, None)
    assert journal.end_copy(number, CopyState.MADE, "under 0.9 to 0.1")

    found = journal.copy_of(number)
    assert found is not None
    assert (found.state, found.repair, found.reason) == (CopyState.MADE, "exposure", "under 0.9 to 0.1")
    assert (found.place, found.digest, found.by_person) == (COPY, "d1", True)
    assert (found.asked_at, found.ended_at) == (factories.NOON, factories.NOON)
    assert not journal.end_copy(number, CopyState.FAILED, "too late")


def test_a_copy_that_failed_names_no_file(journal: SqliteJournal) -> None:
    """A file of that name belongs to another program; a copy that was made keeps its place."""
    failed, made = decide(journal, "a.jpg"), decide(journal, "b.jpg")
    for number in (failed, made):
        journal.ask_for_copy(number)
        journal.begin_copy(number, COPY, "d1", "exposure", "better")
    journal.end_copy(made, CopyState.MADE, "better")

    assert journal.end_copy(failed, CopyState.NONE, "the name is taken")
    assert not journal.end_copy(made, CopyState.NONE, "the name is taken")

    found = [journal.copy_of(number) for number in (failed, made)]
    assert [(each.state, each.place, each.digest) for each in found if each is not None] == [
        (CopyState.NONE, None, ""),
        (CopyState.MADE, COPY, "d1"),
    ]


def test_a_copy_that_was_taken_back_is_neither_begun_nor_made(journal: SqliteJournal) -> None:
    """Until a person asks for it again."""
    number = decide(journal, "a.jpg")
    journal.ask_for_copy(number)
    journal.note_copy_removed(number, "the photo was restored")

    assert not journal.begin_copy(number, COPY, "d1", "exposure", "better")
    assert not journal.end_copy(number, CopyState.MADE, "better")
    assert waiting(journal) == []
    journal.ask_for_copy(number)
    assert waiting(journal) == [number]


def test_asking_again_changes_nothing_while_a_copy_waits(journal: SqliteJournal) -> None:
    """Nor while its file is written; a copy that ended is made anew."""
    number = decide(journal, "a.jpg")
    journal.ask_for_copy(number)
    journal.begin_copy(number, COPY, "d1", "exposure", "better")
    journal.ask_for_copy(number)
    assert [each.decision for each in journal.begun_copies()] == [number]

    journal.end_copy(number, CopyState.MADE, "better")
    journal.ask_for_copy(number)

    found = journal.copy_of(number)
    assert found is not None
    assert (found.state, found.place, found.digest, found.reason) == (CopyState.WAITING, None, "", "")


def test_a_delayed_copy_waits_until_it_is_due(journal: SqliteJournal, clock: fakes.FakeClock) -> None:
    """The reason is stored, and the tries are counted."""
    number = decide(journal, "a.jpg")
    journal.ask_for_copy(number)
    journal.begin_copy(number, COPY, "d1", "exposure", "better")
    journal.delay_copy(number, "the disk is full", clock.now() + timedelta(minutes=1))

    assert waiting(journal) == []
    clock.advance(61)
    assert waiting(journal) == [number]
    journal.delay_copy(number, "the worker was lost")
    assert waiting(journal) == [number]
    found = journal.copy_of(number)
    assert found is not None
    assert (found.reason, found.tries, found.place) == ("the worker was lost", 2, None)


def test_copies_that_can_be_undone_come_with_their_decisions(journal: SqliteJournal) -> None:
    """Those that wait or are made, not the refused ones."""
    made, refused, waits = (decide(journal, name) for name in ("a.jpg", "b.jpg", "c.jpg"))
    for number in (made, refused, waits):
        journal.ask_for_copy(number)
    journal.begin_copy(made, COPY, "d1", "exposure", "better")
    journal.end_copy(made, CopyState.MADE, "better")
    journal.end_copy(refused, CopyState.NONE, "worse")

    found = [(copy.decision, decision.place.relative.name) for copy, decision in journal.undoable_copies()]
    assert found == [(made, "a.jpg"), (waits, "c.jpg")]


def test_the_review_page_reads_a_copy_and_sees_the_change(journal: SqliteJournal, clock: fakes.FakeClock) -> None:
    """Its version differs afterwards; a path that is no UTF-8 is read as well."""
    number = decide(journal, "a.jpg")
    reader = ReviewReader.open(journal.path, clock)
    try:
        before = reader.version()
        assert reader.copy_of(number) is None
        place = RootedPath(PHOTOS, Path("a\udcff.enhanced.jpg"))
        journal.ask_for_copy(number)
        journal.begin_copy(number, place, "d1", "jpeg", "better")

        found = reader.copy_of(number)
        assert found is not None
        assert (found.place, found.repair) == (place, "jpeg")
        assert reader.version() != before
    finally:
        reader.close()


def test_a_copy_is_forgotten_with_its_decision(journal: SqliteJournal) -> None:
    """As the tags are."""
    number = decide(journal, "a.jpg", Verdict.KEEP)
    decide(journal, "b.jpg", Verdict.KEEP)
    journal.ask_for_copy(number)

    assert journal.forget_decisions(factories.NOON + timedelta(days=1), number) == 1

    assert journal.copy_of(number) is None
    assert [each.state for each in journal.decisions()] == [PlanState.DONE]
