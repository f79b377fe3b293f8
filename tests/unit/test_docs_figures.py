"""README.md and docs/ repeat the figures of the files that benches and reports write."""

from __future__ import annotations

import re

import pytest

from harness.pages import README, REPO, cells, joined, one_line, rows, section

ARCHIVE = "tests/bench/ARCHIVE.md"
INTERVAL = re.compile(r"(\d+(?:\.\d+)?)( %)? \((\d+(?:\.\d+)?) to (\d+(?:\.\d+)?)\)")
"""A figure with its interval of 95 %, such as `0.731 (0.717 to 0.744)` or `11.6 % (10.0 to 13.1)`."""


HALF = 0.00055
"""What a page that has three decimals may differ from a file with four."""


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


@pytest.mark.parametrize(("page", "heading", "file"), [("docs/segment.md", "Figures", "models/segment/table.md")])
def test_every_figure_with_an_interval_is_in_the_file_that_the_bench_wrote(page: str, heading: str, file: str) -> None:
    """Whatever is missed as well as what is reached."""
    shown = figures(one_line(section(page, heading)))

    assert len(shown) > 10
    assert set(shown) <= set(figures((REPO / file).read_text()))


def test_the_figures_of_the_page_are_those_of_the_browser() -> None:
    """Rounded as they are in docs/web.md."""
    page = one_line(section("docs/web.md", "Speed"))
    measured = {row[0]: row[1:] for row in cells((REPO / "tests" / "bench" / "PAGE.md").read_text())}
    median = {what: float(row[0].split()[0]) for what, row in measured.items() if row[0].split()[0].isdigit()}
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
    page, file = one_line(section("docs/clips.md", "Figures")), (REPO / "tests" / "bench" / "CLIPS.md").read_text()
    kinds = re.findall(r"^\| (\w+) \| (\d+ of \d+) \| ([\d.]+ to [\d.]+) \|$", file.partition("\n## ")[0], re.MULTILINE)
    clips, scenes = re.findall(r"(\d+) clips of 1.5 s of (\d+) photographs of the test split", file)[0]

    assert len(kinds) == 6
    for kind, right, interval in kinds:
        assert re.search(rf"\| {kind}[^|]*\| {right} \| {interval} \|", page), kind
    assert f"{scenes} photographs, {clips} clips of 1.5 s" in page


def test_the_speed_of_archives_is_that_of_the_bench() -> None:
    """Each command: seconds, range, photos a second, and beside `culld once`."""
    measured = re.findall(
        r"^\| [^|]*(?<! command) \|((?: [\d.]+(?: to [\d.]+)? \|){4})$", section(ARCHIVE, "Score"), re.MULTILINE
    )
    page = (REPO / "docs" / "archive.md").read_text()

    assert len(measured) == 5
    for cells_of_it in measured:
        assert re.search(rf"^\| [^|]* \|{re.escape(cells_of_it.replace(' 1.00 |', ' 1 |'))}$", page, re.MULTILINE)
    (twice,) = re.findall(r"2 actors beside 1: ([\d.]+) times", section(ARCHIVE, "Score"))
    assert f"the second actor makes it {twice} times as fast" in " ".join(page.split())


def test_the_figures_of_simulations_are_those_of_the_bench() -> None:
    """Rounded as they are on the page."""
    pattern = r"^- (\d+) rows: median ([\d.]+) s \(([\d.]+) to ([\d.]+)\), processor ([\d.]+) s, most memory (\d+) MB"
    measured = re.findall(pattern, section(ARCHIVE, "Simulate"), re.MULTILINE)
    page = one_line(section("docs/archive.md", "Simulate"))

    assert len(measured) == 2
    for count, *seconds, memory in measured:
        middle, least, most, processor = (f"{float(each):.2g}" for each in seconds)
        assert f"| {int(count):,} | {middle} | {least} to {most} | {processor} | {memory} MB |" in page


def test_the_figures_of_copies_are_those_of_the_bench() -> None:
    """Recall and precision of each draw that was made after all limits had been chosen."""
    page = one_line(section("docs/archive.md", "Duplicates"))
    draws = re.findall(
        r"^Seed (\d+), tiles (\d and \d):$(.*?)^```$", section(ARCHIVE, "Duplicates"), re.MULTILINE | re.DOTALL
    )

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


