"""What the review page reads from the journal: states of photos after everything that may become of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from culld.journal.store import SqliteJournal
from culld.records import (
    BY_PERSON,
    Answer,
    ItemOutcome,
    ItemState,
    Plan,
    RecordedDecision,
    ReviewState,
    Stack,
    Verdict,
    Wish,
    WishItem,
    WishKind,
)
from harness import factories, fakes

ID = "0b6a2f4e-8c1d-4a7b-9e3f-5d2c1b0a9f8e"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    """An empty journal."""
    with SqliteJournal.open(tmp_path / "journal.sqlite3", fakes.FakeClock()) as found:
        yield found


def plan(number: int, verdict: Verdict, name: str = "a.jpg", rule: str = "") -> Plan:
    """A plan about a photo."""
    found = factories.plan(Stack(factories.assessment(name)), verdict)
    return replace(found, id=f"plan-{number}", rule=rule)


def carry_out(journal: SqliteJournal, found: Plan, fault: str | None = None) -> int:
    """Store a plan with its outcome: a rejected photo is in quarantine; return the number of the decision."""
    outcome = factories.outcome(found)
    if found.verdict is Verdict.QUARANTINE and fault is None:
        outcome = replace(outcome, now=factories.place(found.photo.place.relative.name, "/quarantine"))
    with journal.intend([found]) as intent:
        intent.close(replace(outcome, fault=fault))
    number = journal.number_of(found.id)
    assert number is not None
    return number


def state(journal: SqliteJournal, number: int) -> ReviewState:
    """The state of the photo of a decision."""
    return journal.review_states([number])[number]


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (Verdict.KEEP, ReviewState.KEPT),
        (Verdict.TAG, ReviewState.TAGGED),
        (Verdict.QUARANTINE, ReviewState.REJECTED),
        (Verdict.UNREADABLE, ReviewState.UNREADABLE),
    ],
)
def test_a_decision_that_was_carried_out_has_the_state_of_its_verdict(
    journal: SqliteJournal, verdict: Verdict, expected: ReviewState
) -> None:
    """One that was not is unfinished; the decision is found by its number."""
    number = carry_out(journal, plan(1, verdict))
    failed = carry_out(journal, plan(2, verdict, "b.jpg"), "the disk is full")

    assert state(journal, number) is expected
    assert state(journal, failed) is ReviewState.UNFINISHED
    found = journal.decision(number)
    assert isinstance(found, RecordedDecision)
    assert found.plan == "plan-1"


def test_a_later_decision_supersedes_an_earlier_one(journal: SqliteJournal) -> None:
    """One that failed does not; a photo in quarantine and a later one at its path are two."""
    first = carry_out(journal, plan(1, Verdict.KEEP))
    carry_out(journal, plan(2, Verdict.TAG), "the disk is full")
    assert state(journal, first) is ReviewState.KEPT

    moved = carry_out(journal, plan(3, Verdict.QUARANTINE))
    later = carry_out(journal, plan(4, Verdict.KEEP))

    assert [state(journal, number) for number in (first, moved, later)] == [
        ReviewState.SUPERSEDED,
        ReviewState.REJECTED,
        ReviewState.KEPT,
    ]


@pytest.mark.parametrize("why", ["policy", "series"])
def test_a_photo_that_came_back_by_itself_has_left_until_it_is_judged(journal: SqliteJournal, why: str) -> None:
    """Then its decision is superseded."""
    number = carry_out(journal, plan(1, Verdict.QUARANTINE))
    journal.note_returned("plan-1", factories.place(), why)
    assert state(journal, number) is ReviewState.LEFT

    carry_out(journal, plan(2, Verdict.KEEP))
    assert state(journal, number) is ReviewState.SUPERSEDED


def test_a_photo_that_was_thrown_away_has_left(journal: SqliteJournal) -> None:
    """Into the trash, or deleted; another one at its path changes nothing for the first."""
    trashed = carry_out(journal, plan(1, Verdict.QUARANTINE))
    journal.note_trashed("plan-1")
    deleted = carry_out(journal, plan(2, Verdict.QUARANTINE, "b.jpg"))
    journal.note_deleted("plan-2")
    carry_out(journal, plan(3, Verdict.KEEP))

    assert [state(journal, number) for number in (trashed, deleted)] == [ReviewState.LEFT] * 2


def test_a_restored_photo_is_superseded_only_where_it_is_now(journal: SqliteJournal) -> None:
    """Its old name may belong to another photo."""
    number = carry_out(journal, plan(1, Verdict.QUARANTINE))
    journal.note_restored("plan-1", {"1" * 64}, factories.place("a~1.jpg"), factories.stamp())
    carry_out(journal, plan(2, Verdict.KEEP))
    assert state(journal, number) is ReviewState.RESTORED

    carry_out(journal, plan(3, Verdict.KEEP, "a~1.jpg"))
    assert state(journal, number) is ReviewState.SUPERSEDED


def test_a_restore_replaces_the_answer(journal: SqliteJournal) -> None:
    """A confirmed photo that is restored is a false reject; one that is untagged has that answer."""
    moved, tagged = carry_out(journal, plan(1, Verdict.QUARANTINE)), carry_out(journal, plan(2, Verdict.TAG, "b.jpg"))
    journal.take_wish(Wish(ID, WishKind.CONFIRM, (WishItem(moved, ReviewState.REJECTED),)))
    journal.end_items(ID, [], {moved: Answer.RIGHT, tagged: Answer.RIGHT})
    assert [state(journal, each) for each in (moved, tagged)] == [ReviewState.CONFIRMED, ReviewState.TAG_CONFIRMED]
    assert journal.confirmed() == {"plan-1", "plan-2"}

    for number, name in ((1, "a.jpg"), (2, "b.jpg")):
        journal.note_restored(f"plan-{number}", {"1" * 64}, factories.place(name), None)

    assert [state(journal, each) for each in (moved, tagged)] == [ReviewState.RESTORED, ReviewState.UNTAGGED]
    assert journal.confirmed() == frozenset()


def test_a_reject_by_a_person_lifts_the_protection_when_it_is_done(journal: SqliteJournal) -> None:
    """Not when it fails: then the photo stays as it was, and is not tried again by itself."""
    carry_out(journal, plan(1, Verdict.QUARANTINE))
    digest = factories.photo().digest
    journal.note_restored("plan-1", {digest}, factories.place(), factories.photo().stamp)

    carry_out(journal, plan(2, Verdict.QUARANTINE, rule=BY_PERSON), "the disk is full")
    assert journal.is_restored(digest)
    assert journal.open_faults() == []
    assert journal.unseen([factories.photo()]) == []

    number = carry_out(journal, plan(3, Verdict.QUARANTINE, rule=BY_PERSON))
    assert not journal.is_restored(digest)
    assert state(journal, number) is ReviewState.REJECTED


def test_old_wishes_are_forgotten_when_they_have_ended(journal: SqliteJournal) -> None:
    """One that waits stays; so does the order of taking."""
    clock = fakes.FakeClock()
    wish = Wish(ID, WishKind.CONFIRM, (WishItem(1, ReviewState.REJECTED),))
    other = replace(wish, id="1" + ID[1:])
    journal.take_wish(wish)
    journal.take_wish(other)
    assert not journal.end_items(ID, [])
    assert journal.end_items(ID, [ItemOutcome(wish.items[0], ItemState.DONE)])
    clock.advance(10)

    journal.forget_wishes(clock.now())

    assert journal.wish_progress(ID) is None
    assert journal.wish_progress(other.id) is not None
    assert journal.wishes_waiting() == 1


def test_photos_that_were_untagged_before_there_were_answers_have_the_answer(tmp_path: Path) -> None:
    """The journal of the version before the answers is upgraded."""
    path = tmp_path / "journal.sqlite3"
    with SqliteJournal.open(path, fakes.FakeClock()) as journal:
        number = carry_out(journal, plan(1, Verdict.TAG))
        carry_out(journal, plan(2, Verdict.QUARANTINE, "b.jpg"))
        for name in ("plan-1", "plan-2"):
            journal.note_restored(name, {"1" * 64}, factories.place(), None)
    with closing(sqlite3.connect(path)) as db:
        db.executescript(
            "DROP TABLE copy; DROP INDEX decision_unwanted; DROP TABLE answer; DROP TABLE wish_item; DROP TABLE wish;"
            " DROP INDEX decision_not_kept; PRAGMA user_version = 4"
        )

    with SqliteJournal.open(path, fakes.FakeClock()) as journal:
        assert state(journal, number) is ReviewState.UNTAGGED
        assert state(journal, number + 1) is ReviewState.RESTORED
