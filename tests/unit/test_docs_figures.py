"""The pages of docs/ repeat the figures of the files that the benches write, and have no other ones beside them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
INTERVAL = re.compile(r"(\d+(?:\.\d+)?)( %)? \((\d+(?:\.\d+)?) to (\d+(?:\.\d+)?)\)")
"""A figure with its interval of 95 %, such as `0.731 (0.717 to 0.744)` or `11.6 % (10.0 to 13.1)`."""


HALF = 0.00055
"""What a page that has three decimals may differ from a file with four."""


def section(page: str, heading: str) -> str:
    """The text below a heading of a page, as one line."""
    text = (REPO / "docs" / page).read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    assert text, heading
    return " ".join(text.split())


def cells(file: str) -> dict[str, list[str]]:
    """The rows of the tables of a file by their first cell."""
    lines = re.findall(r"^\|(.*)\|$", (REPO / file).read_text(), re.MULTILINE)
    rows = [[cell.strip() for cell in line.split("|")] for line in lines]
    return {row[0]: row[1:] for row in rows}


def figures(text: str) -> list[tuple[float, ...]]:
    """The figures with an interval in a text, those in per cent as shares."""
    found = []
    for value, percent, low, high in INTERVAL.findall(text):
        scale = 100 if percent else 1
        found.append(tuple(round(float(each) / scale, 6) for each in (value, low, high)))
    return found


def test_a_figure_in_per_cent_is_that_share() -> None:
    """So that a page may write per cent where the file has a share."""
    assert figures("11.6 % (10.0 to 13.1) and 0.116 (0.100 to 0.131)") == [(0.116, 0.1, 0.131)] * 2


@pytest.mark.parametrize(("page", "heading", "file"), [("segment.md", "Figures", "models/segment/table.md")])
def test_every_figure_with_an_interval_is_in_the_file_that_the_bench_wrote(page: str, heading: str, file: str) -> None:
    """Whatever is missed as well as what is reached."""
    shown = figures(section(page, heading))

    assert len(shown) > 10
    assert set(shown) <= set(figures((REPO / file).read_text()))


def test_the_figures_of_the_page_are_those_of_the_browser() -> None:
    """Rounded as they are in docs/web.md."""
    page, rows = section("web.md", "Speed"), cells("tests/bench/PAGE.md")
    median = {what: float(row[0].split()[0]) for what, row in rows.items() if row[0].split()[0].isdigit()}
    first = [median[f"first screen ready, {count} listed"] / 1000 for count in ("20,000", "100,000", "1,000,000")]

    assert "complete after {:.2f}, {:.2f} and {:.2f} s".format(*first) in page
    assert f"never seen takes {median['to a photo of 24 MP that was never seen'] / 1000:.2f} s" in page
    assert f"its own pixels {median['sharp at 100 %, 24 MP'] / 1000:.2f} s" in page
    assert f"shows its numbers after {median['slider to numbers, 100,000 photos']:.0f} ms" in page
    assert f"back in its folder {median['one photo brought back']:.0f} ms after the wish" in page
    assert f"for the idle process ({median['memory of the web process alone']:.0f})" in page
    workers = median["with the workers that make previews, after 54 MP"]
    assert f"of 54 megapixels ({workers:.0f})" in page
    assert f"judging is {median['judging, slower while a person leafs once a second']:.0f} % slower" in page


def test_the_figures_of_clips_are_those_of_the_bench() -> None:
    """Each kind of clip, with its interval, and how many photographs and clips there were."""
    page, file = section("clips.md", "Figures"), (REPO / "tests" / "bench" / "CLIPS.md").read_text()
    rows = re.findall(r"^\| (\w+) \| (\d+ of \d+) \| ([\d.]+ to [\d.]+) \|$", file.partition("\n## ")[0], re.MULTILINE)
    clips, scenes = re.findall(r"(\d+) clips of 1.5 s of (\d+) photographs of the test split", file)[0]

    assert len(rows) == 6
    for kind, right, interval in rows:
        assert re.search(rf"\| {kind}[^|]*\| {right} \| {interval} \|", page), kind
    assert f"{scenes} photographs, {clips} clips of 1.5 s" in page


def measured(heading: str) -> str:
    """The text below a heading of the report on archives."""
    return (REPO / "tests" / "bench" / "ARCHIVE.md").read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def test_the_speed_of_archives_is_that_of_the_bench() -> None:
    """Each command: seconds, range, photos a second, and beside `culld once`."""
    rows = re.findall(r"^\| [^|]*(?<! command) \|((?: [\d.]+(?: to [\d.]+)? \|){4})$", measured("Score"), re.MULTILINE)
    page = (REPO / "docs" / "archive.md").read_text()

    assert len(rows) == 5
    for cells_of_it in rows:
        assert re.search(rf"^\| [^|]* \|{re.escape(cells_of_it.replace(' 1.00 |', ' 1 |'))}$", page, re.MULTILINE)
    (twice,) = re.findall(r"2 actors beside 1: ([\d.]+) times", measured("Score"))
    assert f"the second actor makes it {twice} times as fast" in " ".join(page.split())


def test_the_figures_of_simulations_are_those_of_the_bench() -> None:
    """Rounded as they are on the page."""
    pattern = r"^- (\d+) rows: median ([\d.]+) s \(([\d.]+) to ([\d.]+)\), processor ([\d.]+) s, most memory (\d+) MB"
    rows = re.findall(pattern, measured("Simulate"), re.MULTILINE)
    page = section("archive.md", "Simulate")

    assert len(rows) == 2
    for count, *seconds, memory in rows:
        middle, least, most, processor = (f"{float(each):.2g}" for each in seconds)
        assert f"| {int(count):,} | {middle} | {least} to {most} | {processor} | {memory} MB |" in page


def test_the_figures_of_copies_are_those_of_the_bench() -> None:
    """Recall and precision of each draw that was made after all limits had been chosen."""
    page = section("archive.md", "Duplicates")
    draws = re.findall(r"^Seed (\d+), tiles (\d and \d):$(.*?)^```$", measured("Duplicates"), re.MULTILINE | re.DOTALL)

    assert len(draws) == 2
    for seed, tiles, text in draws:
        ((recall, wrong, precision),) = re.findall(
            r"^all +\d+ +(\S+ \(\S+\)) +(\d+) +(\S+ \(\S+\))", text, re.MULTILINE
        )
        (equal,) = re.findall(r"^(\d+) pairs of tiles of the same bytes", text, re.MULTILINE)
        (row,) = re.findall(
            rf"\| other sources, seed {seed}, tiles {tiles} \| ([^|]*) \| ([^|]*) \| (\d+) \| (\d+) \|", page
        )
        assert row[2:] == (wrong, equal)
        assert numbers(row[0]) == pytest.approx(numbers(recall), abs=HALF)
        assert numbers(row[1]) == pytest.approx(numbers(precision), abs=HALF)


def numbers(figure: str) -> list[float]:
    """The value and both ends of its interval, in `0.9850 (0.9754..0.9909)` or `0.985 (0.975 to 0.991)`."""
    return [float(each) for each in re.findall(r"\d\.\d+", figure)]