def total(file: str, heading: str, column: int) -> str:
    """The sum of a column of whole numbers."""
    return f"{sum(int(row[column].replace(',', '')) for row in rows(file, heading)):,}"


def test_the_figures_of_reliability_are_those_of_the_fault_report() -> None:
    """Sums of its tables."""
    report = "tests/fault/RESULTS.md"
    kills, errors = total(report, "`kill -9`", 1), total(report, "One error", 1)
    text = (REPO / "docs" / "reliability.md").read_text()

    assert f"{kills} kills and {errors} injected errors" in joined(README)
    assert re.search(rf"^\| `kill -9`.*\| {kills} \| 0 \|$", text, re.MULTILINE)
    assert re.search(rf"^\| one of eight errors.*\| {errors} \| 0 \|$", text, re.MULTILINE)
    writers = total(report, "Writers", 1), total(report, "Writers", 3), total(report, "Writers", 4)
    assert (
        f"| {writers[0]} | {writers[1]} judged before they were complete (by size and time alone: {writers[2]}) |"
        in text
    )
    assert f"| {total(report, 'The journal is lost', 1)} | 0; every photo came back |" in text
    soak = {row[0].partition(",")[0]: row[1] for row in rows(report, "An hour of photos")}
    median, slowest = soak["from drop to decision"].removesuffix(" s").split(" / ")
    prose_of_it = joined(REPO / "docs" / "reliability.md")
    assert f"was {median} s and the 99th percentile {slowest} s" in prose_of_it
    assert f"{soak['processor'].removesuffix(' s an hour')} s of processor time an hour" in prose_of_it


def test_the_figures_of_metadata_are_those_of_the_metadata_report() -> None:
    """Sums of its tables, and the cells that the programs were run for."""
    report = "tests/metadata/RESULTS.md"
    files, written = total(report, "Tags inside photos", 1), total(report, "Tags inside photos", 2)
    text = joined(REPO / "docs" / "metadata.md")

    assert total(report, "Tags inside photos", 4) == total(report, "Damaged files", 4) == "0"
    assert f"of {files} tagged files damaged" in joined(README)
    assert f"tags {files} real and generated files" in text
    assert f"{written} were written" in text
    assert f"Of {total(report, 'Damaged files', 1)} deliberately damaged files" in text
    shown = re.search(r"lost or changed: 0 of (\d+)\.", (REPO / "tests" / "programs" / "RESULTS.md").read_text())
    assert shown
    assert f"on {shown[1]} cells" in text


def test_the_table_of_programs_is_that_of_the_run() -> None:
    """Each line of the run is on the page as it is; each other line says that it is from documentation or source."""
    run = rows("tests/programs/RESULTS.md", "Where each program reads the keyword")
    shown = rows("docs/metadata.md", "Programs")

    assert [row for row in shown if row in run] == run
    assert len(run) > 10
    others = [row[0] for row in shown if row not in run]
    assert [
        name for name in others if not re.search(r"\(from (documentation|source|documentation and source)\)$", name)
    ] == []


def test_every_mark_that_the_page_names_kept_the_photo() -> None:
    """And a photo without a mark was moved."""
    (none, *marked) = rows("tests/programs/RESULTS.md", "What a mark of the program does")
    text = joined(REPO / "docs" / "metadata.md")

    assert set(none[2:]) == {"moved"}
    assert f"What {', '.join(row[0] for row in marked[:-1])} and {marked[-1][0]} write as a mark" in text
    assert {cell for row in marked for cell in row[2:]} == {"stays", "-"}


def test_the_figures_of_speed_are_those_of_the_bench() -> None:
    """Of the first table, each line that the page repeats."""
    measured = cells((REPO / "tests" / "bench" / "RESULTS.md").read_text().partition("\n## ")[0])
    page = re.sub(r"\*\*", "", (REPO / "docs" / "benchmarks.md").read_text())
    shown = re.findall(r"^\| .* \| ([\d.]+) \| ([\d.]+) \|$", page, re.MULTILINE)

    assert len(shown) == 5
    assert set(shown) <= {(row[1], row[3]) for row in measured}
    once = next(row for row in measured if row[0].startswith("culld once"))
    assert f"**{float(once[1]):.0f} ms** a photo" in joined(README)
    assert f"{once[4].removesuffix('x')} times as fast as CleanVision" in joined(README)


