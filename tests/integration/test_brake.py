"""The brake, with a real journal."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from culld.journal.store import SqliteJournal
from culld.pipeline import Pipeline, Stages
from culld.records import (
    Assessment,
    BrakeLimit,
    Decision,
    FileSnapshot,
    FileStat,
    Format,
    Outcome,
    Photo,
    Plan,
    Policy,
    RootedPath,
    Scores,
    Stack,
    UserMetadata,
    Verdict,
)
from culld.stages.decide.brake import Brake, active_brake, resume
from culld.stages.decide.decider import Decider
from culld.stages.group.grouping import SeriesHold
from culld.stages.plan import Planner, TagSettings
from culld.tags.draft import TagDraft
from harness import factories
from harness.fakes import FakeClock

RULES = replace(factories.rules(), brake=BrakeLimit(0.5, 10))


@dataclass
class House:
    """A journal, and the alerts."""

    journal: SqliteJournal
    clock: FakeClock
    policy: str = "policy-1"
    told: list[str] = field(default_factory=list)
    photos: int = 0

    def braking(self) -> Brake:
        """The brake as a start of culld makes it."""
        return Brake(self.journal, lambda: self.policy, self.clock, self.told.append)

    def held(self, braking: Brake, verdicts: Sequence[bool], rules: Policy = RULES) -> list[bool]:
        """Return whether the brake holds the move of each of some new photos."""
        photos = [factories.place(f"{self.photos + number}.jpg") for number in range(len(verdicts))]
        self.photos += len(photos)
        return [bool(braking.check(rules, place, moving)) for place, moving in zip(photos, verdicts, strict=True)]

    def decide(self, count: int, verdict: Verdict) -> None:
        """Carry out decisions."""
        for number in range(count):
            stack = Stack(factories.assessment(f"decided-{self.clock.moment.timestamp()}-{number}.jpg"))
            plan = replace(
                factories.plan(stack, verdict), id=f"{self.clock.moment}-{number}", made_at=self.clock.moment
            )
            with self.journal.intend([plan]) as intent:
                intent.close(Outcome(plan, plan.photo.place, None, ""))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A house where nothing was decided."""
    clock = FakeClock()
    with SqliteJournal.open(tmp_path / "journal.sqlite3", clock) as journal:
        yield House(journal, clock)


def test_more_than_the_share_stops_the_moves_and_alerts_once(house: House) -> None:
    """The window slides: five of ten may be moved, the sixth may not, nor any after it."""
    braking = house.braking()

    assert house.held(braking, [True] * 5 + [False] * 8 + [True] * 9) == [False] * 18 + [True] * 4
    assert len(house.told) == 1
    assert "6 of the last 10 photos were to be moved, more than the share 0.5 that policy.brake allows" in house.told[0]
    assert active_brake(house.journal) == house.told[0]


def test_it_stays_on_over_a_restart(house: House) -> None:
    """A crash does not release the brake."""
    braking = house.braking()
    house.held(braking, [True] * 6)

    assert house.held(house.braking(), [False]) == [True]


def test_the_window_is_that_of_the_journal_after_a_restart(house: House) -> None:
    """What was moved before the start counts."""
    house.decide(5, Verdict.QUARANTINE)

    assert house.held(house.braking(), [True]) == [True]


def test_the_user_releases_the_brake_and_counting_begins_again(house: House) -> None:
    """While the daemon runs."""
    braking = house.braking()
    assert not resume(house.journal, house.clock)
    house.held(braking, [True] * 6)
    house.decide(6, Verdict.QUARANTINE)
    house.clock.advance(1)

    assert resume(house.journal, house.clock)
    assert house.held(braking, [True] * 6) == [False] * 5 + [True]


def test_another_policy_releases_the_brake(house: House) -> None:
    """As the brake's message advises."""
    braking = house.braking()
    house.held(braking, [True] * 6)
    house.policy = "policy-2"

    assert house.held(braking, [True]) == [False]
    assert active_brake(house.journal) == ""


def test_without_a_limit_nothing_is_held(house: House) -> None:
    """`max_share: never`."""
    braking = house.braking()

    assert not any(house.held(braking, [True] * 1000, factories.rules()))
    assert json.loads(house.journal.status().get("brake", ("{}", None))[0]) == {}


