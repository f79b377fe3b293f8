"""A journal of an older culld is opened, read and worked with."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from culld.errors import SystemFaultError
from culld.files.open_beneath import stamp_of
from culld.journal.migrations import STEPS
from culld.journal.store import SqliteJournal
from culld.quarantine.apply import PlanApplier
from culld.quarantine.restore import Restorer, restore
from culld.quarantine.selection import Selection
from culld.records import (
    Camera,
    DHash,
    Edit,
    Exposure,
    FileSnapshot,
    Format,
    Rating,
    Rewrite,
    RootedPath,
    Scores,
    Series,
    SeriesKind,
    Stack,
    Unreadable,
    UserMetadata,
    Verdict,
)
from harness import factories, quarantined
from harness.fakes import FakeClock

ROWS = Path(__file__).with_name("journal_version_3.sql")
"""The rows that version 3 wrote, in the folders `/photos` and `/quarantine`; one of each kind."""

PHOTO = b"\xff\xd8 a photo"
TAGGED = PHOTO[:2] + quarantined.TAG + PHOTO[2:]


@dataclass
class House:
    """A watched folder, a quarantine, and the journal of version 3 about them."""

    inbox: Path
    quarantine: Path
    file: Path

    def fill(self) -> None:
        """Write the journal of version 3."""
        rows = ROWS.read_text()
        for old, new in (("/photos", self.inbox), ("/quarantine", self.quarantine)):
            rows = rows.replace(old.encode().hex().upper(), os.fsencode(new).hex().upper())
        with closing(sqlite3.connect(self.file)) as db:
            db.executescript(f"BEGIN; {''.join(STEPS[:3])} {rows} PRAGMA user_version = 3; COMMIT;")

    def journal(self) -> SqliteJournal:
        """The journal as it is opened at the start."""
        return SqliteJournal.open(self.file, FakeClock())

    def at(self, name: str) -> RootedPath:
        """A place in the watched folder."""
        return RootedPath(self.inbox, Path(name))


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A house with its journal."""
    for name in ("inbox", "quarantine"):
        (tmp_path / name).mkdir()
    found = House(tmp_path / "inbox", tmp_path / "quarantine", tmp_path / "journal.sqlite3")
    found.fill()
    return found


@pytest.fixture
def journal(house: House) -> Iterator[SqliteJournal]:
    """The journal, opened."""
    with house.journal() as found:
        yield found


def test_it_is_read_only_after_a_start(house: House) -> None:
    """A command that only reads changes nothing; after a start it reads."""
    with pytest.raises(SystemFaultError, match="of an older culld"):
        SqliteJournal.open_readonly(house.file, FakeClock())
    house.journal().close()

    with SqliteJournal.open_readonly(house.file, FakeClock()) as journal:
        assert len(journal.decisions()) == 13


def test_a_decision_is_read_with_all_its_facts(house: House, journal: SqliteJournal) -> None:
    """Every key of the JSON of version 3, and every column."""
    (moved,) = journal.history_of(house.at("2026/a.jpg"))
    (latest,) = (each for each in journal.latest_decisions() if each.plan == "moved")

    assert moved.photo.camera == Camera(
        "X100", factories.NOON, 6, Exposure(0.004, 2.8, 400, -2 / 3), focal_mm=35.0, auto_bracket=True
    )
    assert (moved.photo.format, moved.stack.primary.dhash) == (Format.JPEG, DHash(0xABC, 0xDEF))
    beside = [[place.relative.name for place in places] for places in (
        moved.stack.sidecars, moved.stack.blocking_files, moved.stack.editor_sidecars, moved.siblings,
    )]  # fmt: skip
    assert beside == [["a.jpg.xmp"], ["a.mov"], ["a.pp3"], ["a.nef"]]
    assert moved.stack.user_metadata == UserMetadata(
        ratings=("xmp:Label Red",),
        edited_by=("Nikon",),
        unclear="it is not well-formed XML",
        stars=(Rating("KDE rating 3.5", 3.5),),
        ratings_outside=("NKSC_PARAM/a.jpg.nksc",),
        incomplete="its movie",
    )
    assert (moved.verdict, moved.scores, moved.model) == (Verdict.QUARANTINE, Scores(0.99, 0.1, 0.02), "model@1")
    assert (moved.reason, moved.rule, moved.policy) == ("because", "policy.defects.blur.reject", "policy-1")
    assert (moved.keywords, moved.note, moved.would_reject) == (("defect:blur",), "tagged", True)
    assert moved.digests == {quarantined.digest(PHOTO), quarantined.digest(TAGGED)}
    assert (moved.now, moved.away) == (RootedPath(house.quarantine, Path("2026/a.jpg")), True)
    assert moved.stamp == factories.stamp(200)
    assert (moved.series, moved.series_id) == (None, "")
    assert moved.stack.primary.regions is None
    assert [sibling.photo.place.relative.name for sibling in latest.stack.siblings] == ["a.nef"]


