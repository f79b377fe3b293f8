"""The loop of the daemon takes wishes by their events, and carries them out between batches of photos."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from culld.app.daemon import Daemon
from culld.app.service_status import ServiceStatus
from culld.app.wishes.carry_out import MOST_ITEMS_OF_SLICE
from culld.clock import SystemClock
from culld.errors import StoppedError
from culld.records import ItemState, ReviewState, Wish, WishItem, WishKind
from culld.stages.watch.signals import LoopQueue, Signal
from culld.system.sd_notify import Notifier
from harness import fakes
from harness.review_house import ReviewHouse


@pytest.fixture
def house(tmp_path: Path) -> ReviewHouse:
    """Three photos: one was kept, one tagged, one moved."""
    return ReviewHouse(tmp_path).build()


@dataclass
class Loop:
    """A daemon in a thread of its own, without timers."""

    house: ReviewHouse
    wakeups: LoopQueue = field(default_factory=LoopQueue)
    raised: list[BaseException] = field(default_factory=list)

    def serve(self) -> None:
        """Run it."""
        try:
            with self.house.journal() as journal:
                status = ServiceStatus(Notifier.of({}), None, SystemClock())
                path, pool = self.house.folder / "culld.yaml", fakes.FakePool(self.house.model)
                Daemon(self.house.config, path, journal, pool, status, self.wakeups).run({})  # type: ignore[arg-type]
        except BaseException as error:  # noqa: BLE001 (the test looks at it)
            self.raised.append(error)

    @contextmanager
    def running(self) -> Iterator[None]:
        """The daemon, ready; it must live until the end."""
        thread = threading.Thread(target=self.serve)
        thread.start()
        try:
            self.wait_until(lambda: self.house.reads(lambda journal: journal.status().get("daemon")) is not None)
            yield
            assert self.raised == []
        finally:
            self.wakeups.put(Signal.STOP)
            thread.join(30)

    def wait_until(self, true: Callable[[], object]) -> float:
        """Wait until the condition is true; return how long that took, in seconds."""
        begin = time.monotonic()
        while not true():
            assert self.raised == []
            assert time.monotonic() < begin + 30
            time.sleep(0.005)
        return time.monotonic() - begin

    def has_ended(self, wish: Wish) -> bool:
        """Whether a wish has ended."""
        found = self.house.reads(lambda journal: journal.wish_progress(wish.id))
        return found is not None and found.ended_at is not None


def test_a_wish_wakes_the_loop(house: ReviewHouse) -> None:
    """No timer is needed; a restored photo comes back while the daemon is idle."""
    loop, wish = Loop(house), house.wish(WishKind.RESTORE, "gone.jpg")
    with loop.running():
        house.ask(wish)
        seconds = loop.wait_until(lambda: loop.has_ended(wish))

    assert house.progress(wish).outcomes[0].state is ItemState.DONE
    assert house.files()["gone.jpg"] == house.originals["gone.jpg"]
    assert seconds < 5


def test_wishes_that_were_left_while_the_daemon_was_down_are_carried_out_at_its_start(house: ReviewHouse) -> None:
    """Before it is ready."""
    wish = house.wish(WishKind.REJECT, "kept.jpg")
    house.ask(wish)
    loop = Loop(house)
    with loop.running():
        loop.wait_until(lambda: loop.has_ended(wish))

    assert house.photos("quarantine") == {"kept.jpg", "gone.jpg"}


def test_photos_are_judged_while_a_large_wish_is_carried_out(house: ReviewHouse) -> None:
    """The wish is cut into slices."""
    first = house.number("gone.jpg")
    items = tuple(WishItem(first + number, ReviewState.REJECTED) for number in range(5_000))
    wish = replace(house.wish(WishKind.RESTORE, "gone.jpg"), items=items)
    loop = Loop(house)
    with loop.running():
        house.ask(wish)
        house.drop("new.jpg", 9)
        loop.wait_until(lambda: house.reads(lambda journal: journal.counts())["keep"] == 2)
        is_early = not loop.has_ended(wish)
        loop.wait_until(lambda: loop.has_ended(wish))

    assert is_early
    assert [each.state for each in house.progress(wish).outcomes[:2]] == [ItemState.DONE, ItemState.CHANGED]


def states(house: ReviewHouse, wish: Wish) -> Sequence[ItemState]:
    """The states of the photos of a wish."""
    return [each.state for each in house.progress(wish).outcomes]


def test_a_slice_has_at_most_sixteen_photos(tmp_path: Path) -> None:
    """Refused ones count as well."""
    house = ReviewHouse(tmp_path, {f"{number}.jpg": 0.1 for number in range(20)}).build()
    wish = house.wish(WishKind.RESTORE, *house.scores)
    house.ask(wish)

    with house.carrier() as found:
        found.step({Signal.WISH}, is_quarantine_there=True)
        assert states(house, wish).count(ItemState.CHANGED) == MOST_ITEMS_OF_SLICE
        assert found.more
        found.step(set(), is_quarantine_there=True)
        assert states(house, wish).count(ItemState.CHANGED) == 20
        assert not found.more


def test_without_the_quarantine_wishes_wait(house: ReviewHouse) -> None:
    """They are taken, but the loop does not spin."""
    wish = house.wish(WishKind.RESTORE, "gone.jpg")
    house.ask(wish)

    with house.carrier() as found:
        found.step({Signal.WISH}, is_quarantine_there=False)
        assert not found.more
        assert states(house, wish) == [ItemState.WAITING]
        found.step(set(), is_quarantine_there=True)
    assert states(house, wish) == [ItemState.DONE]


def test_a_stop_comes_between_two_photos(house: ReviewHouse) -> None:
    """The rest waits for the next start."""
    wish = house.wish(WishKind.RESTORE, "gone.jpg", "tagged.jpg")
    house.ask(wish)
    beats = iter([None, StoppedError()])

    def beat() -> None:
        if (error := next(beats)) is not None:
            raise error

    with house.carrier(beat) as found, pytest.raises(StoppedError):
        found.carry_out_all()

    assert states(house, wish) == [ItemState.DONE, ItemState.WAITING]
    house.once()
    assert states(house, wish) == [ItemState.DONE] * 2
