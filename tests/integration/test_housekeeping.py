"""Housekeeping: the daily summary, and old photos that are moved to the trash."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from culld.app.decision_ages import DecisionAges, clock_doubt
from culld.app.housekeeping import ExpiredToTrash, Housekeeping, daily_summary
from culld.errors import PhotoError
from culld.journal.store import SqliteJournal
from culld.quarantine.apply import PlanApplier
from culld.quarantine.orphans import put_away_orphans
from culld.records import Outcome, RootedPath, Stack, Verdict
from harness import factories, quarantined
from harness.fakes import FakeClock

DAY = 86400


@dataclass
class House:
    """A journal, a quarantine, a folder as the trash, and the alerts."""

    folder: Path
    journal: SqliteJournal
    clock: FakeClock
    told: list[str] = field(default_factory=list)
    alerts: list[str] = field(default_factory=list)
    is_trash_full: bool = False

    @property
    def quarantine(self) -> Path:
        """The quarantine."""
        return self.folder / "quarantine"

    def reject(self, name: str) -> RootedPath:
        """A photo with a sidecar in quarantine, moved there now."""
        photo = quarantined.put(RootedPath(self.folder / "inbox", Path(name)), name.encode())
        sidecar = quarantined.put(photo.beside(f"{name}.xmp"), b"<x:xmpmeta/>")
        plan = quarantined.rejection(quarantined.stack(photo, sidecar), self.quarantine)
        plan = replace(plan, id=name, made_at=self.clock.now())
        with self.journal.intend([plan]) as intent:
            assert intent.close(PlanApplier().apply(plan)).fault is None
        return RootedPath(self.quarantine, Path(name))

    def trash(self, file: Path) -> None:
        """Move a file to the trash."""
        if self.is_trash_full:
            raise PhotoError("the trash is full")
        (self.folder / "trash").mkdir(exist_ok=True)
        file.rename(self.folder / "trash" / file.name)

    def tidy(self, trash_after: timedelta | None = timedelta(days=90)) -> None:
        """Run the daily housekeeping."""
        expiry = ExpiredToTrash(self.quarantine, self.trash, self.journal.note_trashed)
        Housekeeping(self.journal, self.clock, self.ages, None, expiry, trash_after, self.told.append).run(
            [], lambda: None
        )

    @property
    def ages(self) -> DecisionAges:
        """Return the decision ages."""
        return DecisionAges(self.journal, self.clock, self.alerts.append)

    def wait(self, days: float) -> None:
        """Let time pass; read the clocks before and after."""
        self.ages.observe()
        self.clock.advance(days * DAY)
        self.ages.observe()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A house with an empty quarantine."""
    clock = FakeClock()
    (tmp_path / "quarantine").mkdir()
    with SqliteJournal.open(tmp_path / "journal.sqlite3", clock) as journal:
        yield House(tmp_path, journal, clock)


def test_old_rejects_go_to_the_trash_with_all_that_belongs_to_them(house: House) -> None:
    """Nothing is unlinked, younger ones stay, and it is no answer of the user."""
    house.reject("old.jpg")
    house.wait(60)
    house.reject("young.jpg")
    house.wait(31)

    house.tidy()

    assert set(quarantined.tree(house.folder / "trash")) == {"old.jpg", "old.jpg.xmp", "old.jpg.culld.json"}
    assert "young.jpg" in quarantined.tree(house.quarantine)
    assert "old.jpg" not in quarantined.tree(house.quarantine)
    assert {each.place.relative.name: each.released for each in house.journal.rejects()} == {
        "old.jpg": "trash",
        "young.jpg": "",
    }


@pytest.mark.parametrize("broken", [True, False])
def test_what_cannot_go_stays(house: House, broken: bool) -> None:  # noqa: FBT001
    """So does everything with `never` in the configuration."""
    house.reject("old.jpg")
    before = quarantined.tree(house.quarantine)
    house.wait(1000)
    house.is_trash_full = broken

    house.tidy(timedelta(days=90) if broken else None)

    assert quarantined.tree(house.quarantine) == before
    assert [each.released for each in house.journal.rejects()] == [""]


