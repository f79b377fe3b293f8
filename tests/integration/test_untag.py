"""Untagging: photos and sidecars get their old bytes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from culld.errors import PhotoError
from culld.files.open_beneath import stamp_of
from culld.journal.store import SqliteJournal
from culld.quarantine.apply import PlanApplier
from culld.quarantine.restore import Restorer, restore
from culld.quarantine.selection import Selection
from culld.quarantine.untag import Untagged, untag
from culld.quarantine.untag_worker import UntagWorker
from culld.records import FileSnapshot, Plan, Rewrite, RootedPath, Verdict
from harness import factories, quarantined
from harness.fakes import FakeClock

PHOTO = b"\xff\xd8 a photo"
SIDECAR = b"<x:xmpmeta/>"
ALL = Selection(everything=True)


@dataclass
class House:
    """A watched folder with a photo and a sidecar of another program."""

    folder: Path

    def __post_init__(self) -> None:
        """Put them there."""
        self.inbox, self.quarantine = self.folder / "inbox", self.folder / "quarantine"
        self.photo = quarantined.put(RootedPath(self.inbox, Path("2026/a.jpg")), PHOTO)
        self.sidecar = quarantined.put(self.photo.beside("a.xmp"), SIDECAR)
        self.quarantine.mkdir()
        self.before = self.bytes()
        self.stamp = stamp_of(self.photo)
        self.journal = SqliteJournal.open(self.folder / "journal.sqlite3", FakeClock())

    def bytes(self) -> dict[str, bytes]:
        """Every file in the inbox."""
        return {name: (self.inbox / name).read_bytes() for name in quarantined.tree(self.inbox)}

    def plan(self, number: int = 0) -> Plan:
        """Tag the photo, the sidecar that is there, and a new one."""
        places = (self.photo.beside(f"a{number}.jpg.xmp"), self.sidecar, self.photo)
        plan = factories.plan(quarantined.stack(self.photo, self.sidecar), Verdict.TAG)
        rewrites = tuple(map(quarantined.tagging, places))
        return replace(plan, id=f"plan-{number}", rewrites=rewrites, made_at=factories.NOON + timedelta(days=number))

    def carry_out(self, plan: Plan) -> None:
        """Carry out a plan as the pipeline does."""
        with self.journal.intend([plan]) as intent:
            assert intent.close(PlanApplier().apply(plan)).fault is None

    def untag(self, selection: Selection = ALL, *, dry_run: bool = False) -> list[Untagged]:
        """Take back what is selected."""
        withdraw = UntagWorker(1 << 20).withdraw

        def asked(place: RootedPath) -> Rewrite | None:
            found = withdraw(place)
            if isinstance(found, PhotoError):
                raise found
            return found

        found = untag(selection, roots=[self.inbox], journal=self.journal, withdraw=asked, dry_run=dry_run)
        return list(found)


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A house whose photo was tagged."""
    house = House(tmp_path)
    house.carry_out(house.plan())
    assert house.bytes() != house.before
    return house


def test_every_byte_is_as_it_was(house: House) -> None:
    """The sidecar that culld made is gone, and the photo has its old time."""
    assert house.untag() == [Untagged(house.photo)]

    assert house.bytes() == house.before
    stamp = stamp_of(house.photo)
    assert stamp is not None
    assert house.stamp is not None
    assert stamp.mtime_ns == house.stamp.mtime_ns


def test_a_photo_that_was_tagged_twice_goes_all_the_way_back(house: House) -> None:
    """The newest tags first."""
    house.carry_out(house.plan(1))

    assert house.untag() == [Untagged(house.photo)]
    assert house.bytes() == house.before


def test_a_second_time_nothing_is_left_to_do(house: House) -> None:
    """And nothing is reported."""
    house.untag()

    assert house.untag() == []


def test_the_daemon_leaves_the_photo_alone(house: House) -> None:
    """Or it would tag it again at once."""
    house.untag()
    stamp = stamp_of(house.photo)

    assert stamp is not None
    assert list(house.journal.unknown([FileSnapshot(house.photo, stamp)])) == []
    assert house.journal.is_restored(quarantined.digest(PHOTO))


