"""Replaying what a crash left, on a real disk."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from culld.files.move import move_file
from culld.files.temp_names import temp_name
from culld.quarantine.apply import _write
from culld.quarantine.destination import record_place
from culld.quarantine.record import record_of, to_bytes
from culld.quarantine.recovery import Step
from culld.quarantine.replay import replay
from culld.records import FileStat, OpenPlan, Plan, RootedPath
from harness import quarantined

PHOTO = b"\xff\xd8 a photo"
SIDECAR = b"<x:xmpmeta/>"


@dataclass
class FakePlans:
    """Open plans in memory, and how each ended."""

    plans: list[OpenPlan]
    endings: list[str] = field(default_factory=list)

    def unfinished(self) -> list[OpenPlan]:
        """The plans that are left."""
        return list(self.plans)

    def finish(self, plan: OpenPlan, now: RootedPath, stamp: FileStat | None, digest: str) -> None:
        """End it at the place."""
        self._end(plan, f"finished at {now.relative}")

    def forget(self, plan: OpenPlan) -> None:
        """End it."""
        self._end(plan, "forgotten")

    def park(self, plan: OpenPlan, stamp: FileStat | None, reason: str) -> None:
        """Keep it."""
        self.endings.append("parked")

    def _end(self, plan: OpenPlan, how: str) -> None:
        self.plans.remove(plan)
        self.endings.append(how)


@dataclass
class Scene:
    """A plan whose record is written, and a journal that holds it open."""

    plan: Plan
    journal: FakePlans

    @property
    def inbox(self) -> Path:
        """The folder that the photo is moved from."""
        return self.plan.photo.place.root

    @property
    def quarantine(self) -> Path:
        """The folder that the photo is moved to."""
        return self.plan.moves[-1].target.root


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """A photo and a sidecar with an open move."""
    (tmp_path / "quarantine").mkdir()
    photo = quarantined.put(RootedPath(tmp_path / "inbox", Path("a.jpg")), PHOTO)
    sidecar = quarantined.put(photo.beside("a.jpg.xmp"), SIDECAR)
    plan = quarantined.rejection(quarantined.stack(photo, sidecar), tmp_path / "quarantine")
    _write(record_place(plan.moves), to_bytes(record_of(plan)), photo)
    return Scene(plan, FakePlans([OpenPlan(plan.id, photo, plan.photo.digest, (), plan.moves)]))


ALL = ["a.jpg", "a.jpg.culld.json", "a.jpg.xmp"]


def test_a_stack_of_which_nothing_moved_is_forgotten_with_its_record(scene: Scene) -> None:
    """It will be judged again."""
    results = replay(scene.journal)

    assert ([result.step for result in results], scene.journal.endings) == ([Step.ROLL_BACK], ["forgotten"])
    assert (quarantined.tree(scene.inbox), quarantined.tree(scene.quarantine)) == (["a.jpg", "a.jpg.xmp"], [])


def test_a_stack_of_which_the_sidecar_moved_is_finished(scene: Scene) -> None:
    """The photo follows."""
    move_file(scene.plan.moves[0])
    replay(scene.journal)

    assert scene.journal.endings == ["finished at a.jpg"]
    assert (quarantined.tree(scene.inbox), quarantined.tree(scene.quarantine)) == ([], ALL)


def test_a_copy_that_was_not_followed_by_the_unlink_is_finished(scene: Scene) -> None:
    """The photo is in both places with the same bytes, and one of them goes."""
    move_file(scene.plan.moves[0])
    quarantined.put(scene.plan.moves[1].target, PHOTO)
    replay(scene.journal)

    assert (quarantined.tree(scene.inbox), quarantined.tree(scene.quarantine)) == ([], ALL)


def test_a_photo_that_the_user_changed_meanwhile_gets_its_sidecar_back(scene: Scene) -> None:
    """The verdict no longer counts."""
    move_file(scene.plan.moves[0])
    scene.plan.photo.place.path.write_bytes(b"edited")
    results = replay(scene.journal)

    assert ([result.step for result in results], scene.journal.endings) == ([Step.UNDO], ["forgotten"])
    assert (quarantined.tree(scene.inbox), quarantined.tree(scene.quarantine)) == (["a.jpg", "a.jpg.xmp"], [])


def test_a_photo_that_is_in_neither_place_is_reported(scene: Scene) -> None:
    """A photo that is in neither place keeps its record and its sidecar, and the user is asked."""
    move_file(scene.plan.moves[0])
    scene.plan.photo.place.path.rename(scene.inbox / "elsewhere.jpg")
    (result,) = replay(scene.journal)

    assert (result.step, scene.journal.endings) == (Step.PARK, ["parked"])
    assert "check both places" in result.note
    assert quarantined.tree(scene.quarantine) == ["a.jpg.culld.json", "a.jpg.xmp"]


@pytest.mark.parametrize("side", ["inbox", "quarantine"])
def test_a_plan_whose_disk_is_away_waits(scene: Scene, side: str) -> None:
    """The state of files in an unmounted folder is unknown."""
    move_file(scene.plan.moves[0])
    root = scene.inbox if side == "inbox" else scene.quarantine
    root.rename(root.with_name("unmounted"))
    (waiting,) = replay(scene.journal)
    root.with_name("unmounted").rename(root)
    (finished,) = replay(scene.journal)

    assert (waiting.step, finished.step) == (None, Step.FINISH)
    assert "mount its disk" in waiting.note


def test_the_record_of_another_plan_is_kept(scene: Scene) -> None:
    """Only the plan that wrote a record may take it away."""
    record_place(scene.plan.moves).path.write_bytes(b"a client's")
    replay(scene.journal)

    assert quarantined.tree(scene.quarantine) == ["a.jpg.culld.json"]


def test_temporary_files_of_a_killed_culld_are_removed(scene: Scene) -> None:
    """In every folder that the plan names."""
    for folder in (scene.inbox, scene.quarantine):
        (folder / temp_name()).write_bytes(b"half a copy")
    replay(scene.journal)

    assert (quarantined.tree(scene.inbox), quarantined.tree(scene.quarantine)) == (["a.jpg", "a.jpg.xmp"], [])


def test_a_second_replay_has_nothing_to_do(scene: Scene) -> None:
    """Replay is idempotent."""
    move_file(scene.plan.moves[0])
    replay(scene.journal)

    assert replay(scene.journal) == []
