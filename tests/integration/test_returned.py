"""Contents that were in quarantine and appear in a watched folder: brought back, or copied again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from culld.app.report import feedback_of_people
from culld.app.returned import returned_by_hand
from culld.files.mount_guard import write_marker
from culld.files.open_beneath import stamp_of
from culld.journal.store import SqliteJournal
from culld.quarantine.apply import PlanApplier
from culld.records import Format, Photo, RootedPath
from culld.stages.decide.feedback import Feedback
from harness import quarantined
from harness.fakes import FakeClock

PHOTO = b"\xff\xd8 a photo"
TAGGED = PHOTO[:2] + quarantined.TAG + PHOTO[2:]


@dataclass
class House:
    """A watched folder, a quarantine and the journal."""

    inbox: Path
    quarantine: Path
    journal: SqliteJournal
    count: int = 0

    def reject(self, *, tagged: bool) -> RootedPath:
        """A photo in quarantine, with keywords in it or as it was; gives where it lies."""
        photo = quarantined.put(RootedPath(self.inbox, Path("a.jpg")), PHOTO)
        rewrites = [quarantined.tagging(photo)] if tagged else []
        plan = quarantined.rejection(quarantined.stack(photo), self.quarantine, *rewrites)
        self.count += 1
        plan = replace(plan, id=f"plan {self.count}")
        with self.journal.intend([plan]) as intent:
            outcome = intent.close(PlanApplier().apply(plan))
        assert outcome.fault is None
        return outcome.now

    def is_restored(self, name: str = "a.jpg") -> bool:
        """Return whether the daemon takes a photo that appeared as restored."""
        place = RootedPath(self.inbox, Path(name))
        stamp = stamp_of(place)
        assert stamp is not None
        return returned_by_hand(
            self.journal, Photo(place, stamp, quarantined.digest(place.path.read_bytes()), Format.JPEG)
        )

    def answers(self) -> list[Feedback]:
        """Return the user's answer about each reject."""
        return [each.feedback for each in feedback_of_people(self.journal, None)]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A house whose quarantine has its anchor."""
    for name in ("inbox", "quarantine"):
        (tmp_path / name).mkdir()
    write_marker(tmp_path / "quarantine")
    with SqliteJournal.open(tmp_path / "journal.sqlite3", FakeClock()) as journal:
        yield House(tmp_path / "inbox", tmp_path / "quarantine", journal)


@pytest.mark.parametrize("tagged", [True, False])
def test_a_photo_that_was_moved_back_by_hand_is_restored(house: House, tagged: bool) -> None:  # noqa: FBT001
    """Under whatever name."""
    house.reject(tagged=tagged).path.rename(house.inbox / "b.jpg")

    assert house.is_restored("b.jpg")
    assert house.answers() == [Feedback.FALSE_REJECT]


def test_a_tagged_photo_that_was_moved_back_from_another_disk_is_restored(house: House) -> None:
    """It is another file then, recognised by its bytes; also after it was recorded as deleted."""
    lay = house.reject(tagged=True)
    shutil.copy(lay.path, house.inbox / "b.jpg")
    lay.path.unlink()
    house.journal.note_deleted("plan 1")

    assert house.is_restored("b.jpg")
    assert house.answers() == [Feedback.FALSE_REJECT]


def test_an_original_that_is_copied_again_is_a_new_photo(house: House) -> None:
    """The reject was deleted, and that stays the answer when the copy is rejected and brought back."""
    house.reject(tagged=True).path.unlink()
    quarantined.put(RootedPath(house.inbox, Path("a.jpg")), PHOTO)

    assert not house.is_restored()
    assert house.answers() == [Feedback.CONFIRMED]
    house.reject(tagged=True).path.rename(house.inbox / "b.jpg")
    assert house.is_restored("b.jpg")
    assert house.answers() == [Feedback.CONFIRMED, Feedback.FALSE_REJECT]


def test_in_doubt_a_photo_stays_and_no_answer_is_counted(house: House) -> None:
    """Without keywords in it a copy from the card and a move by way of another disk cannot be distinguished."""
    lay = house.reject(tagged=False)
    quarantined.put(
        RootedPath(house.inbox, Path("a.jpg")), PHOTO
    )  # before the other goes, so that it cannot have its inode
    lay.path.unlink()

    assert house.is_restored()
    assert house.answers() == [Feedback.UNCLEAR]
    assert house.is_restored()
    assert house.answers() == [Feedback.UNCLEAR]


@pytest.mark.parametrize("tagged", [True, False])
def test_a_second_import_beside_a_reject_is_no_answer(house: House, tagged: bool) -> None:  # noqa: FBT001
    """The reject still lies in quarantine."""
    house.reject(tagged=tagged)
    quarantined.put(RootedPath(house.inbox, Path("a.jpg")), PHOTO)

    assert not house.is_restored()
    assert house.answers() == [Feedback.PENDING]