def test_the_record_of_a_photo_that_the_user_deleted_is_removed(house: House) -> None:
    """With the answer noted; a photo that lies there, and one that is back by hand, keep theirs."""
    for name in ("deleted.jpg", "kept.jpg", "back.jpg"):
        house.reject(name)
    (house.quarantine / "deleted.jpg").unlink()
    (house.quarantine / "back.jpg").rename(house.folder / "inbox" / "back.jpg")

    count = put_away_orphans(house.quarantine, [house.folder / "inbox"], house.journal)

    assert count == 1
    left = quarantined.tree(house.quarantine)
    assert [name for name in left if name.endswith(".json")] == ["back.jpg.culld.json", "kept.jpg.culld.json"]
    assert "deleted.jpg.xmp" in left  # it came with the photo
    assert {each.place.relative.name: each.released for each in house.journal.rejects()} == {
        "deleted.jpg": "deleted",
        "kept.jpg": "",
        "back.jpg": "",
    }


def test_a_sidecar_of_culld_is_removed_with_the_record(house: House) -> None:
    """Nothing else was ever in it; one that another program wrote to since stays."""
    for name in ("ours.jpg", "theirs.jpg"):
        photo = quarantined.put(RootedPath(house.folder / "inbox", Path(name)), name.encode())
        made = quarantined.tagging(photo.beside(f"{name}.xmp"))
        plan = replace(quarantined.rejection(quarantined.stack(photo), house.quarantine, made), id=name)
        with house.journal.intend([plan]) as intent:
            assert intent.close(PlanApplier().apply(plan)).fault is None
        (house.quarantine / name).unlink()
    (house.quarantine / "theirs.jpg.xmp").write_bytes(b"edited")

    assert put_away_orphans(house.quarantine, [house.folder / "inbox"], house.journal) == 2
    assert quarantined.tree(house.quarantine) == ["theirs.jpg.xmp"]


def test_no_record_is_removed_while_its_folder_cannot_be_read(house: House) -> None:
    """The photo may be back on a disk that is not mounted; and of a folder that is not there nothing is asked."""
    house.reject("a.jpg")
    (house.quarantine / "a.jpg").unlink()
    before = quarantined.tree(house.quarantine)
    (house.folder / "inbox").rename(house.folder / "away")

    assert put_away_orphans(house.quarantine, [house.folder / "inbox"], house.journal) == 0
    assert put_away_orphans(house.quarantine, [], house.journal) == 0
    assert quarantined.tree(house.quarantine) == before
    assert [each.released for each in house.journal.rejects()] == [""]


def test_a_file_that_is_no_record_stays(house: House) -> None:
    """It stays, and the others are still moved to the trash."""
    house.reject("old.jpg")
    (house.quarantine / "a.jpg.culld.json").write_text("{}")
    house.wait(1000)

    house.tidy()

    assert quarantined.tree(house.quarantine) == ["a.jpg.culld.json"]


def test_a_clock_that_jumps_ahead_throws_nothing_away_and_is_reported_once(house: House) -> None:
    """Also not while it goes on in the wrong year, since it counts only the time that really passed."""
    house.reject("new.jpg")
    house.wait(1)
    house.clock.set(timedelta(days=365))

    house.tidy(timedelta(days=30))
    for _ in range(10):
        house.wait(1)
        house.tidy(timedelta(days=30))

    assert "new.jpg" in quarantined.tree(house.quarantine)
    (alert,) = house.alerts
    assert "went from 2026-05-02 12:00 to 2027-05-02 12:00" in alert


def test_a_photo_of_a_clock_that_was_behind_is_not_thrown_away_when_it_is_set(house: House) -> None:
    """Its record has a date of 1970, but it was moved a moment ago."""
    house.clock.set(timedelta(days=-20000))
    house.reject("new.jpg")
    house.wait(1)
    house.clock.set(timedelta(days=20000))
    house.wait(3)

    house.tidy(timedelta(days=30))

    assert "new.jpg" in quarantined.tree(house.quarantine)


