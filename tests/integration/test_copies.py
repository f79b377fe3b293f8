"""Repaired copies that the daemon makes: of which photos, where, in which order, and what happens to failures."""

from __future__ import annotations

import errno
import shutil
import threading
from pathlib import Path

import pytest

from culld.app.copies.undo import CopyUndone
from culld.app.enhance_messages import Enhanced, Repair
from culld.errors import InternalError, PhotoBlockedError, SystemFaultError, WorkerLostError
from culld.records import CopyState, ItemState, WishKind
from harness import file_hooks
from harness.repairs import BETTER, COPY, CopyHouse

MADE, NONE, FAILED = CopyState.MADE, CopyState.NONE, CopyState.FAILED
WAITING, REMOVED = CopyState.WAITING, CopyState.REMOVED
WILL_BE = [(ItemState.DONE, "A repaired copy will be made.")]


@pytest.fixture
def house(tmp_path: Path) -> CopyHouse:
    """Three photos: one was kept, one tagged, one moved; copies of rejects are wanted."""
    house = CopyHouse(tmp_path)
    house.build()
    return house


def copy_in(house: CopyHouse, name: str) -> bytes:
    """The bytes of a copy in the watched folder."""
    return (house.inbox / name).read_bytes()


def test_a_photo_that_was_moved_gets_its_copy_where_it_was_found(house: CopyHouse) -> None:
    """It is read from the quarantine; no other photo is repaired, and no file that was there changes."""
    before = house.hashes()

    house.make_copies()

    assert house.repairs.asked == ["gone.jpg"]
    assert copy_in(house, "gone.enhanced.jpg") == COPY + b"gone.jpg"
    found = house.copy("gone.jpg")
    assert (found.state, found.repair, found.reason, found.by_person) == (MADE, Repair.EXPOSURE, BETTER, False)
    after = house.hashes()
    assert {name: after[name] for name in before} == before
    assert after.keys() - before.keys() == {"gone.enhanced.jpg"}


def test_the_next_pass_neither_judges_a_copy_nor_makes_it_again(house: CopyHouse) -> None:
    """With its photo in quarantine."""
    house.make_copies()
    house.once()
    house.make_copies()

    assert house.repairs.asked == ["gone.jpg"]
    assert house.decisions("gone.enhanced.jpg") == []


def test_photos_that_are_only_tagged_get_a_copy_if_the_policy_rejects_them(tmp_path: Path) -> None:
    """In mode observe; a photo below the threshold of a reject gets none."""
    house = CopyHouse(tmp_path)
    house.build("observe")

    house.make_copies()

    assert house.repairs.asked == ["gone.jpg"]
    assert house.photos("inbox") == {"kept.jpg", "tagged.jpg", "gone.jpg", "gone.enhanced.jpg"}


@pytest.mark.parametrize("enhance", ["never", "ask"])
def test_without_the_policy_no_reject_gets_a_copy(tmp_path: Path, enhance: str) -> None:
    """Nor when the policy wants copies later: photos that were judged before are left out."""
    house = CopyHouse(tmp_path, enhance=enhance)
    house.build()
    house.make_copies()
    house.enhance = "rejects"
    house.set_policy()
    house.make_copies()

    assert house.repairs.asked == []
    assert house.repairs.starts == 0


def test_a_policy_that_no_longer_wants_copies_ends_those_that_wait(house: CopyHouse) -> None:
    """With the reason."""
    with house.copies() as copies:
        house.step(copies, is_idle=False)
    house.enhance = "ask"
    house.set_policy()

    house.make_copies()

    assert (house.copy("gone.jpg").state, house.copy("gone.jpg").reason) == (NONE, "policy.enhance is ask now")
    assert house.repairs.asked == []


