"""README.md and docs/ link to files that exist, name what the code has, and repeat the figures of the results."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from rich.cells import cell_len

from culld.cli import build_parser, main

REPO = Path(__file__).resolve().parents[2]
README = REPO / "README.md"
PAGES = (README, *sorted((REPO / "docs").glob("*.md")))
VAGUE = ("whoever", "somebody", "someone", "anybody", "nobody", "anew", "had culld been let", "what was said")
"""Words that hide the subject of a sentence."""


def prose(page: Path) -> str:
    """A page without its code blocks."""
    return re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The anchors of the headings of a page, as GitHub makes them."""
    titles = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def links(page: Path) -> Iterator[tuple[Path, str]]:
    """The files that a page links to, and the anchor in each, empty for none."""
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        if "://" not in target:
            path, _, anchor = target.partition("#")
            yield (page.parent / path if path else page).resolve(), anchor


@pytest.mark.parametrize("page", [*PAGES, REPO / "CHANGELOG.md"], ids=lambda page: page.name)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    """Pictures included."""
    for file, anchor in links(page):
        assert file.exists(), file
        assert not anchor or anchor in anchors(file), f"{file.name}#{anchor}"


def test_the_readme_links_to_every_page() -> None:
    """In its last section."""
    last = README.read_text().partition("\n## Documentation\n")[2]
    linked = {(REPO / path).resolve() for path in re.findall(r"\]\((docs/[\w-]+\.md)\)", last)}

    assert linked == {page for page in PAGES if page != README}


def test_the_readme_stays_a_page() -> None:
    """Longer texts belong in docs/."""
    assert len(README.read_text().splitlines()) <= 130
    assert len(README.read_text().split()) <= 1050


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_names_the_subject(page: Path) -> None:
    """None of the vague words of `VAGUE`."""
    text = prose(page).lower()

    assert [word for word in VAGUE if re.search(rf"\b{word}\b", text)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_key_that_a_page_names_is_a_key_of_the_configuration(page: Path) -> None:
    """As config.example.yaml has them, which has every one."""
    example = yaml.safe_load((REPO / "config.example.yaml").read_text())
    keys = set(dotted(example))
    named = re.findall(rf"`((?:{'|'.join(example)})\.[a-z_.]+)(?=[:`])", page.read_text())

    assert [key for key in named if key not in keys and not key.endswith((".md", ".tflite", ".keras"))] == []


def dotted(value: object, above: str = "") -> Iterator[str]:
    """The keys of nested mappings, each with those above it."""
    if isinstance(value, dict):
        for key, below in value.items():
            yield f"{above}{key}"
            yield from dotted(below, f"{above}{key}.")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_extra_that_a_page_names_is_one_of_the_package(page: Path) -> None:
    """As pip installs them: `.[raw]`."""
    extras = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]["optional-dependencies"]

    assert set(re.findall(r"\.\[(\w+)\]", page.read_text())) <= set(extras)


def shown_by(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Return the output of culld before it exits."""
    with pytest.raises(SystemExit) as done:
        main([*arguments, "--help"])
    assert done.value.code == 0
    return capsys.readouterr().out


def choices(text: str) -> set[str]:
    """The commands that a help text lists."""
    return set(re.findall(r"^    ([a-z]\w*)(?:\s|$)", text, re.MULTILINE))


def test_the_table_of_commands_is_that_of_the_parser(capsys: pytest.CaptureFixture[str]) -> None:
    """Every command is in the table, and every action that the table names exists."""
    table = README.read_text().partition("\n## Commands\n")[2].partition("\n## ")[0]
    rows_shown = re.findall(r"^\| (`culld .*?) \|", table, re.MULTILINE)

    assert set(re.findall(r"`culld ([a-z]+)", table)) == choices(shown_by(capsys))
    for command in ("policy", "service", "journal", "model"):
        (row,) = (row for row in rows_shown if row.startswith(f"`culld {command} "))
        named = set(re.findall(rf"`(?:culld {command} )?([a-z]+)", row))
        assert named
        assert named <= choices(shown_by(capsys, command))


def test_the_exit_codes_are_those_of_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    """Each number with its meaning."""
    pattern = r"(\d+) (fine|some photos failed|usage or configuration|system fault|interrupted)"

    codes = re.findall(pattern, " ".join(shown_by(capsys).split()))

    assert len(codes) == 5
    assert re.findall(pattern, joined(README)) == codes


def test_the_recording_fits_a_terminal_of_80_columns_and_has_real_commands() -> None:
    """From the first policy to the undo; each command is one of the parser."""
    lines = (REPO / "docs" / "first-minutes.txt").read_text().splitlines()
    commands = [shlex.split(line)[2:] for line in lines if line.startswith("$ culld ")]

    assert max(cell_len(line) for line in lines) <= 80
    assert {"init", "once", "why", "restore"} <= {command[0] for command in commands}
    for command in commands:
        build_parser().parse_args(command)


def joined(page: Path) -> str:
    """A page as one line, for what may be wrapped anywhere."""
    return " ".join(page.read_text().split())


def rows(file: str, heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its head."""
    return cells((REPO / file).read_text().partition(f"\n## {heading}")[2].partition("\n## ")[0])


def cells(text: str) -> list[list[str]]:
    """The cells of the table in a text, without its head."""
    lines = re.findall(r"^\|(.*)\|$", text, re.MULTILINE)
    return [[cell.strip() for cell in line.split("|")] for line in lines[2:]]


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
