"""The decisions of the recovery for every state of the disk."""

from __future__ import annotations

from itertools import product

import pytest

from culld.quarantine.recovery import Act, Facts, Presence, Step, back, forward, next_step

RIGHT, OTHER, ABSENT = Presence.MATCH, Presence.OTHER, Presence.ABSENT
STAYED = Facts(RIGHT, ABSENT)
ARRIVED = Facts(ABSENT, RIGHT)
COPIED = Facts(RIGHT, RIGHT)
EVERY = [Facts(source, target) for source, target in product(Presence, Presence)]
PAIRS = list(product(EVERY, EVERY))
FINISHED = [pair for pair in PAIRS if next_step(pair) is Step.FINISH]


@pytest.mark.parametrize(
    ("sidecar", "photo", "expected"),
    [
        (STAYED, STAYED, Step.ROLL_BACK),
        (ARRIVED, STAYED, Step.FINISH),
        (COPIED, STAYED, Step.FINISH),
        (ARRIVED, COPIED, Step.FINISH),
        (ARRIVED, ARRIVED, Step.DONE),
        (ARRIVED, Facts(OTHER, RIGHT), Step.DONE),
        (ARRIVED, Facts(OTHER, ABSENT), Step.UNDO),
        (ARRIVED, Facts(RIGHT, OTHER), Step.UNDO),
        (Facts(OTHER, RIGHT), Facts(RIGHT, OTHER), Step.PARK),
        (ARRIVED, Facts(ABSENT, ABSENT), Step.PARK),
        (ARRIVED, Facts(ABSENT, OTHER), Step.PARK),
        (ARRIVED, Facts(OTHER, OTHER), Step.PARK),
        (Facts(ABSENT, ABSENT), ARRIVED, Step.PARK),
        (Facts(ABSENT, OTHER), STAYED, Step.PARK),
        (Facts(ABSENT, ABSENT), Facts(ABSENT, ABSENT), Step.ROLL_BACK),
        (STAYED, Facts(RIGHT, OTHER), Step.ROLL_BACK),
    ],
)
def test_a_sidecar_and_its_photo_meet_the_rule_for_their_places(sidecar: Facts, photo: Facts, expected: Step) -> None:
    """Each line is a state that a kill, a full disk or the user can leave behind."""
    assert expected == next_step([sidecar, photo])


def test_a_plan_without_moves_is_forgotten() -> None:
    """Tags alone are judged again: making them twice changes nothing."""
    assert next_step([]) == Step.ROLL_BACK


@pytest.mark.parametrize(("sidecar", "photo"), PAIRS)
def test_no_state_of_the_disk_lets_a_step_touch_what_it_does_not_understand(sidecar: Facts, photo: Facts) -> None:
    """Nothing is moved from or onto bytes of another digest, and no copy is unlinked but one of two equal ones."""
    step = next_step([sidecar, photo])
    acts = {
        Step.FINISH: [(forward(fact), fact.source, fact.target) for fact in (sidecar, photo)],
        Step.DONE: [(forward(fact), fact.source, fact.target) for fact in (sidecar, photo)],
        Step.UNDO: [(back(fact), fact.target, fact.source) for fact in (sidecar, photo)],
        Step.ROLL_BACK: [(back(fact), fact.target, fact.source) for fact in (sidecar, photo)],
    }.get(step, [])

    assert all((start, end) == (RIGHT, ABSENT) for act, start, end in acts if act is Act.MOVE)
    assert all((start, end) == (RIGHT, RIGHT) for act, start, end in acts if act is Act.UNLINK_SOURCE)


@pytest.mark.parametrize(("sidecar", "photo"), PAIRS)
def test_after_its_step_a_plan_needs_no_other(sidecar: Facts, photo: Facts) -> None:
    """A replay after a finished replay finds the plan done, or nothing of it begun."""
    facts = [sidecar, photo]
    step = next_step(facts)
    after = {
        Step.FINISH: [Facts(fact.source if forward(fact) is Act.LEAVE else ABSENT, RIGHT) for fact in facts],
        Step.DONE: facts,
        Step.UNDO: [fact if back(fact) is Act.LEAVE else STAYED for fact in facts],
        Step.ROLL_BACK: facts,
        Step.PARK: facts,
    }[step]
    expected = {Step.FINISH: Step.DONE, Step.UNDO: Step.ROLL_BACK}.get(step, step)

    assert expected == next_step(after)


@pytest.mark.parametrize(("sidecar", "photo"), FINISHED)
def test_a_killed_replay_is_taken_up_again(sidecar: Facts, photo: Facts) -> None:
    """After the first of its two acts a plan that rolls forward is still rolled forward."""
    halfway = Facts(sidecar.source if forward(sidecar) is Act.LEAVE else ABSENT, RIGHT)

    assert next_step([halfway, photo]) in {Step.FINISH, Step.DONE}
