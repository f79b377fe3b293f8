"""docs/keys.md lists the keys of the help, word for word."""

from __future__ import annotations

from pathlib import Path

from browser.conftest import Person

PAGE = Path(__file__).resolve().parents[2] / "docs/keys.md"
_TABLES = """() => [...document.querySelectorAll('dialog table')].map((table) => [table.caption.textContent,
  [...table.querySelectorAll('tr')].map((row) => [row.querySelector('th').textContent,
    [...row.querySelectorAll('kbd')].map((key) => key.textContent)])])"""


def as_markdown(person: Person) -> str:
    """Return the help as tables in Markdown."""
    person.presses("?").page.wait_for_selector("dialog tr")
    lines: list[str] = []
    for caption, rows in person.page.evaluate(_TABLES):
        lines += [f"## {caption}", "", "| key | does |", "|---|---|"]
        lines += [
            f"| {', '.join(f'`{key}`' for key in keys)} | {label} |".replace("`\\`", "`` \\ ``") for label, keys in rows
        ]
        lines.append("")
    return "\n".join(lines)


def test_page_of_keys_is_the_help(person: Person) -> None:
    """Page of keys is the help."""
    assert as_markdown(person.opens()) in PAGE.read_text()
