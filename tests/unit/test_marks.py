"""Marks: how other threads speak to the loop."""

from __future__ import annotations

from pathlib import Path

from culld.intake.marks import Dirty, Marks, Signal

ROOT = Path("/photos")


def test_marks_that_say_the_same_count_once() -> None:
    """A burst of events in one folder is one reason to scan it."""
    marks = Marks()
    for _ in range(100):
        marks.put(Dirty(ROOT, ROOT / "a"))
    marks.put(Signal.RESCAN)

    assert marks.take(timeout_s=0) == {Dirty(ROOT, ROOT / "a"), Signal.RESCAN}
    assert marks.take(timeout_s=0) == set()


def test_a_stop_can_be_seen_before_it_is_taken() -> None:
    """Long work asks whether it should end without emptying the queue."""
    marks = Marks()
    assert not marks.stop_asked

    marks.put(Signal.STOP)

    assert marks.stop_asked
    assert marks.take(timeout_s=0) == {Signal.STOP}