def test_nothing_is_thrown_away_while_the_clock_is_in_doubt(house: House) -> None:
    """Old photos go to the trash when the clock is right again."""
    house.reject("old.jpg")
    house.wait(31)
    house.clock.set(timedelta(days=-400))
    house.tidy(timedelta(days=30))
    assert "old.jpg" in quarantined.tree(house.quarantine)
    assert "until the clock is right again" in clock_doubt(house.journal)

    house.clock.set(timedelta(days=400))
    house.tidy(timedelta(days=30))

    assert quarantined.tree(house.quarantine) == []
    assert not clock_doubt(house.journal)


def test_a_photo_that_the_journal_has_lost_stays(house: House) -> None:
    """Its age can be learned from the wall clock only."""
    house.reject("old.jpg")
    record = (house.quarantine / "old.jpg.culld.json").read_text()
    (house.quarantine / "old.jpg.culld.json").write_text(record.replace('"plan": "old.jpg"', '"plan": "lost"'))
    house.wait(1000)

    house.tidy()

    assert "old.jpg" in quarantined.tree(house.quarantine)


def test_counted_time_that_cannot_be_read_begins_at_zero(house: House) -> None:
    """Existing photos then count as young, and housekeeping continues."""
    house.reject("old.jpg")
    house.wait(1000)
    house.journal.set_status("elapsed", '{"last": 7, "doubted_at_s": null}', house.clock.now())

    house.tidy()

    assert "old.jpg" in quarantined.tree(house.quarantine)


def test_the_summary_is_made_when_the_last_one_lies_in_the_future(house: House) -> None:
    """The clock was ahead when it was made; now it is right."""
    house.clock.set(timedelta(days=365))
    house.tidy()
    house.clock.set(timedelta(days=-365))
    house.reject("moved.jpg")

    assert Housekeeping(house.journal, house.clock, house.ages, None).is_due()
    house.tidy()
    assert len(house.told) == 1


def test_the_day_is_summarised_once(house: House) -> None:
    """With the photos that would have been moved, and the reason; a day without photos has no summary."""
    held = replace(
        factories.plan(Stack(factories.assessment()), Verdict.TAG),
        reason="blur 0.99 would be rejected, but mode is observe",
        would_reject=True,
    )
    with house.journal.intend([held]) as intent:
        intent.close(Outcome(held, held.photo.place, None, ""))
    house.reject("moved.jpg")
    house.clock.advance(10)

    house.tidy()
    house.clock.advance(DAY)
    house.tidy()

    (told,) = house.told
    why = "(mode: observe, or the brake is active)"
    assert told.splitlines() == [
        f"2 photos judged, 1 moved, 1 matched the reject rules but were not moved {why}",
        "  /photos/a.jpg  (blur 0.99 would be rejected, but mode is observe)",
    ]
    assert daily_summary([]) == ""


def test_the_trash_is_that_of_the_desktop(tmp_path: Path) -> None:
    """With the note that lets a desktop bring the file back."""
    photo = tmp_path / "a.jpg"
    photo.write_bytes(b"a photo")
    script = (
        "import sys; from pathlib import Path; from culld.system.trash import to_trash; to_trash(Path(sys.argv[1]))"
    )
    environ = {**os.environ, "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data")}

    subprocess.run([sys.executable, "-c", script, str(photo)], env=environ, check=True)

    assert not photo.exists()
    assert (tmp_path / "data" / "Trash" / "files" / "a.jpg").read_bytes() == b"a photo"
    assert "a.jpg" in (tmp_path / "data" / "Trash" / "info" / "a.jpg.trashinfo").read_text()
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "gone.jpg")],
        env=environ,
        check=False,
        capture_output=True,
        text=True,
    )
    assert "gone.jpg cannot be moved to the trash" in done.stderr
