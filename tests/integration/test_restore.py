"""Restoring from quarantine."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from culld.app.restore import RestoreRequest, run_restore
from culld.config import load_config
from culld.errors import PhotoBlockedError
from culld.files.open_beneath import stamp_of
from culld.files.temp_names import aside_name
from culld.quarantine.apply import PlanApplier
from culld.quarantine.record import from_bytes, to_bytes
from culld.quarantine.restore import Restored, Restorer, restore
from culld.quarantine.selection import Selection
from culld.records import FileStat, RecordedDecision, RootedPath, TaggedFiles
from harness import factories, quarantined
from harness.file_hooks import listings_of

PHOTO = b"\xff\xd8 a photo"
SIDECAR = b"<x:xmpmeta/>"
EVERYTHING = Selection(everything=True)


@dataclass
class FakeRestorations:
    """Keeps notes in memory, and the result of `observe`, called at each note, as the state of the disk."""

    observe: Callable[[], object] = lambda: None
    digests: set[str] = field(default_factory=set)
    places: list[tuple[RootedPath, FileStat | None]] = field(default_factory=list)
    seen: list[object] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)

    def note_restored(self, plan: str, digests: set[str], place: RootedPath, stamp: FileStat | None) -> None:
        """Keep it."""
        self.digests |= digests
        self.places.append((place, stamp))
        self.seen.append(self.observe())

    def note_deleted(self, plan: str) -> None:
        """Keep it."""
        self.deleted.append(plan)

    def reject(self, plan: str) -> RecordedDecision | None:
        """The journal is lost."""
        return None

    def tagged_by(self, plan: str) -> list[TaggedFiles]:
        """The journal is lost, and with it the bytes from before."""
        return []


@dataclass
class House:
    """A watched folder and its quarantine."""

    inbox: Path
    quarantine: Path

    def reject(self, name: str = "2026/a.jpg", data: bytes = PHOTO, *, days: int = 0) -> RootedPath:
        """Put a photo with a sidecar into the inbox, if it is not there, and from there, tagged, into quarantine.

        Gives where it was.
        """
        photo = RootedPath(self.inbox, Path(name))
        if not photo.path.exists():
            quarantined.put(photo, data)
        sidecar = quarantined.put(photo.beside(f"{photo.relative.name}.xmp"), SIDECAR)
        plan = quarantined.rejection(quarantined.stack(photo, sidecar), self.quarantine, quarantined.tagging(photo))
        plan = replace(plan, made_at=factories.NOON + timedelta(days=days))
        assert PlanApplier().apply(plan).fault is None
        return photo

    def restore(self, selection: Selection = EVERYTHING, *, dry_run: bool = False) -> list[Restored]:
        """Bring back what is selected."""
        return self.restore_into(FakeRestorations(), selection, dry_run=dry_run)

    def restore_into(
        self, journal: FakeRestorations, selection: Selection = EVERYTHING, *, dry_run: bool = False
    ) -> list[Restored]:
        """Restore with a journal that the test reads."""
        restorer = Restorer([self.inbox], journal, quarantined.nothing_of_culld)
        return list(restore(self.quarantine, selection, restorer, dry_run=dry_run))


@pytest.fixture
def house(tmp_path: Path) -> House:
    """An empty house."""
    for name in ("inbox", "quarantine"):
        (tmp_path / name).mkdir()
    return House(tmp_path / "inbox", tmp_path / "quarantine")


TAGGED = PHOTO[:2] + quarantined.TAG + PHOTO[2:]


@pytest.mark.parametrize("name", [b"a.jpg", b"2026/05/new\nline.jpg", b"\xff\xfe/\xff.jpg", b"x" * 240 + b".jpg"])
def test_a_photo_comes_back_to_its_place_as_it_was_tagged(house: House, name: bytes) -> None:
    """Path, bytes, mode, date and attributes survive the round trip, and the quarantine is empty again."""
    relative = Path(os.fsdecode(name))
    photo = quarantined.put(RootedPath(house.inbox, relative), PHOTO)
    photo.path.chmod(0o604)
    os.utime(photo.path, ns=(5, 7_000_000_001))
    os.setxattr(photo.path, "user.rating", b"5")
    house.reject(str(relative))
    (result,) = house.restore()
    found = photo.path.stat()

    assert (result.now, result.fault, result.note) == (photo, None, "")
    assert (photo.path.read_bytes(), photo.beside(f"{relative.name}.xmp").path.read_bytes()) == (TAGGED, SIDECAR)
    assert (found.st_mode, found.st_mtime_ns) == (0o100604, 7_000_000_001)
    assert os.getxattr(photo.path, "user.rating") == b"5"
    assert list(house.quarantine.iterdir()) == []


def test_the_journal_knows_before_the_photo_is_back(house: House) -> None:
    """A daemon that scans it a moment later finds both contents in the journal, that before and that after tagging."""
    photo = house.reject()
    journal = FakeRestorations(observe=photo.path.exists)
    house.restore_into(journal)

    assert journal.seen == [False, True]
    assert journal.digests == {quarantined.digest(PHOTO), quarantined.digest(TAGGED)}
    assert journal.places == [(photo, None), (photo, stamp_of(photo))]


def test_a_dry_run_changes_nothing_and_returns_the_same(house: House) -> None:
    """A dry run returns the paths that a restore would use."""
    photo = house.reject()
    before = quarantined.tree(house.quarantine)
    journal = FakeRestorations()
    results = house.restore_into(journal, dry_run=True)

    assert [result.now for result in results] == [photo]
    assert (quarantined.tree(house.quarantine), quarantined.tree(house.inbox), journal.places) == (before, [], [])


@pytest.mark.parametrize(
    ("choose", "expected"),
    [
        (lambda house: Selection((house.quarantine / "2026/a.jpg",)), ["2026/a.jpg"]),
        (lambda house: Selection((house.inbox / "2026/b.jpg",)), ["2026/b.jpg"]),
        (lambda house: Selection((house.quarantine / "2026/a.jpg.culld.json",)), ["2026/a.jpg"]),
        (lambda house: Selection((house.inbox / "2026",)), ["2026/a.jpg", "2026/b.jpg"]),
        (lambda house: Selection((house.quarantine / "2027",)), ["2027/c.jpg"]),
        (lambda house: Selection((house.inbox / "202",)), []),
        (lambda house: Selection(since=factories.NOON + timedelta(days=1)), ["2026/b.jpg", "2027/c.jpg"]),
        (
            lambda house: Selection((house.quarantine / "2026/a.jpg", house.inbox / "2027")),
            ["2026/a.jpg", "2027/c.jpg"],
        ),
        (lambda house: Selection(), []),
    ],
)
def test_photos_are_selected_by_path_or_time(
    house: House, choose: Callable[[House], Selection], expected: list[str]
) -> None:
    """By where they are, where they were, a folder of either, or since when."""
    for days, name in enumerate(("2026/a.jpg", "2026/b.jpg", "2027/c.jpg")):
        house.reject(name, days=days)
    house.restore(choose(house))

    assert [name for name in quarantined.tree(house.inbox) if name.endswith(".jpg")] == expected


def test_a_taken_name_is_never_replaced(house: House) -> None:
    """The photo and its sidecar come back beside the other file under one new name, which the result holds."""
    photo = house.reject()
    quarantined.put(photo, b"a newcomer")
    (result,) = house.restore()
    marked = f"a~{quarantined.digest(TAGGED)[:8]}.jpg"

    assert result.now == photo.beside(marked)
    assert "is taken" in result.note
    assert quarantined.tree(house.inbox) == sorted(["2026/a.jpg", f"2026/{marked}", f"2026/{marked}.xmp"])
    assert (photo.path.read_bytes(), photo.beside(marked).path.read_bytes()) == (b"a newcomer", TAGGED)


def test_a_restore_that_was_cut_short_is_finished_by_the_next(house: House) -> None:
    """A sidecar that is back already, and a copy of the photo that is complete, are no obstacles."""
    photo = house.reject()
    record = from_bytes((house.quarantine / "2026/a.jpg.culld.json").read_bytes())
    sidecar = record.members[0]
    (house.inbox / "2026").mkdir(exist_ok=True)
    (house.quarantine / "2026" / sidecar.name).rename(house.inbox / sidecar.origin)
    quarantined.put(photo, TAGGED)
    (result,) = house.restore()

    assert (result.now, result.fault) == (photo, None)
    assert quarantined.tree(house.inbox) == ["2026/a.jpg", "2026/a.jpg.xmp"]
    assert quarantined.tree(house.quarantine) == []


def test_a_restore_under_a_marked_name_is_taken_up_under_the_same(house: House) -> None:
    """The sidecar that came back first is not parted from its photo."""
    photo = house.reject()
    quarantined.put(photo, b"a newcomer")
    marked = photo.beside(f"a~{quarantined.digest(TAGGED)[:8]}.jpg.xmp")
    (house.quarantine / "2026/a.jpg.xmp").rename(marked.path)
    (result,) = house.restore()

    assert result.now == photo.beside(f"a~{quarantined.digest(TAGGED)[:8]}.jpg")


def test_a_photo_edited_in_quarantine_comes_back_as_it_is(house: House) -> None:
    """The user may have edited it there; that content is protected, too."""
    photo = house.reject()
    (house.quarantine / "2026/a.jpg").write_bytes(b"edited")
    journal = FakeRestorations()
    house.restore_into(journal)

    assert photo.path.read_bytes() == b"edited"
    assert quarantined.digest(b"edited") in journal.digests


def test_a_root_that_is_not_configured_any_more_is_refused(house: House) -> None:
    """Culld writes nowhere else, whatever a record contains."""
    house.reject()
    restorer = Restorer([Path("/elsewhere")], FakeRestorations())
    (result,) = restore(house.quarantine, EVERYTHING, restorer)

    assert "no longer watches" in (result.fault or "")
    assert quarantined.tree(house.inbox) == []


def test_a_hostile_record_leads_nowhere(house: House) -> None:
    """One that names a path above the root is reported and left, and so is one of a photo of another name."""
    house.reject("2026/a.jpg")
    house.reject("2026/b.jpg")
    record = house.quarantine / "2026/a.jpg.culld.json"
    record.write_bytes(record.read_bytes().replace(b'"2026/a.jpg"', b'"2026/../../a.jpg"'))
    other = house.quarantine / "2026/b.jpg.culld.json"
    genuine = from_bytes(other.read_bytes())
    other.write_bytes(to_bytes(replace(genuine, members=(replace(genuine.photo, name="a.jpg"),))))
    results = house.restore()

    assert all("is no record of culld" in (result.fault or "") for result in results)
    assert (len(results), quarantined.tree(house.inbox)) == (2, [])


def test_a_linked_record_is_not_followed(house: House, tmp_path: Path) -> None:
    """Only plain files below the quarantine are records."""
    house.reject()
    record = house.quarantine / "2026/a.jpg.culld.json"
    record.rename(tmp_path / "record")
    record.symlink_to(tmp_path / "record")

    assert house.restore() == []


def test_one_photo_that_cannot_come_back_does_not_stop_the_others(house: House) -> None:
    """A file where its folder was is reported for it alone."""
    house.reject("2026/a.jpg")
    second = house.reject("2027/b.jpg")
    (house.inbox / "2026").rmdir()
    (house.inbox / "2026").write_bytes(b"no folder")
    first, other = house.restore()

    assert "stands where a folder should be" in (first.fault or "")
    assert (other.now, other.fault) == (second, None)
    assert quarantined.tree(house.quarantine) == ["2026/a.jpg", "2026/a.jpg.culld.json", "2026/a.jpg.xmp"]


def test_a_photo_that_never_left_gets_its_sidecar_back(house: House) -> None:
    """After a crash in the middle of a move, restore serves as well as a replay."""
    photo = house.reject()
    record = from_bytes((house.quarantine / "2026/a.jpg.culld.json").read_bytes())
    (house.inbox / "2026").mkdir(exist_ok=True)
    (house.quarantine / "2026/a.jpg").rename(photo.path)
    (result,) = house.restore()

    assert (result.now, "no longer in quarantine" in result.note) == (photo, True)
    assert quarantined.tree(house.inbox) == ["2026/a.jpg", "2026/a.jpg.xmp"]
    assert record.photo.digest == quarantined.digest(photo.path.read_bytes())


def test_a_photo_that_the_user_deleted_is_an_answer_and_its_record_is_removed(house: House) -> None:
    """A sidecar that came with the photo is not culld's, so it stays; a second restore reports nothing."""
    house.reject()
    (house.quarantine / "2026/a.jpg").unlink()
    journal = FakeRestorations()
    (result,) = house.restore_into(journal)

    assert (result.now, result.fault, len(journal.deleted)) == (None, None, 1)
    assert "not culld's own, so kept: a.jpg.xmp" in result.note
    assert quarantined.tree(house.quarantine) == ["2026/a.jpg.xmp"]
    assert house.restore() == []


