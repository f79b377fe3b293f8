"""The text and the tables of Markdown files of the repository, by their path from its root."""

from __future__ import annotations

import re
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
README = REPO / "README.md"


def one_line(text: str) -> str:
    """A text as one line, for what may be wrapped anywhere."""
    return " ".join(text.split())


def joined(page: Path) -> str:
    """A page as one line."""
    return one_line(page.read_text())


def section(file: str, heading: str) -> str:
    """The text below the heading that begins with these words."""
    text = (REPO / file).read_text().partition(f"\n## {heading}")[2].partition("\n## ")[0]
    assert text, heading
    return text


def rows(file: str, heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its head."""
    return cells(section(file, heading))


def cells(text: str) -> list[list[str]]:
    """The cells of the table in a text, without its head."""
    lines = re.findall(r"^\|(.*)\|$", text, re.MULTILINE)
    return [[cell.strip() for cell in line.split("|")] for line in lines[2:]]