def test_a_person_asks_for_a_copy_on_the_review_page(tmp_path: Path) -> None:
    """Of a kept photo and of one in quarantine; one that is there already is not made again."""
    house = CopyHouse(tmp_path, enhance="ask")
    house.build()

    assert house.carry_out(WishKind.ENHANCE, "kept.jpg", "gone.jpg") == WILL_BE * 2
    assert house.carry_out(WishKind.ENHANCE, "kept.jpg") == WILL_BE
    house.make_copies()

    assert house.repairs.asked == ["kept.jpg", "gone.jpg"]
    assert house.copy("kept.jpg").by_person
    there = [(ItemState.DONE, "kept.enhanced.jpg is there already.")]
    assert house.carry_out(WishKind.ENHANCE, "kept.jpg") == there
    (house.inbox / "kept.enhanced.jpg").unlink()
    assert house.carry_out(WishKind.ENHANCE, "kept.jpg") == WILL_BE
    house.make_copies()
    assert copy_in(house, "kept.enhanced.jpg") == COPY + b"kept.jpg"


def test_a_person_may_ask_again_after_a_refusal(house: CopyHouse) -> None:
    """The model may have become better."""
    house.repairs.answers["gone.jpg"] = Enhanced("it is burnt out", repair=Repair.EXPOSURE)
    house.make_copies()
    refused = house.copy("gone.jpg")
    house.repairs.answers.clear()

    assert house.carry_out(WishKind.ENHANCE, "gone.jpg") == WILL_BE
    house.make_copies()

    assert (refused.state, refused.reason, refused.repair) == (NONE, "it is burnt out", "exposure")
    assert (house.copy("gone.jpg").state, house.repairs.asked) == (MADE, ["gone.jpg"] * 2)


def test_a_person_asks_in_vain_if_the_policy_makes_no_copies_or_the_photo_is_gone(tmp_path: Path) -> None:
    """With a sentence that says what to do."""
    house = CopyHouse(tmp_path, enhance="never")
    house.build()
    never = "The policy makes no repaired copies; set `policy.enhance: ask`."
    assert house.carry_out(WishKind.ENHANCE, "kept.jpg") == [(ItemState.FAILED, never)]
    house.enhance = "ask"
    house.set_policy()
    (house.inbox / "kept.jpg").unlink()

    ((state, note),) = house.carry_out(WishKind.ENHANCE, "kept.jpg")

    assert (state, note) == (ItemState.CHANGED, f"{house.inbox}/kept.jpg is no longer there.")


def test_copies_that_people_ask_for_come_first_and_also_while_photos_wait(house: CopyHouse) -> None:
    """The others wait until the daemon is idle."""
    with house.copies() as copies:
        house.step(copies, is_idle=False)
        assert house.repairs.asked == []
        house.carry_out(WishKind.ENHANCE, "kept.jpg")
        house.step(copies, is_idle=False)
        house.step(copies, is_idle=False)
        assert house.repairs.asked == ["kept.jpg"]
        house.step(copies)
    assert house.repairs.asked == ["kept.jpg", "gone.jpg"]


def test_the_loop_goes_on_while_a_photo_is_repaired(house: CopyHouse) -> None:
    """It looks for the answer every second, and the process ends a minute after it."""
    house.repairs.is_held = True
    with house.copies() as copies:
        house.step(copies)
        house.step(copies)
        assert (house.repairs.asked, copies.wait_s) == (["gone.jpg"], 1.0)
        assert house.copy("gone.jpg").state is WAITING
        house.repairs.finish()
        house.step(copies)
        assert house.copy("gone.jpg").state is MADE
        assert (copies.wait_s, house.repairs.stops) == (60.0, 0)
        house.clock.advance(59)
        house.step(copies)
        assert house.repairs.stops == 0
        house.clock.advance(1)
        house.step(copies)
        assert (house.repairs.starts, house.repairs.stops) == (1, 1)
        assert copies.wait_s == float("inf")


def test_a_name_that_is_taken_is_never_replaced(house: CopyHouse) -> None:
    """Neither before the repair nor when another program takes it meanwhile."""
    house.repairs.at_submit = lambda: (house.inbox / "gone.enhanced.jpg").write_bytes(b"theirs")
    house.make_copies()

    assert copy_in(house, "gone.enhanced.jpg") == b"theirs"
    found = house.copy("gone.jpg")
    assert (found.state, found.reason) == (
        NONE,
        "gone.enhanced.jpg is there already; move it away to get a new copy",
    )
    house.carry_out(WishKind.ENHANCE, "gone.jpg")
    house.make_copies()
    assert (house.copy("gone.jpg").state, house.repairs.asked) == (NONE, ["gone.jpg"])