def test_a_photo_that_was_deleted_cannot_be_restored_by_name(house: House) -> None:
    """Asked for alone it is a failure, and the record stays for the next `--all`."""
    house.reject()
    (house.quarantine / "2026/a.jpg").unlink()
    (result,) = house.restore(Selection((house.quarantine / "2026/a.jpg",)))

    assert "is no longer in quarantine" in (result.fault or "")
    assert quarantined.tree(house.quarantine) == ["2026/a.jpg.culld.json", "2026/a.jpg.xmp"]


def test_a_newcomer_of_the_same_name_is_not_the_photo(house: House) -> None:
    """The photo was deleted from quarantine and another one has its name: nothing is noted of that one."""
    photo = house.reject()
    (house.quarantine / "2026/a.jpg").unlink()
    quarantined.put(photo, b"a newcomer")
    journal = FakeRestorations()
    (result,) = house.restore_into(journal)

    assert (result.now, result.fault, journal.places) == (None, None, [])
    assert photo.path.read_bytes() == b"a newcomer"


def test_a_restore_cut_short_under_a_marked_name_is_not_taken_for_a_deletion(house: House) -> None:
    """The photo is back beside a newcomer, and only the record is left in quarantine."""
    photo = house.reject()
    quarantined.put(photo, b"a newcomer")
    record = (house.quarantine / "2026/a.jpg.culld.json").read_bytes()
    (first,) = house.restore()
    quarantined.put(RootedPath(house.quarantine, Path("2026/a.jpg.culld.json")), record)
    (second,) = house.restore()

    assert first.now is not None
    assert (second.now, second.fault) == (first.now, None)
    assert quarantined.tree(house.quarantine) == []


