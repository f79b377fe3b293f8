"""README.md and docs/ link to files that exist, and name what the code has."""

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
from harness.pages import README, REPO, joined

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
