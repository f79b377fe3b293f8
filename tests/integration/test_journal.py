"""The journal on a real disk."""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from culld.errors import SystemFaultError
from culld.journal.file_state import FileState
from culld.journal.migrations import STEPS
from culld.journal.store import SqliteJournal
from culld.records import (
    Assessment,
    Camera,
    Edit,
    Exposure,
    FileSnapshot,
    FileStat,
    Format,
    Move,
    Outcome,
    Photo,
    Plan,
    PlanState,
    ReadFailure,
    Rewrite,
    RootedPath,
    Scores,
    Series,
    SeriesKind,
    SeriesMembership,
    Stack,
    Verdict,
)
from harness import factories
from harness.fakes import FakeClock

ODD = os.fsdecode(b"2026/\xff\n\x1b.jpg")


@pytest.fixture
def clock() -> FakeClock:
    """Noon."""
    return FakeClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal lies."""
    return tmp_path / "state" / "journal.sqlite"


@pytest.fixture
def journal(path: Path, clock: FakeClock) -> Iterator[SqliteJournal]:
    """A new journal."""
    with SqliteJournal.open(path, clock) as found:
        yield found


def a_plan(name: str = "a.jpg", verdict: Verdict = Verdict.QUARANTINE, *, blur: float = 0.99) -> Plan:
    """A plan with a rewrite of every kind and a move."""
    stack = Stack(factories.assessment(name, blur=blur))
    photo = stack.primary.photo.place
    edits = (Edit(2, b"old", b"new"), Edit(9, b"", b"\0\xff"))
    return replace(
        factories.plan(stack, verdict),
        id=f"plan-{os.fsencode(name).hex()}",
        keywords=("defect:blur",),
        rewrites=(Rewrite(photo, "1" * 64, "2" * 64, edits), Rewrite(photo.beside("s.xmp"), None, "3" * 64, ())),
        moves=(Move(photo, RootedPath(Path("/quarantine"), photo.relative), "2" * 64),),
    )


def photo_of(plan: Plan, **changes: object) -> Photo:
    """The plan's photo, with some fields changed."""
    return replace(plan.photo, **changes)


def done(plan: Plan) -> Outcome:
    """The photo stayed, and was rewritten."""
    return Outcome(plan, plan.photo.place, factories.stamp(200), "2" * 64)


def moved(plan: Plan) -> Outcome:
    """The photo is in quarantine."""
    return Outcome(plan, plan.moves[-1].target, factories.stamp(200), "2" * 64, note="tagged")


def decide(journal: SqliteJournal, outcome: Outcome) -> None:
    """One batch with one plan."""
    with journal.intend([outcome.plan]) as intent:
        intent.close(outcome)


def knows(journal: SqliteJournal, place: RootedPath, stamp: FileStat) -> bool:
    """Return whether a file with this stamp is passed over."""
    return not list(journal.unknown([FileSnapshot(place, stamp)]))


def test_a_decided_photo_is_known_by_the_stamp_that_we_left(journal: SqliteJournal) -> None:
    """Our own write is passed over; any other stamp is not, nor is another place."""
    plan = a_plan()
    decide(journal, done(plan))
    place = plan.photo.place

    assert [True, False, False] == [
        knows(journal, place, factories.stamp(200)),
        knows(journal, place, plan.photo.stamp),
        knows(journal, place.beside("b.jpg"), factories.stamp(200)),
    ]


def test_any_name_and_any_number_is_kept_exactly(journal: SqliteJournal) -> None:
    """Names are bytes, and inode numbers go up to 2**64."""
    plan = a_plan(ODD)
    stamp = replace(factories.stamp(), inode=2**64 - 1, device=2**63, mtime_ns=-5)
    decide(journal, replace(done(plan), stamp=stamp))

    assert knows(journal, plan.photo.place, stamp)
    assert [plan.photo.place] == [decision.place for decision in journal.decisions()]