def test_a_missing_quarantine_and_an_empty_one_differ(house: House, tmp_path: Path) -> None:
    """Its disk may not be mounted."""
    with pytest.raises(PhotoBlockedError, match="mount its disk"):
        list(restore(tmp_path / "none", EVERYTHING, Restorer([], FakeRestorations())))


def test_many_equal_names_come_back_apart(house: House) -> None:
    """Thirty photos that were all called the same are thirty photos again."""
    for number in range(30):
        house.reject("a.jpg", f"photo {number}".encode())
    before = quarantined.contents(house.quarantine)
    results = house.restore()

    assert [result.fault for result in results] == [None] * 30
    assert quarantined.contents(house.inbox) == before


@pytest.mark.parametrize("count", [1, 40])
def test_each_folder_is_listed_once_however_many_photos_it_holds(house: House, count: int) -> None:
    """The quarantine with its one folder, and the folder that the photos come back to."""
    for number in range(count):
        house.reject(f"2026/{number}.jpg", PHOTO + bytes([number]))

    assert listings_of(house.restore) == 3
    assert len(quarantined.tree(house.inbox)) == 2 * count


def test_a_photo_that_is_set_aside_after_its_folder_was_listed_is_found(house: House) -> None:
    """A culld may be killed meanwhile: the folder is listed again before a missing photo counts as deleted."""
    for name in ("2026/a.jpg", "2026/b.jpg"):
        house.reject(name)
    hidden = house.quarantine / "2026" / aside_name("b.jpg")

    def hide() -> None:
        if not (house.inbox / "2026/a.jpg").exists():  # b has not been begun yet
            (house.quarantine / "2026/b.jpg").rename(hidden)

    journal = FakeRestorations(observe=hide)
    results = house.restore_into(journal)

    assert [(result.fault, result.now is None) for result in results] == [(None, False)] * 2
    assert (journal.deleted, quarantined.tree(house.quarantine)) == ([], [])
    assert (house.inbox / "2026/b.jpg").read_bytes() == TAGGED