def test_a_photo_that_is_judged_again_and_again_is_counted_once(house: House) -> None:
    """One whose move fails is decided about at each try; that is no wave of rejects, not even after a restart."""
    braking = house.braking()
    stuck = factories.place("stuck.jpg")

    assert not any(braking.check(RULES, stuck, True) for _ in range(30))

    plan = replace(factories.plan(Stack(factories.assessment("stuck.jpg")), Verdict.QUARANTINE))
    for number in range(9):
        with house.journal.intend([replace(plan, id=str(number))]):
            pass
    assert house.braking().check(RULES, stuck, True) == ""


@dataclass
class Import:
    """A first import of blurred photos: the real pipeline, decision and journal, and an `apply` that only notes."""

    house: House
    folder: Path
    moved: list[str] = field(default_factory=list)

    def decider(self, policy: Policy) -> Decider:
        """The stage `decide` with the brake."""
        return Decider(
            policy_of=lambda _: policy,
            is_restored=lambda _: False,
            user_metadata=lambda requests: [UserMetadata() for _ in requests],
            clock=self.house.clock,
            hold=SeriesHold(),
            brake=self.house.braking().check,
        )

    def pipeline(self, policy: Policy) -> Pipeline:
        """The pipeline as the daemon builds it."""
        planner = Planner(
            draft=lambda requests: [TagDraft((), ()) for _ in requests],
            quarantine=self.folder / "quarantine",
            quarantine_away=lambda: "",
            settings=TagSettings(embed=False),
        )
        journal = self.house.journal
        decide, plan = self.decider(policy).decide, planner.plan
        stages = Stages(
            self, lambda found: list(map(Stack, found)), decide, plan, self.apply, lambda _: None, journal.fault
        )
        return Pipeline(stages, journal)

    def drop(self, count: int) -> list[FileSnapshot]:
        """Put files into the inbox."""
        inbox = self.folder / "inbox"
        inbox.mkdir()
        (self.folder / "quarantine").mkdir()
        places = [RootedPath(inbox, Path(f"{number:03}.jpg")) for number in range(count)]
        for place in places:
            place.path.write_text(place.relative.name)
        return [FileSnapshot(place, FileStat.of(place.path.lstat())) for place in places]

    def begin(self, batch: Sequence[FileSnapshot]) -> None:
        """Nothing is read ahead."""

    def read(self, settled: Sequence[FileSnapshot]) -> list[Assessment]:
        """Every photo is blurred."""
        return [
            Assessment(
                Photo(seen.place, seen.stamp, seen.place.relative.name, Format.JPEG), Scores(0.99, 0, 0), "model@1"
            )
            for seen in settled
        ]

    def apply(self, plan: Plan) -> Outcome:
        """Note the photos that are moved."""
        if plan.verdict is Verdict.QUARANTINE:
            self.moved.append(plan.photo.place.relative.name)
        return Outcome(plan, plan.photo.place, plan.photo.stamp, plan.photo.digest)


def test_the_brake_divides_no_shot(house: House, tmp_path: Path) -> None:
    """A RAW and its JPEG are moved together, or stay: here the brake acts on the second of them."""
    first = Import(house, tmp_path)
    decider = first.decider(replace(factories.rules(), brake=BrakeLimit(0.6, 200)))
    found = first.read(first.drop(14))
    alone = [Stack(each) for each in found[:11]]
    one, other = Stack(found[11], siblings=(found[12],)), Stack(found[12], siblings=(found[11],))

    decisions = decider.decide([*alone, one, other, Stack(found[13])])

    verdicts = [each.verdict for each in decisions if isinstance(each, Decision)]
    assert verdicts == [Verdict.QUARANTINE] * 11 + [Verdict.TAG] * 3


@pytest.mark.parametrize(("photos", "moved"), [(5, 5), (230, 12)])
@pytest.mark.parametrize("batch", [16, 64, 230])
def test_a_first_import_of_rejects_is_stopped_early(
    house: House, tmp_path: Path, batch: int, photos: int, moved: int
) -> None:
    """However many are decided about together; a drop of five rejects is moved as a whole."""
    first = Import(house, tmp_path)
    pipeline = first.pipeline(replace(factories.rules(), brake=BrakeLimit(0.6, 200)))
    settled = first.drop(photos)

    for start in range(0, photos, batch):
        pipeline.process(settled[start : start + batch])

    assert len(first.moved) == moved
    assert len(house.told) == int(photos > moved)
