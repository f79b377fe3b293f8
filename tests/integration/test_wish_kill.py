"""`kill -9` along the way of a wish: written, taken, begun, carried out, recorded; nothing is lost or done twice."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from culld.app.model_files import resolve_policies
from culld.records import ItemState, PlanState, ReviewState, Verdict, Wish, WishKind
from harness.kill_points import killed_in_journal
from harness.review_house import ReviewHouse

REJECTED, RESTORED, KEPT, TAGGED = ReviewState.REJECTED, ReviewState.RESTORED, ReviewState.KEPT, ReviewState.TAGGED


@dataclass(frozen=True)
class Journey:
    """What was done before a wish, the wish, and the states and the number of decisions afterwards."""

    kind: WishKind
    names: tuple[str, ...]
    after: dict[str, tuple[ReviewState, int]]
    before: tuple[WishKind, ...] = ()
    scores: tuple[tuple[str, float], ...] = (("kept.jpg", 0.1), ("tagged.jpg", 0.7), ("gone.jpg", 0.99))
    reject: str = "0.97"
    enhance: str = "never"
    more: int = 0
    """How often a photo may be decided about once more: it came back and was judged before the others of its shot."""


SHOT = (("a.dng", 0.1), ("a.jpg", 0.1))
BLURRED_SHOT = (("a.dng", 0.98), ("a.jpg", 0.99))
JOURNEYS = {
    "restore": Journey(WishKind.RESTORE, ("gone.jpg",), {"gone.jpg": (RESTORED, 1)}),
    "untag": Journey(WishKind.RESTORE, ("tagged.jpg",), {"tagged.jpg": (ReviewState.UNTAGGED, 1)}),
    "confirm": Journey(WishKind.CONFIRM, ("gone.jpg",), {"gone.jpg": (ReviewState.CONFIRMED, 1)}),
    "reject": Journey(
        WishKind.REJECT,
        ("kept.jpg", "tagged.jpg"),
        {"kept.jpg": (REJECTED, 2), "tagged.jpg": (REJECTED, 2)},
    ),
    "enhance": Journey(
        WishKind.ENHANCE,
        ("kept.jpg", "gone.jpg"),
        {"kept.jpg": (KEPT, 1), "gone.jpg": (REJECTED, 1)},
        enhance="ask",
    ),
    "withdraw": Journey(WishKind.WITHDRAW, ("gone.jpg",), {"gone.jpg": (REJECTED, 2)}, (WishKind.RESTORE,)),
    "apply a policy": Journey(
        WishKind.APPLY_POLICY,
        ("tagged.jpg", "gone.jpg"),
        {"tagged.jpg": (TAGGED, 2), "gone.jpg": (TAGGED, 2)},
        reject="0.995",
    ),
    "reject a shot": Journey(
        WishKind.REJECT, ("a.jpg",), {"a.dng": (REJECTED, 2), "a.jpg": (REJECTED, 2)}, scores=SHOT
    ),
    "withdraw a shot": Journey(
        WishKind.WITHDRAW,
        ("a.jpg",),
        {"a.dng": (REJECTED, 2), "a.jpg": (REJECTED, 2)},
        (WishKind.RESTORE,),
        scores=BLURRED_SHOT,
    ),
    "apply a policy to a shot": Journey(
        WishKind.APPLY_POLICY,
        ("a.jpg",),
        {"a.dng": (TAGGED, 2), "a.jpg": (TAGGED, 2)},
        scores=BLURRED_SHOT,
        reject="0.999",
        more=1,
    ),
    "restore a shot": Journey(
        WishKind.RESTORE,
        ("a.jpg", "a.dng"),
        {"a.dng": (RESTORED, 2), "a.jpg": (RESTORED, 2)},
        (WishKind.REJECT,),
        scores=SHOT,
    ),
}


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where everything is: in memory, since a kill, unlike a power cut, loses no written page."""
    memory = Path("/dev/shm")  # noqa: S108 (the folder made in it is private)
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as path:
        yield Path(path)


def prepare(journey: Journey, folder: Path) -> tuple[ReviewHouse, Wish]:
    """The house before the wish, and the wish."""
    house = ReviewHouse(folder / "house", dict(journey.scores), enhance=journey.enhance).build()
    for kind in journey.before:
        house.carry_out(kind, *journey.names)
    house.set_policy(reject=journey.reject)
    policy = resolve_policies(house.config).default.digest if journey.kind is WishKind.APPLY_POLICY else ""
    return house, house.wish(journey.kind, *journey.names, policy=policy)


@pytest.mark.parametrize("name", JOURNEYS)
def test_a_kill_on_the_way_of_a_wish_costs_nothing(folder: Path, name: str) -> None:
    """Nor does a second kill while it is finished (here after every third first one).

    The page sends the wish again if it got no answer.
    """
    journey = JOURNEYS[name]
    house, wish = prepare(journey, folder)
    shutil.copytree(house.folder, folder / "before", symlinks=True)

    def act(on_statement: Callable[[str], None]) -> None:
        house.ask(wish)
        house.once(on_statement)

    kills = 0
    for nth in count(1):
        for again in (0, 1 + nth % 7) if nth % 3 == 0 else (0,):
            shutil.rmtree(house.folder)
            shutil.copytree(folder / "before", house.folder, symlinks=True)
            is_killed = killed_in_journal(nth, act)
            if again and is_killed:
                killed_in_journal(again, act)
            house.ask(wish)
            if nth % 2:
                house.carry_out_wishes()  # the daemon does it at its start, before photos have settled
            house.once()
            check(house, journey, wish)
        kills += is_killed
        if not is_killed:
            break
    assert kills > 8, kills


def check(house: ReviewHouse, journey: Journey, wish: Wish) -> None:
    """The wish is done, each photo is there once and in its new state, and was decided about once."""
    progress = house.progress(wish)
    assert [(each.state, each.note) for each in progress.outcomes if each.state is not ItemState.DONE] == []
    assert progress.ended_at is not None
    with house.journal() as journal:
        assert journal.unfinished() == []
        assert journal.wishes_waiting() == 0
    states = {name: Counter(each.state for each in house.decisions(name)) for name in journey.after}
    # A shot of which a plan was rolled back is judged by the policy before the wish goes on.
    more = journey.more + sum(each[PlanState.ROLLED_BACK] for each in states.values())
    for name, (state, decisions) in journey.after.items():
        assert house.state(name) is state
        assert decisions <= states[name][PlanState.DONE] <= decisions + more
    here, away = house.photos("inbox"), house.photos("quarantine")
    assert here | away == set(house.scores)
    assert here & away == set()
    assert {name for name, (state, _) in journey.after.items() if state in {REJECTED, ReviewState.CONFIRMED}} <= away
    assert list(house.wishes.iterdir()) == []
    assert house.once().verdicts == dict.fromkeys(Verdict, 0)
    for name in here:
        if house.state(name) in {RESTORED, ReviewState.UNTAGGED, KEPT}:
            assert house.files()[name] == house.originals[name]
