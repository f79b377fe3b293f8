"""The section about repaired copies in docs/benchmarks.md."""

from __future__ import annotations

from bench.enhance import HEADING, replaced, section, with_rows

NEW = section([["q10", "+1.0 dB", "+1.2 dB"]])


def test_the_section_is_replaced_and_the_others_stay() -> None:
    """It is found by its heading, and ends at the next one."""
    text = f"# Benchmarks\n\nSpeed.\n\n{HEADING}\n\nold figures\n\n## Memory\n\n600 MB\n"

    found = replaced(text, NEW)

    assert "old figures" not in found
    assert found.startswith(f"# Benchmarks\n\nSpeed.\n\n{HEADING}\n")
    assert found.endswith("\n\n## Memory\n\n600 MB\n")
    assert "| q10 | +1.0 dB | +1.2 dB |" in found


def test_the_section_is_added_once_and_its_text_does_not_grow() -> None:
    """So that a second run of the command changes figures only."""
    once = replaced("# Benchmarks\n\nSpeed.\n", NEW)

    assert once.count(HEADING) == 1
    assert replaced(once, NEW) == once


def test_only_the_rows_that_are_given_change() -> None:
    """They are found by their first cell."""
    text = replaced("# Benchmarks\n", section([["time", "1 s", "2 s"], ["time of start", "1 s", "3 s"]]))

    found = with_rows(text, [["time", "1 s", "0.5 s"]])

    assert found == text.replace("| time | 1 s | 2 s |", "| time | 1 s | 0.5 s |")
    assert "| time of start | 1 s | 3 s |" in found