NAMES = ("defects-3", "defects-2", "CleanVision 0.3.7", "plain rules", "plain rules, fitted")


def model_rows(heading: str, column: int | None = None, value: str = "") -> dict[str, list[str]]:
    """The rows of a table of models/defects/table.md by model, of those with this value in a column if one is given."""
    found = rows("models/defects/table.md", heading)
    return {row[0].partition("@")[0]: row for row in found if column is None or row[column].startswith(value)}


def row_of(page: str, label: str) -> str:
    """The cells of the row of a page that begins with this label, without emphasis."""
    text = (REPO / page).read_text().replace("**", "")
    return re.findall(rf"^\| {re.escape(label)}[^|]* \| (.*) \|$", text, re.MULTILINE)[0]


def test_the_figures_of_accuracy_are_those_of_the_model_table() -> None:
    """The share of pictures of which all three defects are right, and F1 of each defect."""
    table = model_rows("Defects in linear light")
    exact = [f"{table[name][2]} %" for name in NAMES]

    assert row_of("docs/model.md", "defects in linear light: all three right") == " | ".join(exact)
    assert row_of("docs/model.md", "F1 blur / under / over") == " | ".join(
        " / ".join(table[name][3:6]) for name in NAMES
    )
    assert f"**{exact[0]}** of 2,016 test pictures" in joined(README)
    assert f"(CleanVision {exact[2]}, fitted plain rules {exact[4]})" in joined(README)


def test_the_figures_of_clean_photos_are_those_of_the_model_table() -> None:
    """Ordinary ones as a share, the hard kinds as counts; and that nothing clean is rejected."""
    heading = "Clean photos tagged;"
    ordinary = [model_rows(heading, 1, "ordinary")[name][5].split("= ")[1].split(" (")[0] for name in NAMES]
    kinds = [model_rows(heading, 1, kind) for kind in ("night", "high key", "bokeh")]
    hard = [" / ".join(kind[name][5].split(" = ")[0] for kind in kinds) for name in NAMES]
    rejected = [row[5] for row in rows("models/defects/table.md", "Clean photos past `reject`") if "-3@" in row[0]]

    assert row_of("docs/model.md", "ordinary clean photos tagged") == " | ".join(ordinary)
    assert row_of("docs/model.md", "clean night / high-key / bokeh photos tagged") == " | ".join(hard)
    assert f"**{ordinary[0]}** of ordinary clean photos are tagged, and none is rejected" in joined(README)
    assert row_of("docs/model.md", "clean photos past `reject`").startswith("0 |")
    assert all(cell.startswith("0 = ") for cell in rejected)


def test_the_figures_of_bad_photos_are_those_of_the_model_table() -> None:
    """Those that others found too dark or too bright, and strongly blurred ones."""
    real, blur = model_rows("Really mis-exposed"), model_rows("Strong blur", 1, "tagged")
    found = [" / ".join(f"{float(cell.split('= ')[1]):.0f} %" for cell in real[name][1:3]) for name in NAMES]
    past = model_rows("Strong blur", 1, "past reject")
    tagged = [f"{blur[name][2]} %" for name in NAMES]

    assert row_of("docs/model.md", "really under- / over-exposed photos found") == " | ".join(found)
    assert row_of("docs/model.md", "strongly blurred photos tagged") == " | ".join(
        [*(f"{share}; {past[name][2]} %" for share, name in zip(tagged[:2], NAMES, strict=False)), *tagged[2:]]
    )


def test_the_figures_of_the_service_are_those_of_the_booted_machine() -> None:
    """Rounded as they are on the page."""
    shown = {row[0]: row[1] for row in cells((REPO / "tests" / "system" / "RESULTS.md").read_text())}
    page = joined(REPO / "docs" / "service.md")
    seconds = {name: float(value.split()[0]) for name, value in shown.items() if " s" in value}

    assert f"ready again after {seconds['kill -9 of the daemon, to READY again']:.0f} s" in page
    assert f"within {seconds['kill -9 of the worker, to the next photo in quarantine']} s" in page
    assert f"starts in {seconds['cold start to READY, empty inbox']:.0f} s" in page
    memory = int(shown["memory of all processes (PSS), with two workers"].removesuffix(" MB"))
    assert f"holds {round(memory, -1)} MB with two workers" in page
    assert f"uses {shown['idle: share of one core, with a rescan every minute'].replace('%', ' %')} of one core" in page