def test_content_that_was_decided_is_not_judged_again_and_its_new_stamp_is_kept(journal: SqliteJournal) -> None:
    """A file that was only touched costs a digest once."""
    plan = a_plan()
    decide(journal, done(plan))
    touched = photo_of(plan, digest="2" * 64, stamp=factories.stamp(200, mtime_ns=9))
    other = photo_of(plan, digest="5" * 64)

    assert [other] == journal.unseen([touched, other])
    assert knows(journal, touched.place, touched.stamp)


def test_a_photo_that_went_to_quarantine_may_come_again(journal: SqliteJournal) -> None:
    """The same bytes, copied to the same place once more, are judged like any others."""
    plan = a_plan()
    decide(journal, moved(plan))

    assert not knows(journal, plan.photo.place, factories.stamp(200))
    assert [photo_of(plan)] == journal.unseen([photo_of(plan)])


def test_a_judgement_is_recalled_while_the_file_looks_as_it_did(journal: SqliteJournal) -> None:
    """With the camera facts, so that it can be decided about again with another photo of the shot."""
    plan = a_plan(verdict=Verdict.TAG)
    camera = Camera("X", factories.NOON, 6, Exposure(0.004, 2.8, 400, -2 / 3), focal_mm=35.0, auto_bracket=True)
    primary = replace(plan.stack.primary, photo=photo_of(plan, camera=camera, format=Format.RAW))
    plan = replace(plan, stack=replace(plan.stack, primary=primary))
    decide(journal, done(plan))

    assert journal.assessments_at(plan.photo.place, done(plan).stamp) == replace(
        primary, photo=replace(primary.photo, stamp=done(plan).stamp, digest=done(plan).digest)
    )
    assert journal.assessments_at(plan.photo.place, factories.stamp(size=101)) is None
    assert journal.assessments_at(factories.place("b.jpg"), plan.photo.stamp) is None


def test_the_same_content_elsewhere_is_judged(journal: SqliteJournal) -> None:
    """A decision belongs to a place and a content."""
    plan = a_plan()
    decide(journal, done(plan))
    copy = photo_of(plan, place=plan.photo.place.beside("copy.jpg"), digest="2" * 64)

    assert [copy] == journal.unseen([copy])


