"""Carrying out plans, and the state after a failure."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from culld.errors import PhotoBlockedError
from culld.files.move import move_file
from culld.files.open_beneath import stamp_of
from culld.quarantine.apply import PlanApplier
from culld.quarantine.destination import plan_moves
from culld.quarantine.record import from_bytes
from culld.records import FileStat, Move, Plan, RootedPath, Verdict
from harness import factories, quarantined

PHOTO = b"\xff\xd8 a photo"
SIDECAR = b"<x:xmpmeta/>"


class Stubborn:
    """Moves files like the real thing, but refuses those whose names are given, in the given direction."""

    def __init__(self, *refused: str, back: bool = False) -> None:
        """Refuse to move files of these names, and with `back` to bring anything back."""
        self.refused = refused
        self.back = back

    def __call__(self, move: Move, *, expected: FileStat | None = None) -> FileStat:
        """Move the file, or raise what a full disk would."""
        returning = move.target.root.name == "inbox"
        if move.source.relative.name in self.refused or (self.back and returning):
            raise PhotoBlockedError("the disk is full")
        return move_file(move, expected=expected)


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    """The folder that photos are moved from."""
    return tmp_path / "inbox"


@pytest.fixture
def quarantine(tmp_path: Path) -> Path:
    """The folder that photos are moved to."""
    path = tmp_path / "quarantine"
    path.mkdir()
    return path


def a_rejection(inbox: Path, quarantine: Path) -> Plan:
    """The plan to tag a photo and its sidecar, to make a second sidecar, and to move all three."""
    photo = quarantined.put(RootedPath(inbox, Path("2026/a.jpg")), PHOTO)
    sidecar = quarantined.put(photo.beside("a.xmp"), SIDECAR)
    made = photo.beside("a.jpg.xmp")
    rewrites = [quarantined.tagging(place) for place in (made, sidecar, photo)]
    return quarantined.rejection(quarantined.stack(photo, sidecar), quarantine, *rewrites)


def test_a_rejected_stack_moves_with_its_tags_and_its_record(inbox: Path, quarantine: Path) -> None:
    """Everything is in quarantine under its relative path, and the outcome knows where and with which content."""
    plan = a_rejection(inbox, quarantine)
    outcome = PlanApplier().apply(plan)
    folder = quarantine / "2026"

    assert quarantined.tree(inbox) == []
    assert quarantined.tree(quarantine) == [
        "2026/a.jpg",
        "2026/a.jpg.culld.json",
        "2026/a.jpg.xmp",
        "2026/a.xmp",
    ]
    assert (folder / "a.jpg").read_bytes() == PHOTO[:2] + quarantined.TAG + PHOTO[2:]
    assert (outcome.now, outcome.fault) == (RootedPath(quarantine, Path("2026/a.jpg")), None)
    assert (outcome.stamp, outcome.digest) == (
        stamp_of(outcome.now),
        quarantined.digest((folder / "a.jpg").read_bytes()),
    )
    record = from_bytes((folder / "a.jpg.culld.json").read_bytes())
    assert [member.name for member in record.members] == ["a.jpg.xmp", "a.xmp", "a.jpg"]
    assert (record.judged, record.photo.digest) == (quarantined.digest(PHOTO), outcome.digest)


def test_a_tagged_photo_stays_and_the_outcome_has_its_new_stamp(inbox: Path) -> None:
    """The scanner recognises culld's own write by it."""
    photo = quarantined.put(RootedPath(inbox, Path("a.jpg")), PHOTO)
    plan = replace(
        factories.plan(quarantined.stack(photo), Verdict.TAG),
        rewrites=(quarantined.tagging(photo),),
        notes=("no EXIF",),
    )
    outcome = PlanApplier().apply(plan)

    assert (outcome.now, outcome.stamp, outcome.note) == (photo, stamp_of(photo), "no EXIF")
    assert outcome.digest == quarantined.digest(photo.path.read_bytes()) != quarantined.digest(PHOTO)


def test_a_kept_photo_is_not_touched(inbox: Path) -> None:
    """A plan without changes only confirms the photo."""
    photo = quarantined.put(RootedPath(inbox, Path("a.jpg")), PHOTO)
    before = stamp_of(photo)
    outcome = PlanApplier().apply(factories.plan(quarantined.stack(photo)))

    assert (outcome.stamp, outcome.digest, stamp_of(photo)) == (before, quarantined.digest(PHOTO), before)


def test_a_photo_that_changed_since_it_was_judged_is_left_alone(inbox: Path, quarantine: Path) -> None:
    """Its verdict belonged to other bytes; the outcome has the judged stamp, so the scanner takes it for new."""
    plan = a_rejection(inbox, quarantine)
    plan.photo.place.path.write_bytes(b"edited by a person")
    outcome = PlanApplier().apply(plan)

    assert "changed since it was judged" in (outcome.fault or "")
    assert (outcome.stamp, quarantined.tree(quarantine)) == (plan.photo.stamp, [])
    assert plan.photo.place.path.read_bytes() == b"edited by a person"


