"""Wishes of people, from their files to real photos: with a real journal, real tags and real restores."""

from __future__ import annotations

import sqlite3
import subprocess
import uuid
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from culld.app.model_files import resolve_policies
from culld.app.rebuild import rebuild_journal
from culld.app.report import feedback_of_people
from culld.app.restore import RestoreRequest, run_restore
from culld.app.simulate import Simulation
from culld.cli import main
from culld.quarantine.selection import Selection
from culld.records import BY_PERSON, ItemState, ReviewState, Verdict, Wish, WishItem, WishKind
from culld.stages.decide.brake import active_brake
from culld.stages.decide.feedback import Feedback
from culld.stages.decide.replay import ReplayAction
from harness import factories
from harness.review_house import ReviewHouse, done

RATED = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="5"/></rdf:RDF></x:xmpmeta>"""


@pytest.fixture
def house(tmp_path: Path) -> ReviewHouse:
    """Three photos: one was kept, one tagged, one moved."""
    return ReviewHouse(tmp_path).build()


def feedback(house: ReviewHouse) -> list[Feedback]:
    """The feedback on the rejects, the oldest first."""
    with house.journal() as journal:
        return [each.feedback for each in feedback_of_people(journal, None)]


def test_each_photo_has_its_state(house: ReviewHouse) -> None:
    """And the folder of wishes exists; a number without a decision has no state."""
    states = [house.state(name) for name in house.scores]

    assert states == [ReviewState.KEPT, ReviewState.TAGGED, ReviewState.REJECTED]
    assert house.wishes.stat().st_mode & 0o7777 == 0o750
    with house.journal() as journal:
        assert journal.review_states([999]) == {}
        assert journal.decision(999) is None
        assert journal.wish_progress("0b6a2f4e-0000-4000-8000-000000000000") is None


def test_a_rejected_photo_is_restored_bit_for_bit(house: ReviewHouse) -> None:
    """Its tags are out, culld never moves it again, it is a false reject, and the file of the wish is gone."""
    assert house.carry_out(WishKind.RESTORE, "gone.jpg") == done(1)

    assert house.state("gone.jpg") is ReviewState.RESTORED
    assert house.files()["gone.jpg"] == house.originals["gone.jpg"]
    assert house.files("quarantine") == {}
    assert list(house.wishes.iterdir()) == []
    assert house.once().verdicts == dict.fromkeys(Verdict, 0)
    assert feedback(house) == [Feedback.FALSE_REJECT]


def test_a_tagged_photo_is_untagged_bit_for_bit(house: ReviewHouse) -> None:
    """The sidecar is gone, and the photo is not tagged again; the command line gives the same state."""
    assert "tagged.jpg.xmp" in house.files()

    assert house.carry_out(WishKind.RESTORE, "tagged.jpg") == done(1)

    assert house.state("tagged.jpg") is ReviewState.UNTAGGED
    assert {name: data for name, data in house.files().items() if "tagged" in name} == {
        "tagged.jpg": house.originals["tagged.jpg"]
    }
    assert house.once().verdicts == dict.fromkeys(Verdict, 0)


def test_tags_that_the_command_line_takes_out_give_the_same_state(house: ReviewHouse) -> None:
    """`culld restore --untag` is the same answer."""
    run_restore(house.config, RestoreRequest(Selection(everything=True), untag=True), lambda _: None)

    assert house.state("tagged.jpg") is ReviewState.UNTAGGED
    assert house.state("gone.jpg") is ReviewState.RESTORED


def test_a_confirmed_photo_counts_as_a_right_reject_until_it_is_restored(house: ReviewHouse) -> None:
    """No file changes; the answer can be withdrawn."""
    before = (house.files(), house.files("quarantine"))

    assert house.carry_out(WishKind.CONFIRM, "gone.jpg", "tagged.jpg") == done(2)
    assert [house.state(name) for name in house.scores] == [
        ReviewState.KEPT,
        ReviewState.TAG_CONFIRMED,
        ReviewState.CONFIRMED,
    ]
    assert feedback(house) == [Feedback.CONFIRMED]

    assert house.carry_out(WishKind.WITHDRAW, "gone.jpg", "tagged.jpg") == done(2)
    assert house.state("gone.jpg") is ReviewState.REJECTED
    assert feedback(house) == [Feedback.PENDING]
    assert (house.files(), house.files("quarantine")) == before

    house.carry_out(WishKind.CONFIRM, "gone.jpg", "tagged.jpg")
    assert house.carry_out(WishKind.RESTORE, "gone.jpg", "tagged.jpg") == done(2)
    assert house.state("gone.jpg") is ReviewState.RESTORED
    assert house.state("tagged.jpg") is ReviewState.UNTAGGED
    assert feedback(house) == [Feedback.FALSE_REJECT]


def test_a_restored_photo_is_judged_again_when_the_answer_is_withdrawn(house: ReviewHouse) -> None:
    """With its stored scores, by the policy in force; the earlier restore is no feedback any more."""
    house.carry_out(WishKind.RESTORE, "gone.jpg", "tagged.jpg")
    house.model.scored.clear()

    assert house.carry_out(WishKind.WITHDRAW, "gone.jpg", "tagged.jpg") == done(2)

    assert house.model.scored == []
    assert house.state("gone.jpg") is ReviewState.REJECTED
    assert house.state("tagged.jpg") is ReviewState.TAGGED
    assert house.photos("quarantine") == {"gone.jpg"}
    assert b"defect:blur" in house.files()["tagged.jpg"]
    assert [each.verdict for each in house.decisions("gone.jpg")] == [Verdict.QUARANTINE] * 2
    assert feedback(house) == [Feedback.NONE, Feedback.PENDING]


@pytest.mark.parametrize("mode", ["enforce", "observe"])
def test_a_person_rejects_photos(tmp_path: Path, mode: str) -> None:
    """Kept, tagged, untagged, restored: in any mode; it is no feedback, and a restore works as usual."""
    house = ReviewHouse(tmp_path).build()
    house.carry_out(WishKind.RESTORE, "gone.jpg")
    house.set_policy(mode=mode)
    house.model.scored.clear()

    assert house.carry_out(WishKind.REJECT, "gone.jpg", "kept.jpg", "tagged.jpg") == done(3)

    assert house.model.scored == []
    assert house.photos("quarantine") == set(house.scores)
    for name in house.scores:
        last = house.decisions(name)[-1]
        assert (last.verdict, last.rule, last.reason) == (Verdict.QUARANTINE, BY_PERSON, "rejected by a person")
        assert not last.content_restored
        assert house.state(name) is ReviewState.REJECTED
    assert feedback(house) == [Feedback.FALSE_REJECT]

    assert house.carry_out(WishKind.RESTORE, *house.scores) == done(3)
    assert house.files() == house.originals
    assert house.once().verdicts == dict.fromkeys(Verdict, 0)
    assert feedback(house) == [Feedback.FALSE_REJECT]


def test_the_outcome_names_the_new_decision(house: ReviewHouse) -> None:
    """`now` is the number of the last decision about the photo."""
    wish = house.wish(WishKind.REJECT, "kept.jpg")
    house.ask(wish)
    house.once()

    (outcome,) = house.progress(wish).outcomes
    assert outcome.now == house.number("kept.jpg") != outcome.item.decision


def test_the_commands_name_the_person(house: ReviewHouse, capsys: pytest.CaptureFixture[str]) -> None:
    """`culld why` and `culld log`."""
    house.carry_out(WishKind.REJECT, "kept.jpg")
    capsys.readouterr()
    file = str(house.folder / "culld.yaml")

    assert main(["why", str(house.inbox / "kept.jpg"), "--config", file]) == 0
    why = capsys.readouterr().out
    assert main(["log", "--config", file]) == 0
    log = capsys.readouterr().out

    assert "  verdict     quarantine, by person\n  reason      rejected by a person\n" in why
    assert "rejected by a person" in log.splitlines()[-1]


def test_a_photo_that_a_person_rejected_is_rejected_though_it_is_rated(house: ReviewHouse) -> None:
    """The rating came after the decision; the sidecar goes with the photo and comes back with it."""
    (house.inbox / "kept.jpg.xmp").write_bytes(RATED)

    assert house.carry_out(WishKind.REJECT, "kept.jpg") == done(1)
    assert {"kept.jpg", "kept.jpg.xmp"} <= house.files("quarantine").keys()

    house.carry_out(WishKind.RESTORE, "kept.jpg")
    assert house.files()["kept.jpg.xmp"] == RATED


def test_a_reject_by_a_person_is_no_business_of_policies_and_brakes(house: ReviewHouse) -> None:
    """Another policy does not bring it back, and the brake does not count it."""
    house.carry_out(WishKind.REJECT, "kept.jpg", "tagged.jpg")

    with house.journal() as journal:
        config = house.config
        changes = Simulation(config, resolve_policies(config), journal).changes(None)
        assert {change.action for change in changes} == {ReplayAction.STAY_QUARANTINED}
        assert [moved for _, moved in journal.recently_moving(10, None)] == [False, False, True]
        assert journal.unwanted() == 0
    assert house.carry_out(WishKind.RESTORE, "kept.jpg", "tagged.jpg") == done(2)


def test_a_rebuilt_journal_knows_what_a_person_rejected(house: ReviewHouse) -> None:
    """From the reason in the record."""
    house.carry_out(WishKind.REJECT, "kept.jpg")
    (house.folder / "state" / "journal.sqlite3").rename(house.folder / "old.sqlite3")
    rebuild_journal(house.config)

    assert [house.decisions(name)[-1].rule for name in ("kept.jpg", "gone.jpg")] == [BY_PERSON, ""]


def test_raw_and_jpeg_move_and_come_back_together(tmp_path: Path) -> None:
    """Whether one of them is in the wish, or both."""
    house = ReviewHouse(tmp_path, {"a.dng": 0.1, "a.jpg": 0.1, "b.dng": 0.1, "b.jpg": 0.1}).build()

    assert house.carry_out(WishKind.REJECT, "a.jpg", "b.jpg", "b.dng") == done(3)
    assert house.photos("quarantine") == set(house.scores)
    assert [house.decisions(name)[-1].rule for name in house.scores] == [BY_PERSON] * 4

    assert house.carry_out(WishKind.RESTORE, "a.dng", "b.dng", "b.jpg") == done(3)
    assert house.files() == house.originals
    assert [house.state(name) for name in house.scores] == [ReviewState.RESTORED] * 4

    assert house.carry_out(WishKind.WITHDRAW, "a.dng") == done(1)
    assert [house.state(name) for name in house.scores][:2] == [ReviewState.KEPT] * 2
    assert house.carry_out(WishKind.REJECT, "b.dng", "b.jpg") == done(2)
    assert house.photos("quarantine") == {"b.dng", "b.jpg"}


def test_a_shot_that_the_policy_moved_is_judged_as_one(tmp_path: Path) -> None:
    """A more lenient policy brings RAW and JPEG back together."""
    house = ReviewHouse(tmp_path, {"a.dng": 0.98, "a.jpg": 0.99}).build()
    assert house.photos("quarantine") == {"a.dng", "a.jpg"}
    house.set_policy(reject="0.999")

    wish = house.wish(WishKind.APPLY_POLICY, "a.jpg", policy=resolve_policies(house.config).default.digest)
    house.ask(wish)
    house.once()

    assert [each.state for each in house.progress(wish).outcomes] == [ItemState.DONE]
    assert [house.state(name) for name in house.scores] == [ReviewState.TAGGED] * 2
    assert house.photos("quarantine") == set()


def test_the_policy_in_force_is_applied_to_the_listed_photos(house: ReviewHouse) -> None:
    """One comes back, one is moved, one stays; nothing is scored again, and nothing counts as restored."""
    house.set_policy(reject="0.6")
    house.model.scored.clear()
    policy = resolve_policies(house.config).default.digest
    wish = house.wish(WishKind.APPLY_POLICY, *house.scores, policy=policy)
    house.ask(wish)
    house.once()

    assert [each.state for each in house.progress(wish).outcomes] == [ItemState.DONE] * 3
    assert house.photos("quarantine") == {"tagged.jpg", "gone.jpg"}

    house.set_policy(reject="0.995")
    policy = resolve_policies(house.config).default.digest
    wish = house.wish(WishKind.APPLY_POLICY, *house.scores, policy=policy)
    house.ask(wish)
    house.once()

    assert [each.state for each in house.progress(wish).outcomes] == [ItemState.DONE] * 3
    assert house.photos("quarantine") == set()
    assert house.state("gone.jpg") is ReviewState.TAGGED
    assert house.model.scored == []
    assert feedback(house) == [Feedback.NONE, Feedback.NONE]


def test_a_wish_for_another_policy_changes_nothing(house: ReviewHouse) -> None:
    """The policy was saved again after the page had shown it."""
    policy = resolve_policies(house.config).default.digest
    house.set_policy(reject="0.6")
    wish = house.wish(WishKind.APPLY_POLICY, "tagged.jpg", policy=policy)
    house.ask(wish)
    house.once()

    (outcome,) = house.progress(wish).outcomes
    assert (outcome.state, outcome.note) == (
        ItemState.CHANGED,
        "The policy was changed after the wish: another one is in force.",
    )
    assert house.photos("quarantine") == {"gone.jpg"}


def test_no_policy_brings_back_what_a_person_rejected(house: ReviewHouse) -> None:
    """It says so."""
    house.carry_out(WishKind.REJECT, "kept.jpg")
    policy = resolve_policies(house.config).default.digest
    wish = house.wish(WishKind.APPLY_POLICY, "kept.jpg", policy=policy)
    house.ask(wish)
    house.once()

    (outcome,) = house.progress(wish).outcomes
    assert (outcome.state, outcome.note) == (
        ItemState.CHANGED,
        "A person rejected the photo, and no policy brings it back.",
    )


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (WishKind.RESTORE, "kept.jpg"),
        (WishKind.CONFIRM, "kept.jpg"),
        (WishKind.WITHDRAW, "kept.jpg"),
        (WishKind.WITHDRAW, "gone.jpg"),
        (WishKind.REJECT, "gone.jpg"),
    ],
)
def test_a_wish_that_does_not_apply_is_refused_in_words(house: ReviewHouse, kind: WishKind, name: str) -> None:
    """And nothing changes."""
    before = (house.files(), house.files("quarantine"))

    ((state, note),) = house.carry_out(kind, name)

    assert state is ItemState.CHANGED
    assert note == f"A wish of the kind {kind} does not apply to a photo that is {house.state(name)}."
    assert (house.files(), house.files("quarantine")) == before


def test_two_wishes_for_one_photo(house: ReviewHouse) -> None:
    """The first is carried out, in the order of writing; the second is told what the photo is now."""
    first, second = house.wish(WishKind.RESTORE, "gone.jpg"), house.wish(WishKind.CONFIRM, "gone.jpg")
    house.ask(first, second)
    house.once()

    assert [each.state for each in house.progress(first).outcomes] == [ItemState.DONE]
    assert [(each.state, each.note) for each in house.progress(second).outcomes] == [
        (
            ItemState.CHANGED,
            "The photo is not in the state that was shown: it was rejected, and it is restored now.",
        )
    ]


def test_the_same_wish_twice_is_one(house: ReviewHouse) -> None:
    """It is written again before it is taken, and again after it was carried out."""
    wish = house.wish(WishKind.REJECT, "kept.jpg")
    house.ask(wish, wish)
    house.once()
    ended = house.progress(wish).ended_at
    house.ask(wish)
    house.once()

    assert house.progress(wish).ended_at == ended
    assert len(house.decisions("kept.jpg")) == 2
    assert list(house.wishes.iterdir()) == []


def test_a_known_id_with_other_content_is_refused(house: ReviewHouse) -> None:
    """The file is put aside."""
    wish = house.wish(WishKind.CONFIRM, "gone.jpg")
    house.ask(wish)
    house.once()
    house.ask(replace(wish, kind=WishKind.RESTORE))
    house.once()

    assert house.state("gone.jpg") is ReviewState.CONFIRMED
    assert [path.name for path in house.wishes.iterdir()] == [f"{wish.id}.json.bad"]


def test_a_superseded_decision_is_refused(house: ReviewHouse) -> None:
    """The photo was replaced, and judged again, after the page had shown it."""
    wish = house.wish(WishKind.REJECT, "kept.jpg")
    (house.inbox / "kept.jpg").write_bytes(factories.encoded(factories.picture(7, size=(640, 480))))
    house.ask(wish)
    house.once()

    (outcome,) = house.progress(wish).outcomes
    assert (outcome.state, outcome.now) == (ItemState.CHANGED, house.number("kept.jpg"))
    assert house.photos("quarantine") == {"gone.jpg"}


def test_a_file_that_is_gone_or_was_changed_is_not_rejected(house: ReviewHouse) -> None:
    """Also where culld has not seen the change yet: here the file has its old stamp but for the ctime."""
    wish = house.wish(WishKind.REJECT, "kept.jpg", "tagged.jpg")
    (house.inbox / "tagged.jpg").unlink()
    (house.inbox / "kept.jpg").write_bytes(b"\xff\xd8 being written")
    house.ask(wish)
    house.once()

    assert {each.state for each in house.progress(wish).outcomes} == {ItemState.CHANGED}


def test_photos_that_came_back_under_other_names_are_rejected(tmp_path: Path) -> None:
    """Another shot has taken its names, and a person has rejected that one as well."""
    house = ReviewHouse(tmp_path, {"a.dng": 0.1, "a.jpg": 0.1}).build()
    house.carry_out(WishKind.REJECT, "a.jpg")
    first = [house.number(name) for name in house.scores]
    for number, name in enumerate(house.scores):
        house.drop(name, 5 + number)
    house.once()
    assert house.photos("inbox") == house.photos("quarantine") == set(house.scores)
    assert about(house, WishKind.RESTORE, first, ReviewState.REJECTED) == [ItemState.DONE] * 2
    back = house.photos("inbox") - set(house.scores)

    assert house.carry_out(WishKind.REJECT, "a.jpg") == done(1)
    assert house.photos("inbox") == back
    assert about(house, WishKind.REJECT, first, ReviewState.RESTORED) == [ItemState.DONE] * 2

    assert house.photos("inbox") == set()
    assert house.photos("quarantine") == {*house.scores, *back}


def about(house: ReviewHouse, kind: WishKind, numbers: Sequence[int], seen: ReviewState) -> list[ItemState]:
    """Carry out a wish about decisions by their numbers; return the states of the photos."""
    wish = Wish(str(uuid.uuid4()), kind, tuple(WishItem(number, seen) for number in numbers))
    house.ask(wish)
    house.once()
    return [each.state for each in house.progress(wish).outcomes]


def test_a_file_that_cannot_move_with_the_photo_holds_a_reject_back(house: ReviewHouse) -> None:
    """Files of one shot are never separated, also by a person; the photo stays as it was judged."""
    (house.inbox / "kept.mov").write_bytes(b"a movie")

    assert house.carry_out(WishKind.REJECT, "kept.jpg") == [
        (ItemState.FAILED, "it is not moved, because kept.mov belongs to it")
    ]
    assert house.state("kept.jpg") is ReviewState.KEPT
    with house.journal() as journal:
        assert journal.open_faults() == []


def test_a_wish_to_resume_releases_the_brake(tmp_path: Path) -> None:
    """Photos are moved again."""
    house = ReviewHouse(tmp_path, {f"{number}.jpg": 0.99 for number in range(20)})
    house.share = "0.1"
    house.build()
    with house.journal() as journal:
        assert active_brake(journal)

    assert house.carry_out(WishKind.RESUME) == []

    with house.journal() as journal:
        assert not active_brake(journal)


def test_a_full_disk_fails_a_restore_and_it_can_be_wished_again(tmp_path: Path) -> None:
    """The photo is as it was before the wish: in quarantine, whole, not protected, and no false reject."""
    house = ReviewHouse(tmp_path)
    house.inbox.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "none", house.inbox]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a tmpfs")
    try:
        house.build()
        _fill(house.inbox / "other")

        ((state, note),) = house.carry_out(WishKind.RESTORE, "gone.jpg")
        assert (state, "the disk is full" in note) == (ItemState.FAILED, True)
        assert house.files("quarantine")["gone.jpg"] == house.originals["gone.jpg"]  # its tags are out already
        assert house.state("gone.jpg") is ReviewState.REJECTED
        assert not house.decisions("gone.jpg")[-1].content_restored
        assert feedback(house) == [Feedback.PENDING]

        (house.inbox / "other").unlink()
        assert house.carry_out(WishKind.RESTORE, "gone.jpg") == done(1)
        assert house.files()["gone.jpg"] == house.originals["gone.jpg"]
    finally:
        subprocess.run(["umount", house.inbox], check=True)


def _fill(path: Path) -> None:
    """Write into a file until the disk is full."""
    with suppress(OSError), path.open("wb", buffering=0) as stream:
        while stream.write(b"x" * 4096) == 4096:
            pass


def test_a_decision_that_cannot_be_read_costs_its_photo_only(house: ReviewHouse) -> None:
    """The wish ends."""
    wish = house.wish(WishKind.CONFIRM, "kept.jpg", "gone.jpg")
    with closing(sqlite3.connect(house.folder / "state" / "journal.sqlite3")) as db:
        db.execute("UPDATE decision SET keywords = '{' WHERE id = ?", (wish.items[0].decision,))
        db.commit()
    house.ask(wish)
    house.once()

    assert [each.state for each in house.progress(wish).outcomes] == [ItemState.CHANGED, ItemState.DONE]


def test_ten_thousand_photos_in_one_wish(house: ReviewHouse) -> None:
    """Each gets its outcome; those that do not exist are named."""
    first = house.number("gone.jpg")
    wish = house.wish(WishKind.CONFIRM, "gone.jpg")
    others = tuple(WishItem(first + 1 + number, ReviewState.REJECTED) for number in range(9_999))
    wish = replace(wish, items=wish.items + others)
    house.ask(wish)
    house.once()

    outcomes = house.progress(wish).outcomes
    assert outcomes[0].state is ItemState.DONE
    assert {(each.state, each.note) for each in outcomes[1:]} == {
        (ItemState.CHANGED, "Its decision is not in the journal, or cannot be read.")
    }
    assert len(outcomes) == 10_000