def test_a_fault_is_retried_later_and_later(journal: SqliteJournal, clock: FakeClock) -> None:
    """A minute, two, four, up to an hour; a file with a new stamp is tried at once."""
    fault = ReadFailure(factories.snapshot(), "permission denied", timedelta(minutes=1))
    waits = []
    for _ in range(8):
        journal.fault(fault)
        (found,) = journal.open_faults()
        assert found.next_at is not None
        waits.append((found.next_at - clock.now()) // timedelta(minutes=1))

    assert [1, 2, 4, 8, 16, 32, 60, 60] == waits
    assert (8, "permission denied") == (found.tries, found.reason)
    assert knows(journal, fault.snapshot.place, fault.snapshot.stamp)
    assert not knows(journal, fault.snapshot.place, factories.stamp(101))
    clock.advance(3600)
    assert not knows(journal, fault.snapshot.place, fault.snapshot.stamp)


def test_a_file_that_cost_three_workers_is_left_alone_until_it_changes(
    journal: SqliteJournal, clock: FakeClock
) -> None:
    """It would cost a minute of a core each hour, for ever."""
    fault = ReadFailure(factories.snapshot(), "took longer than 60 s", timedelta(minutes=1), tries=3)
    changed = replace(fault, snapshot=factories.snapshot(size=7))
    for _ in range(3):
        assert not knows(journal, fault.snapshot.place, fault.snapshot.stamp)
        journal.fault(fault)
        clock.advance(10 * 24 * 3600 if journal.open_faults()[0].next_at is None else 3600)

    assert knows(journal, fault.snapshot.place, fault.snapshot.stamp)
    assert not knows(journal, fault.snapshot.place, changed.snapshot.stamp)
    journal.fault(changed)
    assert [1] == [found.tries for found in journal.open_faults()]


def test_a_long_wait_is_not_cut_short(journal: SqliteJournal, clock: FakeClock) -> None:
    """A file that is too large need not be tried each hour."""
    journal.fault(ReadFailure(factories.snapshot(), "too large", timedelta(days=1)))

    assert [clock.now() + timedelta(days=1)] == [fault.next_at for fault in journal.open_faults()]


def test_a_try_that_a_wrong_clock_put_years_away_is_due(journal: SqliteJournal, clock: FakeClock) -> None:
    """The clock was ahead when the fault was noted, and is right now; and a wait that is allowed is still kept."""
    fault = ReadFailure(factories.snapshot(), "permission denied", timedelta(minutes=1))
    clock.set(timedelta(days=4 * 365))
    journal.fault(fault)
    clock.set(timedelta(days=-4 * 365))

    assert not knows(journal, fault.snapshot.place, fault.snapshot.stamp)
    journal.fault(replace(fault, retry_after=timedelta(days=1)))
    assert knows(journal, fault.snapshot.place, fault.snapshot.stamp)


def test_a_success_ends_the_series_of_faults(journal: SqliteJournal, clock: FakeClock) -> None:
    """The next fault is the first again."""
    plan = a_plan()
    fault = replace(done(plan), fault="the disk is full", retry_after=timedelta(minutes=1))
    decide(journal, fault)
    decide(journal, done(replace(plan, id="second")))
    decide(journal, replace(fault, plan=replace(plan, id="third")))

    assert [1] == [found.tries for found in journal.open_faults()]


def test_a_failed_plan_is_a_fault_and_no_memory_of_its_content(journal: SqliteJournal, clock: FakeClock) -> None:
    """When it is due, the photo is judged again."""
    plan = a_plan()
    decide(
        journal,
        Outcome(plan, plan.photo.place, None, plan.photo.digest, fault="full", retry_after=timedelta(minutes=1)),
    )

    assert knows(journal, plan.photo.place, plan.photo.stamp)
    clock.advance(60)
    assert not knows(journal, plan.photo.place, plan.photo.stamp)
    assert [plan.photo] == journal.unseen([plan.photo])
    assert ["full"] == [decision.fault for decision in journal.decisions()]


def test_an_intent_is_on_disk_before_the_block_begins(journal: SqliteJournal, path: Path, clock: FakeClock) -> None:
    """Another process can see it, with every edit and every move, in order."""
    plans = [a_plan(), a_plan(ODD)]
    with journal.intend(plans), SqliteJournal.open_readonly(path, clock) as other:
        found = other.unfinished()

    assert [(plan.id, plan.photo.place, plan.rewrites, plan.moves) for plan in plans] == [
        (plan.id, plan.photo, plan.rewrites, plan.moves) for plan in found
    ]


def test_what_was_closed_before_an_exception_is_kept(journal: SqliteJournal) -> None:
    """The rest stays open for a replay."""

    def interrupted() -> None:
        with journal.intend([first, second]) as intent:
            intent.close(moved(first))
            raise KeyboardInterrupt

    first, second = a_plan("a.jpg"), a_plan("b.jpg")
    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert [second.id] == [plan.id for plan in journal.unfinished()]
    assert ["open", "done"] == [decision.state for decision in journal.decisions()]


def test_an_unfinished_outcome_keeps_its_plan_open(journal: SqliteJournal) -> None:
    """Its photo is passed over until a replay has ended the plan."""
    plan = a_plan()
    decide(journal, replace(done(plan), fault="the disk is full", unfinished=True))
    (open_plan,) = journal.unfinished()

    assert knows(journal, plan.photo.place, factories.stamp(200))
    assert [("the disk is full", None)] == [(fault.reason, fault.next_at) for fault in journal.open_faults()]
    journal.finish(open_plan, plan.moves[-1].target, factories.stamp(), "2" * 64)
    assert ([], []) == (journal.unfinished(), journal.open_faults())


def test_a_forgotten_plan_lets_its_photo_be_judged_again(journal: SqliteJournal) -> None:
    """Nothing is remembered of it but the history."""
    plan = a_plan()
    decide(journal, replace(done(plan), fault="stopped", unfinished=True))
    journal.forget(journal.unfinished()[0])

    assert not knows(journal, plan.photo.place, factories.stamp(200))
    assert (["forgotten"], []) == ([one.state for one in journal.decisions()], journal.unfinished())


def test_a_parked_plan_stays_open_and_is_shown(journal: SqliteJournal) -> None:
    """Its photo is passed over while its stamp is the same; a replay tries again at the next start."""
    plan = a_plan()
    with journal.intend([plan]):
        pass
    journal.park(journal.unfinished()[0], factories.stamp(7), "look at both places")

    assert [True, False] == [knows(journal, plan.photo.place, factories.stamp(size)) for size in (7, 8)]
    assert ["look at both places"] == [fault.reason for fault in journal.open_faults()]
    assert [plan.id] == [found.id for found in journal.unfinished()]


def test_a_restored_photo_is_never_new_again(journal: SqliteJournal) -> None:
    """By its stamp, and if that changes by either of its contents; also before the stamp is known."""
    plan = a_plan()
    decide(journal, moved(plan))
    journal.note_restored(plan.id, {plan.photo.digest, "2" * 64}, plan.photo.place, None)

    assert (True, True, False) == (
        journal.is_restored(plan.photo.digest),
        journal.is_restored("2" * 64),
        journal.is_restored("9" * 64),
    )
    assert [] == journal.unseen([photo_of(plan, digest="2" * 64)])
    journal.note_restored(plan.id, {"2" * 64}, plan.photo.place, factories.stamp(5))
    assert knows(journal, plan.photo.place, factories.stamp(5))
    (decision,) = journal.decisions()
    assert (factories.NOON, plan.photo.place) == (decision.restored_at, decision.now)


def test_a_decision_is_returned_with_all_its_reasons(journal: SqliteJournal) -> None:
    """The fields that `culld why` prints."""
    plan = a_plan()
    decide(journal, moved(plan))
    (found,) = journal.decisions()

    assert (plan.id, plan.made_at, plan.photo.place, plan.photo.digest) == (
        found.plan,
        found.made_at,
        found.place,
        found.digest,
    )
    assert (plan.verdict, Scores(0.99, 0.0, 0.0), plan.reason, plan.keywords) == (
        found.verdict,
        found.scores,
        found.reason,
        found.keywords,
    )
    assert ("model@1", "policy-1", "done", "tagged") == (found.model, found.policy, found.state, found.note)
    assert plan.moves[-1].target == found.now


def test_decisions_are_filtered_and_newest_first(journal: SqliteJournal) -> None:
    """By limit, time and verdict; counts leave out what was not carried out."""
    for day, verdict in enumerate([Verdict.KEEP, Verdict.TAG, Verdict.KEEP, Verdict.UNREADABLE]):
        plan = replace(a_plan(f"{day}.jpg", verdict), made_at=factories.NOON + timedelta(days=day))
        decide(journal, done(plan))
    with journal.intend([a_plan("open.jpg", Verdict.TAG)]):
        pass
    later = factories.NOON + timedelta(days=1)

    def names(**wanted: object) -> list[str]:
        return [str(one.place.relative) for one in journal.decisions(**wanted)]

    assert (["3.jpg", "2.jpg"], ["2.jpg", "0.jpg"]) == (names(limit=2), names(verdict=Verdict.KEEP))
    assert ["3.jpg", "2.jpg", "1.jpg"] == names(since=later)
    assert {Verdict.KEEP: 2, Verdict.TAG: 1, Verdict.QUARANTINE: 0, Verdict.UNREADABLE: 1} == journal.counts()
    assert {Verdict.KEEP: 1, Verdict.TAG: 1, Verdict.QUARANTINE: 0, Verdict.UNREADABLE: 1} == journal.counts(later)


def test_texts_that_are_no_unicode_are_kept_escaped(journal: SqliteJournal, clock: FakeClock) -> None:
    """A file name in an error must not stop the daemon."""
    plan = replace(a_plan(), reason="odd \udcff")
    decide(journal, replace(done(plan), note="\udcfe"))
    journal.fault(ReadFailure(factories.snapshot(), "\udcfd", timedelta(minutes=1)))
    journal.set_status("key", "\udcfc", clock.now())
    (decision,) = journal.decisions()

    assert (decision.reason, decision.note) == (r"odd \udcff", r"\udcfe")
    assert [r"\udcfd"] == [fault.reason for fault in journal.open_faults()]
    assert {"key": (r"\udcfc", clock.now())} == journal.status()


def a_shot(name: str, second: int, folder: str = "/photos") -> Assessment:
    """A photo taken some seconds after noon."""
    found = factories.assessment(name)
    camera = Camera("X", factories.NOON + timedelta(seconds=second))
    photo = replace(found.photo, place=factories.place(name, folder), digest=name, camera=camera)
    return replace(found, photo=photo)


def judge_series(journal: SqliteJournal, shots: list[Assessment], *members: Assessment) -> None:
    """One batch: the shots are decided about as parts of a burst; as single ones if no members are given."""
    series = Series(SeriesKind.BURST, members) if members else None
    plans = [factories.plan(Stack(shot, series=series), Verdict.TAG) for shot in shots]
    plans = [replace(plan, id=f"{plan.photo.place.path}-{len(members)}") for plan in plans]
    with journal.intend(plans) as intent:
        for plan in plans:
            intent.close(factories.outcome(plan))


def names_of_series(journal: SqliteJournal, since: datetime | None = None) -> list[list[str]]:
    """The names of the photos of each series."""
    return [[decision.place.relative.name for decision in series] for series in journal.series(since)]


def test_a_series_is_kept_with_each_decision(journal: SqliteJournal) -> None:
    """Its kind and its members, in the order of time; a photo that is in none has none."""
    first, second, alone = (a_shot(name, second) for second, name in enumerate(["b.jpg", "a.jpg", "c.jpg"]))
    judge_series(journal, [second, first], first, second)
    judge_series(journal, [alone])
    kept = SeriesMembership(SeriesKind.BURST, (first.photo.place, second.photo.place))

    assert [None, kept, kept] == [decision.series for decision in journal.decisions()]
    assert [["b.jpg", "a.jpg"]] == names_of_series(journal)


def test_shots_of_one_series_that_arrive_in_parts_are_one_series(journal: SqliteJournal) -> None:
    """The first was decided about as a single one, the fifth joins what the others were decided about as two."""
    a, b, c, d, e = (a_shot(f"{name}.jpg", second) for second, name in enumerate("abcde"))
    judge_series(journal, [a])
    judge_series(journal, [b], a, b)
    judge_series(journal, [d, e], d, e)
    assert [["a.jpg", "b.jpg"], ["d.jpg", "e.jpg"]] == names_of_series(journal)

    judge_series(journal, [c], b, c, d)

    assert [["a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg"]] == names_of_series(journal)
    (members,) = {decision.series and len(decision.series.members) for decision in journal.history_of(b.photo.place)}
    assert members == 2


def test_copies_elsewhere_and_later_photos_of_the_same_name_are_another_series(journal: SqliteJournal) -> None:
    """A series is identified by paths and contents."""
    first = [a_shot(name, 0) for name in ("a.jpg", "b.jpg")]
    copies = [a_shot(name, 0, "/copies") for name in ("a.jpg", "b.jpg")]
    judge_series(journal, first, *first)
    judge_series(journal, copies, *copies)
    assert 2 == len(journal.series())

    other = replace(first[0], photo=replace(first[0].photo, digest="other"))
    judge_series(journal, [other], other, a_shot("c.jpg", 1), a_shot("d.jpg", 2))

    assert [["a.jpg"], ["a.jpg", "b.jpg"], ["b.jpg"]] == sorted(names_of_series(journal))


def test_a_photo_that_was_judged_again_as_a_single_one_is_in_no_series(journal: SqliteJournal) -> None:
    """Only the last decision about a photo counts."""
    first, second, third = (a_shot(f"{second}.jpg", second) for second in range(3))
    judge_series(journal, [first, second, third], first, second, third)
    judge_series(journal, [first])

    assert [["1.jpg", "2.jpg"]] == names_of_series(journal)
    assert [] == names_of_series(journal, factories.NOON + timedelta(days=1))


@pytest.mark.parametrize(("table", "states"), [("decision", PlanState), ("item", FileState)])
def test_the_tables_and_the_code_know_the_same_states(
    journal: SqliteJournal, path: Path, table: str, states: type[PlanState | FileState]
) -> None:
    """A state that one of them lacks would end the daemon on the day it occurs."""
    with sqlite3.connect(path) as db:
        (sql,) = db.execute("SELECT sql FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    allowed = re.search(r"CHECK \(state IN \(([^)]*)\)\)", sql)

    assert allowed is not None
    assert sorted(re.findall(r"'(\w+)'", allowed[1])) == sorted(states)


def test_an_unreadable_photo_has_no_scores(journal: SqliteJournal) -> None:
    """And is returned without."""
    plan = factories.plan(Stack(factories.unreadable()), Verdict.UNREADABLE)
    decide(journal, Outcome(plan, plan.photo.place, plan.photo.stamp, plan.photo.digest))

    assert [None] == [decision.scores for decision in journal.decisions()]


def test_the_journal_keeps_one_value_under_each_key(journal: SqliteJournal, clock: FakeClock) -> None:
    """The last value counts."""
    journal.set_status("state", "starting", clock.now())
    clock.advance(5)
    journal.set_status("state", "running", clock.now())

    assert {"state": ("running", clock.now())} == journal.status()


def test_everything_is_there_after_closing(path: Path, clock: FakeClock) -> None:
    """The journal is a file, readable by one who may only read."""
    plan = a_plan()
    with SqliteJournal.open(path, clock) as first:
        decide(first, done(plan))
    with SqliteJournal.open(path, clock) as second:
        assert knows(second, plan.photo.place, factories.stamp(200))
    with SqliteJournal.open_readonly(path, clock) as reader:
        assert [plan.id] == [decision.plan for decision in reader.decisions()]
        with pytest.raises(SystemFaultError, match="cannot be written"):
            reader.set_status("a", "b", clock.now())


def test_two_processes_may_write(journal: SqliteJournal, path: Path, clock: FakeClock) -> None:
    """`culld restore` writes between the intent and the outcome of the daemon, and each sees the other."""
    plan = a_plan()
    with journal.intend([plan]) as intent:
        with SqliteJournal.open(path, clock) as other:
            other.note_restored("other", {"7" * 64}, factories.place("other.jpg"), factories.stamp(3))
        intent.close(done(plan))

    assert (True, []) == (journal.is_restored("7" * 64), journal.unfinished())


def test_a_journal_that_does_not_exist_is_a_fault_of_its_own(path: Path, clock: FakeClock) -> None:
    """`culld status` before the first run makes no file."""
    with pytest.raises(SystemFaultError, match="has not run yet"):
        SqliteJournal.open_readonly(path, clock)
    assert not path.exists()


@pytest.mark.parametrize("damage", [b"", b"no database at all, but longer than a header" * 3, None])
def test_a_damaged_journal_is_set_aside_and_a_new_one_begun(path: Path, clock: FakeClock, damage: bytes | None) -> None:
    """Nothing is deleted; an empty file is no damage. None stands for zeros in the middle of a sound journal."""
    with SqliteJournal.open(path, clock) as first:
        for number in range(60):
            decide(first, done(a_plan(f"{number}.jpg")))
    whole = path.read_bytes()
    broken = whole[:4096] + bytes(len(whole) - 4096) if damage is None else damage
    path.write_bytes(broken)
    with SqliteJournal.open(path, clock) as second:
        assert [] == second.decisions()
        aside = second.set_aside

    if damage == b"":
        assert aside is None
    else:
        assert aside is not None
        assert broken == aside.read_bytes()


def test_a_journal_of_a_newer_culld_is_refused(path: Path, clock: FakeClock) -> None:
    """It is neither set aside nor changed."""
    SqliteJournal.open(path, clock).close()
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version = {len(STEPS) + 1}")
    db.close()
    before = path.read_bytes()

    for opening in (SqliteJournal.open, SqliteJournal.open_readonly):
        with pytest.raises(SystemFaultError, match="newer culld"):
            opening(path, clock)
    assert before == path.read_bytes()


def test_a_state_folder_that_is_a_file_is_a_system_fault(tmp_path: Path, clock: FakeClock) -> None:
    """The text names the path."""
    (tmp_path / "state").write_bytes(b"")

    with pytest.raises(SystemFaultError, match=r"journal\.sqlite"):
        SqliteJournal.open(tmp_path / "state/journal.sqlite", clock)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a megabyte."""
    folder = tmp_path / "small"
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1M", "tmpfs", folder], check=False, capture_output=True)
    if made.returncode:
        pytest.skip("needs the right to mount a tmpfs")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def fill(folder: Path) -> None:
    """Leave no space on a disk."""
    with (folder / "other").open("ab", buffering=0) as stream, contextlib.suppress(OSError):
        while True:
            stream.write(bytes(4096))


def decide_many(path: Path, clock: FakeClock) -> None:
    """More decisions than go onto a full disk."""
    with SqliteJournal.open(path, clock) as journal:
        for number in range(1000):
            decide(journal, done(a_plan(f"{number}.jpg")))


@pytest.mark.parametrize("is_begun", [True, False])
def test_a_full_disk_is_called_full(small_disk: Path, clock: FakeClock, is_begun: bool) -> None:  # noqa: FBT001
    """Before there is a journal and later; with free space it works again."""
    path = small_disk / "journal.sqlite"
    if is_begun:
        SqliteJournal.open(path, clock).close()
    fill(small_disk)

    with pytest.raises(SystemFaultError, match=r"the disk of the journal is full: free space on .*small, then start"):
        decide_many(path, clock)
    (small_disk / "other").unlink()
    with SqliteJournal.open(path, clock) as journal:
        decide(journal, done(a_plan("last.jpg")))


def test_a_full_journal_is_reported_and_works_again_with_free_space(journal: SqliteJournal) -> None:
    """The transaction is rolled back, also if the database has already ended it."""
    journal._db.execute("PRAGMA max_page_count = 1")
    with pytest.raises(SystemFaultError, match="the disk of the journal is full"):
        decide(journal, done(replace(a_plan("first.jpg"), reason="x" * 100_000)))
    journal._db.execute("PRAGMA max_page_count = 100000")

    decide(journal, done(a_plan("last.jpg")))
    assert "last.jpg" in {str(decision.place.relative) for decision in journal.decisions(1000)}


def test_a_disk_that_is_read_only_is_called_so(small_disk: Path, clock: FakeClock) -> None:
    """The message does not blame missing rights."""
    SqliteJournal.open(small_disk / "journal.sqlite", clock).close()
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)

    with (
        pytest.raises(SystemFaultError, match="its file system is read-only; mount it writable"),
        SqliteJournal.open(small_disk / "journal.sqlite", clock) as journal,
    ):
        journal.set_status("a", "b", clock.now())


def test_a_folder_in_place_of_the_journal_is_reported(path: Path, clock: FakeClock) -> None:
    """It can be neither opened nor set aside."""
    path.mkdir(parents=True)

    with pytest.raises(SystemFaultError, match=r"journal\.sqlite fails: (it cannot be opened|a folder has its name)"):
        SqliteJournal.open(path, clock)


def test_an_error_of_the_scanner_is_not_blamed_on_the_journal(journal: SqliteJournal) -> None:
    """It is raised unchanged between two queries."""

    def scan() -> Iterator[FileSnapshot]:
        yield factories.snapshot("a.jpg")
        raise PermissionError(13, "Permission denied", "/photos/b.jpg")

    with pytest.raises(PermissionError, match=r"/photos/b\.jpg"):
        list(journal.unknown(scan()))


def test_a_commit_survives_power_loss_by_its_settings(journal: SqliteJournal) -> None:
    """Write-ahead log, every commit synchronised, references held."""
    values = [
        journal._db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous", "foreign_keys")
    ]

    assert ["wal", 2, 1] == values
