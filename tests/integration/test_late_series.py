"""Shots that were moved before the rest of their series arrived come back by themselves."""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest

from culld.app.model_files import resolve_policies
from culld.app.once import OnePass
from culld.app.report import feedback_of_people
from culld.app.simulate import Simulation
from culld.app.wishes.wish_file import write_wish
from culld.clock import SystemClock
from culld.config import load_config
from culld.imaging.decode import to_network_frame
from culld.journal.store import SqliteJournal
from culld.records import (
    BY_PERSON,
    WISH_FOLDER,
    Assessment,
    Camera,
    Exposure,
    Format,
    Photo,
    RecordedDecision,
    ReviewState,
    RootedPath,
    Scores,
    UserMetadata,
    Verdict,
    Wish,
    WishItem,
    WishKind,
)
from culld.stages.decide.feedback import Feedback
from culld.stages.read import ReadRequest, UserMetadataRequest
from culld.stages.read.assess import dhash_of
from culld.tags.draft import TagDraft, TagRequest
from harness import factories, fakes
from harness.kill_points import killed_at

POLICY = """\
watch: [{path: inbox}]
quarantine: quarantine
state: state
settle: {quiet: 100ms}
policy: {mode: enforce, brake: {max_share: never}, protect: {series: SERIES, bursts: true}}
"""
LIKENESS = dhash_of(to_network_frame(factories.picture(1)))


class FakeWorker:
    """Reads what a photo shows from a JSON file: the second after noon, the exposure time in s, and the blur."""

    def read(self, request: ReadRequest) -> Assessment:
        """Return the assessment that the file describes; all photos show one scene."""
        seen = request.snapshot
        data = seen.place.path.read_bytes()
        second, time_s, blur = json.loads(data)[:3]
        exposure = Exposure(time_s, 8.0, 100)
        camera = Camera("X", factories.NOON + timedelta(seconds=second), exposure=exposure, focal_mm=24)
        format_ = Format.RAW if seen.place.relative.suffix == ".dng" else Format.JPEG
        photo = Photo(seen.place, seen.stamp, hashlib.sha256(data).hexdigest(), format_, camera)
        return Assessment(photo, Scores(blur, 0, 0), "model@1", LIKENESS)

    def user_metadata(self, _request: UserMetadataRequest) -> UserMetadata:
        """There is no user metadata."""
        return UserMetadata()

    def draft(self, _request: TagRequest) -> TagDraft:
        """Nothing is written."""
        return TagDraft((), ())


