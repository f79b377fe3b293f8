"""A journal that is deleted, cut off, zeroed or rolled back costs no photo, and can be made again."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

import factories
import rejects
from culld.journal.history import Filter
from culld.journal.store import SqliteJournal
from culld.quarantine.applying import Applier
from culld.quarantine.restore import Selection, restore
from culld.records import Place, Verdict
from culld.service.rebuild import Rebuilt, rebuild
from fakes import FakeClock

NAMES = ("a.jpg", "2026/b.jpg", "2026/05/new\nline.jpg")


@dataclass
class House:
    """A watched folder with three photos, all in quarantine, and the journal that knows it."""

    folder: Path
    contents: dict[Path, bytes]

    @property
    def inbox(self) -> Path:
        """The watched folder."""
        return self.folder / "inbox"

    @property
    def quarantine(self) -> Path:
        """Where all photos are."""
        return self.folder / "quarantine"

    @property
    def file(self) -> Path:
        """The database."""
        return self.folder / "journal.sqlite3"

    def journal(self) -> SqliteJournal:
        """The journal, opened as at a start."""
        return SqliteJournal.open(self.file, FakeClock())

    def reject(self, name: str, day: int) -> None:
        """One photo's way into quarantine, as the pipeline does it."""
        photo = rejects.put(Place(self.inbox, Path(name)), b"\xff\xd8" + name.encode())
        plan = rejects.rejection(rejects.stack(photo), self.quarantine)
        plan = replace(plan, made_at=factories.NOON + timedelta(days=day))
        with self.journal() as journal, journal.intend([plan]) as intent:
            intent.close(Applier().apply(plan))


@pytest.fixture
def house(tmp_path: Path) -> House:
    """Three photos in quarantine; `early` is a copy of the database as it was after the first."""
    for name in ("inbox", "quarantine"):
        (tmp_path / name).mkdir()
    house = House(tmp_path, {})
    for day, name in enumerate(NAMES):
        house.reject(name, day)
        house.contents[Path(name)] = b"\xff\xd8" + name.encode()
        if day == 0:
            shutil.copy(house.file, tmp_path / "early")
    return house


def deleted(house: House) -> None:
    """The state folder was removed."""
    house.file.unlink()


def cut_off(house: House) -> None:
    """The disk was full when it was copied."""
    house.file.write_bytes(house.file.read_bytes()[:5000])


def zeroed(house: House) -> None:
    """The power failed, on a file system that allows this."""
    house.file.write_bytes(bytes(house.file.stat().st_size))


def rolled_back(house: House) -> None:
    """A backup was put back."""
    shutil.copy(house.folder / "early", house.file)


DAMAGES = [deleted, cut_off, zeroed, rolled_back]


@pytest.mark.parametrize("damage", DAMAGES)
def test_every_photo_comes_back_without_the_journal(house: House, damage: Callable[[House], None]) -> None:
    """The records beside the photos are enough."""
    damage(house)

    with house.journal() as journal:
        found = restore(
            house.quarantine, Selection(everything=True), roots=[house.inbox], journal=journal, dry_run=False
        )

    assert [result.fault for result in found] == [None] * 3
    assert {path: (house.inbox / path).read_bytes() for path in house.contents} == house.contents
    assert not rejects.tree(house.quarantine)


@pytest.mark.parametrize("damage", DAMAGES)
def test_the_journal_is_made_again(house: House, damage: Callable[[House], None]) -> None:
    """Every decision is told as it was, and a second time changes nothing."""
    with house.journal() as journal:
        before = journal.decisions(Filter())
    damage(house)

    with house.journal() as journal:
        known = len(journal.decisions(Filter()))
        assert rebuild(house.quarantine, journal) == Rebuilt(3, 3 - known, ())
        assert rebuild(house.quarantine, journal) == Rebuilt(3, 0, ())
        after = journal.decisions(Filter())

    assert before == after
    assert {decision.verdict for decision in after} == {Verdict.QUARANTINE}


def test_a_damaged_journal_is_kept(house: House) -> None:
    """Whoever knows SQLite may find more in it."""
    zeroed(house)

    with house.journal() as journal:
        aside = journal.set_aside

    assert aside is not None
    assert aside.stat().st_size > 5000


def test_what_is_no_record_is_told_of_and_kept(house: House) -> None:
    """Anybody may write to the quarantine."""
    strange = house.quarantine / "x.jpg.culld.json"
    strange.write_text("{}")

    with house.journal() as journal:
        found = rebuild(house.quarantine, journal)

    assert (found.photos, found.adopted, len(found.problems)) == (3, 0, 1)
    assert found.problems[0].startswith(str(strange))
    assert strange.exists()