@pytest.mark.parametrize("error", [WorkerLostError("the worker ended"), InternalError("internal error: x")])
def test_a_lost_worker_costs_one_retry(house: CopyHouse, error: WorkerLostError) -> None:
    """Then the copy has failed, and the next photo is repaired."""
    house.repairs.answers["gone.jpg"] = error
    house.make_copies()

    assert house.repairs.asked == ["gone.jpg"] * 2
    assert (house.copy("gone.jpg").state, house.copy("gone.jpg").reason) == (FAILED, str(error))
    house.carry_out(WishKind.ENHANCE, "kept.jpg")
    house.make_copies()
    assert house.copy("kept.jpg").state is MADE


def test_a_photo_that_cannot_be_read_fails_at_once(house: CopyHouse) -> None:
    """With the reason."""
    house.repairs.answers["gone.jpg"] = PhotoBlockedError("it is damaged")
    house.make_copies()

    assert (house.repairs.asked, house.copy("gone.jpg").reason) == (["gone.jpg"], "it is damaged")
    assert house.copy("gone.jpg").state is FAILED


def test_a_worker_that_cannot_start_pauses_the_copies_and_ends_nothing(house: CopyHouse) -> None:
    """After ten minutes it is tried again."""
    broken = SystemFaultError("no worker process could be started")

    def fail() -> None:
        raise broken

    house.repairs.at_submit = fail
    with house.copies() as copies:
        house.step(copies)
        house.step(copies)
        assert (house.copy("gone.jpg").state, house.repairs.starts) == (WAITING, 1)
        house.repairs.at_submit = lambda: None
        house.clock.advance(601)
        house.step(copies)
        house.step(copies)
    assert house.copy("gone.jpg").state is MADE


def test_copies_wait_while_a_folder_is_offline(house: CopyHouse) -> None:
    """The watched one, or the quarantine that holds the photo; also if it goes away during the repair."""
    house.repairs.is_held = True
    with house.copies() as copies:
        house.step(copies, is_quarantine_there=False)
        assert house.repairs.asked == []
        house.step(copies)
        house.inbox.rename(house.folder / "unmounted")
        house.repairs.finish()
        house.step(copies)
        house.step(copies)
        assert house.copy_waits("gone.jpg")
        (house.folder / "unmounted").rename(house.inbox)
        house.clock.advance(60)
        house.step(copies)
        house.repairs.finish()
        house.step(copies)
    assert house.copy("gone.jpg").state is MADE


def test_a_photo_on_a_disk_that_went_away_a_moment_ago_is_waited_for(house: CopyHouse) -> None:
    """The loop does not know yet that the quarantine is offline."""
    quarantine = house.folder / "quarantine"
    with house.copies() as copies:
        quarantine.rename(house.folder / "unmounted")
        house.step(copies)
        assert house.copy_waits("gone.jpg")
        (house.folder / "unmounted").rename(quarantine)
        house.clock.advance(60)
        house.step(copies)
        house.step(copies)
    assert house.copy("gone.jpg").state is MADE


def test_an_empty_mount_point_gets_no_copy(house: CopyHouse) -> None:
    """The disk went away during the repair, and its mount point is on another one."""
    house.repairs.is_held = True
    with house.copies() as copies:
        house.step(copies)
        house.inbox.rename(house.folder / "unmounted")
        house.inbox.mkdir()
        with house.journal() as journal:
            journal.remember_device(house.inbox, 1)
        house.repairs.finish()
        house.step(copies)

        assert list(house.inbox.iterdir()) == []
        assert house.copy_waits("gone.jpg")


def test_a_folder_that_is_gone_fails_its_copy(tmp_path: Path) -> None:
    """It is not made again: the user removed it."""
    house = CopyHouse(tmp_path, {})
    house.build()
    (house.inbox / "day").mkdir()
    house.scores["gone.jpg"] = 0.99
    house.drop("day/gone.jpg")
    house.once()
    shutil.rmtree(house.inbox / "day")

    house.make_copies()

    copy = house.reads(lambda journal: journal.copy_of(1))
    assert copy is not None
    assert copy.state is FAILED
    assert "it is not there" in copy.reason
    assert not (house.inbox / "day").exists()