@dataclass
class House:
    """A watched folder, a quarantine, and a journal."""

    folder: Path

    def build(self, series: str = "true") -> House:
        """Make the folders and the configuration; `series` is the value of `policy.protect.series`."""
        for name in ("inbox", "state", "quarantine"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "culld.yaml").write_text(POLICY.replace("SERIES", series))
        return self

    def drop(self, name: str, second: float, time_s: float, blur: float = 0.0) -> None:
        """Put a photo into the watched folder."""
        (self.folder / "inbox" / name).write_text(json.dumps([second, time_s, blur, name]))

    def sweep(self) -> dict[Verdict, int]:
        """Run `culld once` without worker processes; return the counts by verdict."""
        config = load_config(self.folder / "culld.yaml", {})
        with SqliteJournal.open(self.journal, SystemClock()) as journal:
            counts = OnePass(config, journal, fakes.FakePool(FakeWorker())).process([], lambda _: None)  # type: ignore[arg-type]
        assert counts.failures == {}
        return {verdict: count for verdict, count in counts.verdicts.items() if count}

    def replay(self) -> None:
        """Replay the policy on the journal, and carry the changes out."""
        config, pool = load_config(self.folder / "culld.yaml", {}), fakes.FakePool(FakeWorker())
        with SqliteJournal.open(self.journal, SystemClock()) as journal:
            simulation = Simulation(config, resolve_policies(config), journal)
            changes = simulation.with_user_metadata(simulation.changes(None), pool)  # type: ignore[arg-type]
            simulation.apply(changes, pool)  # type: ignore[arg-type]

    @property
    def journal(self) -> Path:
        """The database."""
        return self.folder / "state" / "journal.sqlite3"

    def names(self, folder: str) -> set[str]:
        """The photos in a folder."""
        return {path.name for path in (self.folder / folder).rglob("*") if path.suffix in {".jpg", ".dng"}}

    def history(self, name: str) -> list[RecordedDecision]:
        """The decisions about a photo, the oldest first."""
        with SqliteJournal.open(self.journal, SystemClock()) as journal:
            return journal.history_of(RootedPath(self.folder / "inbox", Path(name)))

    def open_decisions(self) -> list[object]:
        """The plans that were begun and are not closed."""
        with SqliteJournal.open(self.journal, SystemClock()) as journal:
            return [*journal.unfinished()]

    def feedback(self) -> list[Feedback]:
        """The feedback on each reject."""
        with SqliteJournal.open(self.journal, SystemClock()) as journal:
            return [each.feedback for each in feedback_of_people(journal, None)]


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A house whose first shot, blurred and alone, was moved to quarantine."""
    house = House(tmp_path).build()
    house.drop("first.jpg", 0, 4.0, blur=0.99)
    assert house.sweep() == {Verdict.QUARANTINE: 1}
    return house


def test_the_first_shot_of_a_bracket_comes_back_when_the_others_arrive(house: House) -> None:
    """It is judged again, as part of the bracket; it stays, and is no wrong reject."""
    house.drop("second.jpg", 20, 1.0)
    house.drop("third.jpg", 45, 0.25)

    assert house.sweep() == {Verdict.KEEP: 2, Verdict.TAG: 1}
    assert house.names("inbox") == {"first.jpg", "second.jpg", "third.jpg"}
    assert house.names("quarantine") == set()
    assert house.sweep() == {}
    moved, kept = house.history("first.jpg")
    assert (moved.released, moved.restored) == ("series", False)
    assert kept.reason.endswith("it is one of 3 shots of a bracket (policy.protect.series)")
    assert house.feedback() == [Feedback.NONE]


def test_a_kill_while_shots_come_back_keeps_none_of_them_in_quarantine(tmp_path: Path) -> None:
    """The next run brings the rest back, judges all of them as a bracket, and leaves no decision open."""
    for nth in count(1):
        house = House(tmp_path / str(nth)).build()
        house.drop("first.jpg", 0, 4.0, blur=0.99)
        house.drop("other.jpg", 1, 1.0, blur=0.99)
        house.build(series="false").sweep()
        house.build().drop("third.jpg", 45, 0.25)

        is_killed = killed_at(nth, run, house)
        house.sweep()

        assert house.names("inbox") == {"first.jpg", "other.jpg", "third.jpg"}, nth
        assert house.names("quarantine") == set()
        assert house.open_decisions() == []
        assert {name: house.history(name)[-1].verdict for name in house.names("inbox")} == {
            "first.jpg": Verdict.TAG,
            "other.jpg": Verdict.TAG,
            "third.jpg": Verdict.KEEP,
        }
        if not is_killed:
            break

    assert nth > 5


def test_a_shot_that_a_person_rejected_stays_in_quarantine(tmp_path: Path) -> None:
    """The others of its bracket arrive later; the policy would protect it."""
    house = House(tmp_path).build()
    house.drop("first.jpg", 0, 4.0)
    house.sweep()
    wish = Wish(str(uuid.uuid4()), WishKind.REJECT, (WishItem(1, ReviewState.KEPT),))
    write_wish(house.folder / "state" / WISH_FOLDER, wish)
    house.sweep()
    assert house.names("quarantine") == {"first.jpg"}

    house.drop("second.jpg", 20, 1.0)
    house.drop("third.jpg", 45, 0.25)
    house.sweep()

    assert house.names("quarantine") == {"first.jpg"}
    assert [each.rule for each in house.history("first.jpg")] == ["", BY_PERSON]


def run(house: House) -> None:
    """Run `culld once`."""
    house.sweep()


def test_a_raw_and_its_jpeg_come_back_together(tmp_path: Path) -> None:
    """One shot."""
    house = House(tmp_path).build()
    house.drop("first.jpg", 0, 4.0, blur=0.99)
    house.drop("first.dng", 0, 4.0, blur=0.99)
    assert house.sweep() == {Verdict.QUARANTINE: 2}
    house.drop("second.jpg", 20, 1.0)
    house.sweep()

    assert house.names("inbox") == {"first.jpg", "first.dng", "second.jpg"}


def test_a_shot_of_no_series_stays_in_quarantine(house: House) -> None:
    """The exposure is the same, and the next photo was taken much later."""
    house.drop("second.jpg", 500, 1.0)
    house.drop("third.jpg", 545, 0.25)
    house.sweep()

    assert house.names("quarantine") == {"first.jpg"}


def test_nothing_comes_back_if_the_policy_does_not_protect_series(house: House) -> None:
    """It would be moved again."""
    house.build(series="false")
    house.drop("second.jpg", 20, 1.0)
    house.drop("third.jpg", 45, 0.25)
    house.sweep()

    assert house.names("quarantine") == {"first.jpg"}


def test_a_shot_that_was_deleted_from_quarantine_does_not_come_back(house: House) -> None:
    """The others are judged as always."""
    for path in (house.folder / "quarantine").rglob("first.jpg"):
        path.unlink()
    house.drop("second.jpg", 20, 1.0)
    house.drop("third.jpg", 45, 0.25)

    assert house.sweep() == {Verdict.KEEP: 2}
    assert house.names("inbox") == {"second.jpg", "third.jpg"}


def test_a_shot_comes_back_for_its_series_only_once(house: House) -> None:
    """A policy without protection moves it again; the next shot does not bring it back a second time."""
    house.drop("second.jpg", 20, 1.0)
    house.sweep()
    assert house.names("quarantine") == set()
    house.build(series="false").replay()
    assert house.names("quarantine") == {"first.jpg"}
    house.build().drop("third.jpg", 45, 0.25)
    house.sweep()

    assert house.names("quarantine") == {"first.jpg"}
