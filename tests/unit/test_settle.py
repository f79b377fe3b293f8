"""Settling: when a file counts as complete."""

from __future__ import annotations

from pathlib import Path

from culld.records import FileSnapshot, RootedPath
from culld.stages.watch.settle import Settler
from harness import factories


def settler(written: set[RootedPath] | None = None) -> Settler:
    """A settler with three quiet seconds; `written` are the files that are open for writing."""
    held = written if written is not None else set()
    return Settler(quiet_s=3, is_open_elsewhere=lambda place: place in held)


def test_a_file_is_never_complete_at_first_sight() -> None:
    """One stamp does not show whether a program is still writing."""
    assert settler().observe([factories.snapshot()], now=100) == []


def test_a_file_settles_after_two_equal_stamps_a_quiet_time_apart() -> None:
    """Equal stamps three seconds apart make it complete, and not a moment earlier."""
    waiting = settler()
    seen = factories.snapshot()

    waiting.observe([seen], now=100)

    assert waiting.observe([seen], now=102.9) == []
    assert waiting.observe([seen], now=103) == [seen]


def test_a_file_that_grows_restarts_its_quiet_time() -> None:
    """Each change of size restarts the wait."""
    waiting = settler()
    waiting.observe([factories.snapshot(size=10)], now=100)
    grown = factories.snapshot(size=20)

    assert waiting.observe([grown], now=104) == []
    assert waiting.observe([grown], now=106.9) == []
    assert waiting.observe([grown], now=107) == [grown]


def test_a_file_rewritten_to_the_same_size_restarts_its_quiet_time() -> None:
    """The time of modification counts as much as the size: a preallocated file has its full size at once."""
    waiting = settler()
    waiting.observe([factories.snapshot(mtime_ns=1)], now=100)

    assert waiting.observe([factories.snapshot(mtime_ns=2)], now=104) == []


def test_a_file_held_open_for_writing_never_settles() -> None:
    """A writer may pause for longer than any quiet time."""
    seen = factories.snapshot()
    held = {seen.place}
    waiting = settler(held)
    waiting.observe([seen], now=0)

    assert waiting.observe([seen], now=3600) == []
    assert waiting.slow(600, now=3600) == 1

    held.clear()
    assert waiting.observe([seen], now=3601) == [seen]


def test_without_leases_the_quiet_time_is_doubled() -> None:
    """A file of another owner, or on a file system without leases."""
    waiting = Settler(quiet_s=3, is_open_elsewhere=lambda _: None)
    seen = factories.snapshot()
    waiting.observe([seen], now=100)

    assert waiting.observe([seen], now=105.9) == []
    assert waiting.observe([seen], now=106) == [seen]


def test_a_file_on_a_network_share_must_be_quiet_for_longer() -> None:
    """Its writer may run on another machine, whose open files a lease does not show."""
    near, far = factories.snapshot(), FileSnapshot(RootedPath(Path("/nas"), Path("a.jpg")), factories.stamp())
    waiting = Settler(quiet_s=3, is_open_elsewhere=lambda _: False, remote_roots={Path("/nas")})
    waiting.observe([far, near], now=100)

    assert waiting.due(now=103) == [near.place]
    assert waiting.observe([far, near], now=103) == [near]
    assert waiting.observe([far], now=115) == [far]


def test_a_file_that_goes_on_growing_is_slow() -> None:
    """The status shows uploads over a slow connection."""
    waiting = settler()
    for second in range(0, 700, 2):
        waiting.observe([factories.snapshot(size=1 + second)], now=second)

    assert waiting.slow(600, now=700) == 1
    assert waiting.slow(700, now=700) == 0


def test_a_settled_file_is_no_longer_waited_for() -> None:
    """A settled file leaves the waiting list, and so does a forgotten one."""
    waiting = settler()
    first, second = factories.snapshot("a.jpg"), factories.snapshot("b.jpg")
    waiting.observe([first, second], now=0)
    waiting.observe([first], now=3)
    assert waiting.waiting == [second.place]

    waiting.forget(second.place)
    assert waiting.waiting == []


def test_only_what_has_been_quiet_is_due() -> None:
    """A drop of 100,000 photos is not checked as a whole in every turn; one that changes goes to the end."""
    waiting = settler()
    first, second, third = (factories.snapshot(name) for name in ("a.jpg", "b.jpg", "c.jpg"))
    waiting.observe([first, second], now=0)
    waiting.observe([third], now=1)
    waiting.observe([factories.snapshot("a.jpg", size=200)], now=2)

    assert waiting.due(now=2.9) == []
    assert waiting.due(now=3) == [second.place]
    assert waiting.due(now=5) == [second.place, third.place, first.place]