def test_each_file_is_judged_by_itself(house: House) -> None:
    """A sidecar that another program replaced, without a keyword of culld, stays; the photo gets its bytes back."""
    house.sidecar.path.write_bytes(b"edited")

    assert house.untag() == [Untagged(house.photo)]
    assert house.bytes() == {**house.before, "2026/a.xmp": b"edited"}
    assert house.untag() == []


def test_a_file_that_cannot_be_understood_stays_as_it_is(house: House) -> None:
    """The reason is reported, and the photo gets its bytes back."""
    broken = b"<broken xmlns:culld='https://culld.example/ns/1.0/'"
    house.sidecar.path.write_bytes(broken)
    (found,) = house.untag()

    assert "the tags of a.xmp stay" in (found.fault or "")
    assert "not well-formed" in (found.fault or "")
    assert house.bytes() == {**house.before, "2026/a.xmp": broken}


def test_a_dry_run_changes_nothing(house: House) -> None:
    """It only reports what it would do."""
    tagged = house.bytes()

    assert house.untag(dry_run=True) == [Untagged(house.photo)]
    assert house.bytes() == tagged


@pytest.mark.parametrize(("where", "count"), [("inbox/2026/a.jpg", 1), ("inbox", 1), ("inbox/2025", 0)])
def test_only_what_is_selected_is_untagged(house: House, where: str, count: int) -> None:
    """By the photo, or by a folder that holds it."""
    assert len(house.untag(Selection((house.folder / where,)))) == count


def test_a_photo_comes_back_from_quarantine_as_it_was_before_culld(tmp_path: Path) -> None:
    """Place and bytes, in one step; nothing is left to untag."""
    house = House(tmp_path)
    rewrites = house.plan().rewrites
    rejected = quarantined.rejection(quarantined.stack(house.photo, house.sidecar), house.quarantine, *rewrites)
    house.carry_out(rejected)
    assert house.untag() == []

    restorer = Restorer([house.inbox], house.journal, quarantined.nothing_of_culld)
    (result,) = restore(house.quarantine, ALL, restorer)

    assert (result.now, result.note, result.fault) == (house.photo, "", None)
    assert house.bytes() == house.before
    assert quarantined.tree(house.quarantine) == []
    assert house.untag() == []


def test_what_was_tagged_before_it_was_rejected_comes_back_as_it_was_before_that(house: House) -> None:
    """Both decisions are undone, the newest first."""
    rewrites = house.plan(1).rewrites
    house.carry_out(
        quarantined.rejection(
            quarantined.stack(house.photo, house.sidecar, house.photo.beside("a0.jpg.xmp")), house.quarantine, *rewrites
        )
    )
    list(restore(house.quarantine, ALL, Restorer([house.inbox], house.journal, quarantined.nothing_of_culld)))

    assert house.bytes() == house.before


def test_a_name_that_was_used_twice_confuses_nothing(tmp_path: Path) -> None:
    """Two photos of one name were rejected; the second comes back beside the first, with its own sidecar."""
    house = House(tmp_path)
    house.sidecar.path.unlink()
    for content in (PHOTO, PHOTO + b" of another day"):
        quarantined.put(house.photo, content)
        places = (house.photo.beside("a.jpg.xmp"), house.photo)
        plan = quarantined.rejection(
            quarantined.stack(house.photo), house.quarantine, *map(quarantined.tagging, places)
        )
        house.carry_out(replace(plan, id=f"plan {len(content)}"))
    results = list(restore(house.quarantine, ALL, Restorer([house.inbox], house.journal, quarantined.nothing_of_culld)))

    assert [(result.fault, "stay" in result.note) for result in results] == [(None, False), (None, False)]
    assert sorted(house.bytes().values()) == [PHOTO, PHOTO + b" of another day"]
    assert house.untag() == []


def test_a_place_that_had_another_photo_before_is_untagged_without_a_fault(house: House) -> None:
    """The tags of the first photo went with it."""
    for name in quarantined.tree(house.inbox):
        (house.inbox / name).unlink()
    quarantined.put(house.photo, b"\xff\xd8 another photo")
    quarantined.put(house.sidecar, SIDECAR)
    before = house.bytes()
    house.carry_out(house.plan(1))

    assert house.untag() == [Untagged(house.photo)]
    assert house.bytes() == before
