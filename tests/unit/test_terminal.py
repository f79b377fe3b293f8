"""Text for a terminal: it fits, and elsewhere it is whole."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from culld.cli.terminal import Terminal, cut_end, cut_start, terminal_of

WORDS = st.text(st.sampled_from("ab c/._-写真é"), max_size=80)


class Tty(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


@given(WORDS, WORDS, WORDS, st.integers(1, 120))
def test_a_row_is_never_wider_than_the_terminal(start: str, path: str, end: str, width: int) -> None:
    """Whatever is in it, also characters that take two columns."""
    assert cell_len(Terminal(width).row(start, path, end)) <= width


@given(WORDS, st.integers(14, 120))
def test_a_text_beside_a_label_is_never_wider_than_the_terminal(text: str, width: int) -> None:
    """And no word of it is lost."""
    lines = Terminal(width).labelled("  now  ", text)

    assert all(cell_len(line) <= width for line in lines)
    assert "".join("".join(line[7:] for line in lines).split()) == "".join(text.split())


def test_a_text_stands_below_a_long_label() -> None:
    """So that both can be read."""
    assert Terminal(16).labelled("  IMG_0001.jpg   ", "less sharp") == ["  IMG_0001.jpg", "    less sharp"]


def test_the_lines_of_a_text_stand_below_each_other() -> None:
    """Beside the label, which is there once."""
    assert Terminal(16).labelled("fix: ", "write a longer name") == ["fix: write a ", "     longer name"]


def test_a_long_path_keeps_its_end() -> None:
    """The name of the photo is there."""
    assert cut_start("2026/11/IMG_0001.jpg", 13) == "…IMG_0001.jpg"
    assert cut_end("blur 0.99 ≥ 0.97", 10) == "blur 0.99…"
    assert cut_end("写真写真", 4) == "写…"


def test_a_path_gives_way_to_its_reason_down_to_half_of_the_room() -> None:
    """A short reason leaves more."""
    assert Terminal(24).row("tag  ", "2026/IMG_0001.jpg", "blur 0.99") == "tag  …001.jpg  blur 0.99"
    assert Terminal(24).row("tag  ", "a.jpg", "a reason that is longer") == "tag  a.jpg  a reason th…"


def test_elsewhere_text_is_whole_and_plain() -> None:
    """A file or another program reads it."""
    nowhere = terminal_of(io.StringIO(), {})

    assert nowhere == Terminal()
    assert nowhere.row("tag  ", "a" * 200, "b" * 200) == f"tag  {'a' * 200}  {'b' * 200}"
    assert nowhere.labelled("reason  ", "word " * 100) == ["reason  " + "word " * 100]
    assert nowhere.coloured("tag  a.jpg", "tag") == "tag  a.jpg"


@pytest.mark.parametrize(
    ("environ", "colours"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_colours_can_be_turned_off(environ: dict[str, str], colours: bool) -> None:  # noqa: FBT001
    """As no-color.org says: any value but an empty one."""
    assert terminal_of(Tty(), environ).colours is colours


@pytest.mark.parametrize("verdict", ["keep", "tag", "quarantine", "unreadable", "trim", "review"])
def test_each_verdict_has_a_colour(verdict: str) -> None:
    """Of photos and of clips; the name of the photo has none."""
    line = Terminal(80, colours=True).coloured(f"{verdict}  {verdict}.jpg", verdict)

    assert line.count("\x1b[") == 2
    assert line.endswith(f"\x1b[0m  {verdict}.jpg")