@pytest.mark.parametrize("taken", ["a.jpg", "a.xmp", "a.jpg.culld.json"])
def test_a_name_that_was_taken_meanwhile_stops_a_plan_before_it_begins(
    inbox: Path, quarantine: Path, taken: str
) -> None:
    """Nothing is tagged, nothing moved, and the next try comes soon."""
    plan = a_rejection(inbox, quarantine)
    quarantined.put(RootedPath(quarantine, Path("2026") / taken), b"another file")
    outcome = PlanApplier().apply(plan)

    assert outcome.fault is not None
    assert outcome.retry_after == timedelta(seconds=1)
    assert quarantined.contents(inbox) == sorted([quarantined.digest(PHOTO), quarantined.digest(SIDECAR)])
    assert quarantined.tree(quarantine) == [f"2026/{taken}"]


def test_a_rewrite_that_fails_leaves_the_photo_where_it_is(inbox: Path, quarantine: Path) -> None:
    """What was tagged before stays tagged, nothing moves, and no record is written."""
    plan = a_rejection(inbox, quarantine)
    (inbox / "2026/other.jpg").hardlink_to(plan.photo.place.path)
    judged = quarantined.stack(plan.photo.place).primary  # a second name changes the stamp
    outcome = PlanApplier().apply(replace(plan, stack=replace(plan.stack, primary=judged)))

    assert "has hard links" in (outcome.fault or "")
    assert (plan.photo.place.path.read_bytes(), quarantined.tree(quarantine)) == (PHOTO, [])
    assert (outcome.unfinished, outcome.retry_after) == (False, timedelta(minutes=1))


def test_a_photo_that_cannot_move_gets_its_sidecars_back(inbox: Path, quarantine: Path) -> None:
    """The stack is together again in its folder, and no record is left of what did not happen."""
    plan = a_rejection(inbox, quarantine)
    outcome = PlanApplier(Stubborn("a.jpg")).apply(plan)

    assert (outcome.fault, outcome.unfinished) == ("the disk is full", False)
    assert quarantined.tree(inbox) == ["2026/a.jpg", "2026/a.jpg.xmp", "2026/a.xmp"]
    assert quarantined.tree(quarantine) == []
    assert outcome.stamp == stamp_of(plan.photo.place)


def test_sidecars_that_cannot_come_back_leave_the_plan_unfinished(inbox: Path, quarantine: Path) -> None:
    """The record stays with them, and the journal keeps the plan for a replay."""
    plan = a_rejection(inbox, quarantine)
    outcome = PlanApplier(Stubborn("a.jpg", back=True)).apply(plan)

    assert (outcome.fault, outcome.unfinished) == ("the disk is full", True)
    assert quarantined.tree(inbox) == ["2026/a.jpg"]
    assert quarantined.tree(quarantine) == ["2026/a.jpg.culld.json", "2026/a.jpg.xmp", "2026/a.xmp"]


def test_a_missing_quarantine_is_a_fault_and_changes_nothing(inbox: Path, tmp_path: Path) -> None:
    """Its disk may be away for a moment."""
    (tmp_path / "gone").mkdir()
    plan = a_rejection(inbox, tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    outcome = PlanApplier().apply(plan)

    assert "mount its disk" in (outcome.fault or "")
    assert quarantined.contents(inbox) == sorted([quarantined.digest(PHOTO), quarantined.digest(SIDECAR)])


def test_equal_names_become_different_names_in_quarantine(inbox: Path, quarantine: Path) -> None:
    """Photos of the same name arrive one after the other, each with its sidecar; equal ones, too."""
    outcomes = []
    for content in (b"one", b"two", b"two", b"two"):
        photo = quarantined.put(RootedPath(inbox, Path("2026/a.jpg")), content)
        sidecar = quarantined.put(photo.beside("a.jpg.xmp"), b"of " + content)
        plan = quarantined.rejection(quarantined.stack(photo, sidecar), quarantine)
        plan = replace(plan, id=f"plan {len(outcomes)}")
        outcomes.append(PlanApplier().apply(replace(plan, moves=plan_moves(plan, quarantine))))
    names = [outcome.now.relative.name for outcome in outcomes]

    assert [outcome.fault for outcome in outcomes] == [None] * 4
    assert names[:2] == ["a.jpg", f"a~{quarantined.digest(b'two')[:8]}.jpg"]
    assert len(set(names)) == 4
    assert [(quarantine / "2026" / f"{name}.xmp").read_bytes() for name in names] == [b"of one", *[b"of two"] * 3]


def test_a_sidecar_that_cannot_be_read_keeps_the_photo_where_it_is(inbox: Path, quarantine: Path) -> None:
    """Routing fails before there is a plan."""
    photo = quarantined.put(RootedPath(inbox, Path("a.jpg")), PHOTO)
    (inbox / "a.jpg.xmp").symlink_to(inbox / "elsewhere.xmp")

    with pytest.raises(PhotoBlockedError, match="link"):
        quarantined.rejection(quarantined.stack(photo, photo.beside("a.jpg.xmp")), quarantine)