@pytest.mark.parametrize(
    ("plan", "state", "released", "away", "restored"),
    [
        ("moved", "done", "", True, False),
        ("tagged", "done", "", False, False),
        ("restored", "done", "", False, True),
        ("trash", "done", "trash", False, False),
        ("deleted", "done", "deleted", False, False),
        ("undecided", "done", "undecided", False, True),
        ("policy", "done", "policy", False, False),
        ("open", "open", "", False, False),
        ("parked", "parked", "", False, False),
        ("forgotten", "forgotten", "", False, False),
        ("fault", "fault", "", False, False),
        ("imported", "done", "", True, False),
    ],
)
def test_what_became_of_each_photo_is_read(
    journal: SqliteJournal,
    plan: str,
    state: str,
    released: str,
    away: bool,  # noqa: FBT001
    restored: bool,  # noqa: FBT001
) -> None:
    """One row of each kind."""
    (found,) = (each for each in journal.decisions() if each.plan == plan)

    assert (found.state, found.released, found.away, found.restored) == (state, released, away, restored)
    assert found.content_restored == restored


def test_what_has_no_scores_is_read(journal: SqliteJournal) -> None:
    """A photo that could not be read, and one that was imported from its record, whose facts are not known."""
    found = {each.plan: each for each in journal.decisions()}

    assert (found["unreadable"].scores, found["unreadable"].verdict) == (None, Verdict.UNREADABLE)
    assert isinstance(found["unreadable"].stack.primary.result, Unreadable)
    assert (found["imported"].scores, found["imported"].photo.format) == (None, Format.UNKNOWN)


def test_what_is_not_ended_can_be_ended(journal: SqliteJournal) -> None:
    """With the moves that it was to make."""
    found = journal.unfinished()
    assert [(plan.id, len(plan.moves)) for plan in found] == [("open", 1), ("parked", 1)]

    for plan in found:
        journal.forget(plan)

    assert journal.unfinished() == []


def test_the_rest_of_the_journal_is_read(house: House, journal: SqliteJournal) -> None:
    """Bytes that tags replaced, files that wait, the device of a folder, contents that came back."""
    (tagged,) = journal.tagged_by("moved")

    edit = Edit(2, b"", quarantined.TAG)
    digests = (quarantined.digest(PHOTO), quarantined.digest(TAGGED))
    assert tagged.rewrites == (Rewrite(house.at("2026/a.jpg"), *digests, (edit,)),)
    assert "permission denied" in {fault.reason for fault in journal.open_faults()}
    assert journal.device_of(house.inbox) == 2**64 - 1
    assert journal.is_restored(quarantined.digest(b"restored"))


def test_a_photo_that_version_3_moved_comes_back(house: House, journal: SqliteJournal) -> None:
    """With the bytes that the journal kept; it is never moved again."""
    photo = quarantined.put(house.at("2026/a.jpg"), PHOTO)
    plan = quarantined.rejection(quarantined.stack(photo), house.quarantine, quarantined.tagging(photo))
    plan = replace(plan, id="moved")
    assert PlanApplier().apply(plan).fault is None

    restorer = Restorer([house.inbox], journal, quarantined.nothing_of_culld)
    (result,) = restore(house.quarantine, Selection(everything=True), restorer)

    assert (result.now, result.fault) == (photo, None)
    assert photo.path.read_bytes() == PHOTO
    (decision,) = journal.history_of(photo)
    assert (decision.restored, decision.away, decision.now) == (True, False, photo)
    assert journal.is_restored(quarantined.digest(TAGGED))
    stamp = stamp_of(photo)
    assert stamp is not None
    assert list(journal.unknown([FileSnapshot(photo, stamp)])) == []


def test_a_series_goes_on_over_the_change_of_version(house: House, journal: SqliteJournal) -> None:
    """A shot that arrives after the upgrade joins those that were decided about before."""
    (before,) = journal.history_of(house.at("2026/a.jpg"))
    primary = before.stack.primary
    late = replace(primary, photo=replace(primary.photo, place=house.at("2026/b.jpg"), digest="b"))
    burst = Series(SeriesKind.BURST, (primary, late))
    plan = factories.plan(Stack(late, series=burst), Verdict.TAG)
    with journal.intend([plan]) as intent:
        intent.close(factories.outcome(plan))

    (series,) = journal.series()
    assert [decision.place.relative.name for decision in series] == ["a.jpg", "b.jpg"]