def test_a_full_disk_delays_a_copy(house: CopyHouse) -> None:
    """For a minute by the clock of the journal; the reason is there meanwhile, and no other file."""

    def fail() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with file_hooks.right_before("culld.rename", "gone.enhanced.jpg", fail):
        house.make_copies()

    found = house.copy("gone.jpg")
    why = "the disk is full; free some space, then culld tries again"
    assert (found.state, found.tries, found.place) == (WAITING, 1, None)
    assert found.reason == f"cannot write {house.inbox}/gone.enhanced.jpg: {why}"
    assert house.photos("inbox") == {"kept.jpg", "tagged.jpg"}
    assert (house.repairs.asked, house.copies_due()) == (["gone.jpg"], 0)


def test_a_copy_that_is_on_the_disk_is_made_whatever_the_disk_says(house: CopyHouse) -> None:
    """It has its name, and only the durability of the name failed."""

    def fail() -> None:
        (house.inbox / "gone.enhanced.jpg").write_bytes(COPY + b"gone.jpg")
        raise OSError(errno.EIO, "Input/output error")

    with file_hooks.right_before("culld.rename", "gone.enhanced.jpg", fail):
        house.make_copies()

    assert house.copy("gone.jpg").state is MADE


def test_a_mistake_of_culld_over_a_copy_fails_that_copy(house: CopyHouse) -> None:
    """The loop goes on, and nothing is left behind."""

    def fail() -> None:
        raise ZeroDivisionError

    with file_hooks.right_before("culld.rename", "gone.enhanced.jpg", fail):
        house.make_copies()

    assert house.copy("gone.jpg").state is FAILED
    assert house.photos("inbox") == {"kept.jpg", "tagged.jpg"}


def test_a_photo_that_was_restored_meanwhile_gets_no_copy(house: CopyHouse) -> None:
    """Unless a person asked for it: then the copy lies beside it."""
    house.repairs.is_held = True
    with house.copies() as copies:
        house.step(copies)
        house.undo(untag=False)
        house.repairs.finish()
        house.step(copies)
        assert house.copy("gone.jpg").state is NONE
        house.carry_out(WishKind.ENHANCE, "gone.jpg")
        house.repairs.is_held = False
        house.step(copies)
        house.step(copies)
    assert house.copy("gone.jpg").state is MADE
    assert {"gone.jpg", "gone.enhanced.jpg"} <= house.photos("inbox")