def test_a_record_that_a_killed_restore_had_set_aside_brings_its_photo_back(house: House) -> None:
    """By the use case as well as by its parts: `culld restore --all` searches hidden names, too."""
    photo = house.reject()
    record = house.quarantine / "2026/a.jpg.culld.json"
    record.rename(record.with_name(aside_name(record.name)))
    (house.quarantine / "2026/.culld-0123456789abcdef.tmp").write_bytes(b"half a copy")
    file = house.inbox.parent / "config.yaml"
    file.write_text("watch: [{path: inbox}]\nquarantine: quarantine\nstate: state\n")
    told: list[object] = []

    summary = run_restore(load_config(file, {}), RestoreRequest(EVERYTHING), told.append)

    assert (summary.restored, len(told)) == (1, 1)
    assert photo.path.read_bytes() == TAGGED
    assert quarantined.tree(house.quarantine) == []


def test_what_other_photos_need_stays_where_one_photo_is_restored(house: House) -> None:
    """A photo that a killed restore had set aside is given back with its own record, by the edits that are known."""
    house.reject("2026/a.jpg")
    house.reject("2026/b.jpg")
    (house.quarantine / "2026/b.jpg").rename(house.quarantine / "2026" / aside_name("b.jpg"))
    house.restore(Selection((house.inbox / "2026/a.jpg",)))
    first = quarantined.tree(house.quarantine)
    house.restore()

    assert [name for name in first if name.endswith("~b.jpg")] != []
    assert (house.inbox / "2026/b.jpg").read_bytes() == TAGGED
    assert quarantined.tree(house.quarantine) == []