class TestUndo:
    """`culld restore --untag` takes copies back."""

    def test_a_plain_restore_leaves_the_copy(self, house: CopyHouse) -> None:
        """A later one with --untag removes it."""
        house.make_copies()
        house.undo(untag=False)
        assert (house.inbox / "gone.enhanced.jpg").exists()

        results = house.undo()

        assert [each.place.path for each in results if isinstance(each, CopyUndone)] == [
            house.inbox / "gone.enhanced.jpg"
        ]
        assert house.files() == house.originals
        assert house.copy("gone.jpg").state is REMOVED

    def test_every_file_is_as_it_was_before_culld(self, house: CopyHouse) -> None:
        """Copies of photos that come back, of tagged and of kept ones; none is made again."""
        house.carry_out(WishKind.ENHANCE, "kept.jpg", "tagged.jpg")
        house.make_copies()
        assert len(house.repairs.asked) == 3

        house.undo()
        house.once()
        house.make_copies()

        assert house.files() == house.originals
        assert len(house.repairs.asked) == 3

    def test_a_dry_run_shows_the_copy_and_changes_nothing(self, house: CopyHouse) -> None:
        """Neither file nor journal."""
        house.make_copies()
        before = (house.files(), house.files("quarantine"), house.copy("gone.jpg"))

        results = house.undo(dry_run=True)

        assert [each.place for each in results if isinstance(each, CopyUndone)] == [house.copy("gone.jpg").place]
        assert (house.files(), house.files("quarantine"), house.copy("gone.jpg")) == before

    def test_a_copy_that_another_program_changed_stays(self, house: CopyHouse) -> None:
        """And so does a file that took its place; the photo comes back all the same."""
        house.make_copies()
        (house.inbox / "gone.enhanced.jpg").write_bytes(b"edited")

        (found,) = (each for each in house.undo() if isinstance(each, CopyUndone))

        assert found.note == f"another program changed {house.inbox}/gone.enhanced.jpg since; it stays"
        assert found.fault is None
        assert copy_in(house, "gone.enhanced.jpg") == b"edited"
        assert (house.inbox / "gone.jpg").exists()

    def test_only_selected_copies_are_removed(self, house: CopyHouse) -> None:
        """By the path at which a photo was found; the copies of others in quarantine stay."""
        house.carry_out(WishKind.ENHANCE, "kept.jpg")
        house.make_copies()

        house.undo(selection=house.selected("kept.jpg"))

        assert house.photos("inbox") == {"kept.jpg", "tagged.jpg", "gone.enhanced.jpg"}
        assert (house.copy("kept.jpg").state, house.copy("gone.jpg").state) == (REMOVED, MADE)

    def test_the_copy_of_a_photo_that_cannot_come_back_stays(self, house: CopyHouse) -> None:
        """It is still in quarantine."""
        house.make_copies()
        (record,) = (house.folder / "quarantine").glob("*.json")
        record.write_text("{")

        house.undo()

        assert (house.inbox / "gone.enhanced.jpg").exists()
        assert house.copy("gone.jpg").state is MADE

    def test_a_copy_that_waits_or_is_being_repaired_is_not_made_any_more(self, house: CopyHouse) -> None:
        """The answer of the worker is dropped."""
        house.repairs.is_held = True
        with house.copies() as copies:
            house.step(copies)
            house.undo()
            house.repairs.finish()
            house.step(copies)
            house.step(copies)
        assert house.copy("gone.jpg").state is REMOVED
        assert house.files() == house.originals

    def test_it_waits_while_the_daemon_writes_a_copy(self, house: CopyHouse) -> None:
        """Then it removes the copy: the quarantine is locked from the entry in the journal to the end of the file."""
        results: list[object] = []
        undo = threading.Thread(target=lambda: results.extend(house.undo()))

        def begin_undo() -> None:
            undo.start()
            undo.join(0.5)

        with file_hooks.right_before("culld.rename", "gone.enhanced.jpg", begin_undo), house.copies() as copies:
            house.step(copies)
            house.step(copies)
        undo.join(30)

        assert [type(each) for each in results][-1] is CopyUndone
        assert house.files() == house.originals
        assert house.copy("gone.jpg").state is REMOVED

    def test_a_copy_that_a_killed_daemon_wrote_is_removed(self, house: CopyHouse) -> None:
        """The journal has it as begun."""
        house.make_copies()
        with house.journal() as journal:
            journal._db.execute("UPDATE copy SET state = 'begun'")

        house.undo()

        assert house.files() == house.originals
        assert house.copy("gone.jpg").state is REMOVED

    def test_a_link_in_place_of_the_copy_stays(self, house: CopyHouse) -> None:
        """As does the file that it leads to."""
        house.make_copies()
        copy = house.inbox / "gone.enhanced.jpg"
        copy.rename(house.folder / "elsewhere.jpg")
        copy.symlink_to(house.folder / "elsewhere.jpg")

        (found,) = (each for each in house.undo() if isinstance(each, CopyUndone))

        assert found.fault is not None
        assert copy.is_symlink()
        assert (house.folder / "elsewhere.jpg").read_bytes() == COPY + b"gone.jpg"


def test_a_photo_that_left_the_quarantine_by_hand_gets_no_copy(house: CopyHouse) -> None:
    """With the path that it had."""
    (house.folder / "quarantine" / "gone.jpg").unlink()

    house.make_copies()

    assert house.copy("gone.jpg").reason == f"{house.folder}/quarantine/gone.jpg is no longer there"
