"""axe finds no fault in any view, in either scheme; the colours of the tokens have the contrast that they need."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from browser.conftest import checked, record
from harness.review_server import STATIC

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
VIEWS = {
    "grid": (),
    "photo": ("e", "h", "o"),
    "compare": ("c",),
    "survey": ("n",),
    "policy": (),
    "report": (),
    "help": ("?",),
    "settings": (),
}


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 390)])
@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_nothing(chromium: Browser, address: str, view: str, scheme: str, width: int) -> None:
    """Axe finds nothing."""
    context = chromium.new_context(
        viewport={"width": width, "height": 844},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    person = record(context.new_page(), address)
    person.opens(f"#/{view if view in {'policy', 'report'} else 'grid'}?order=oldest")
    person.presses(*VIEWS[view])
    if view == "settings":
        person.page.focus("#b-settings")
        person.presses("Enter")
    person.page.wait_for_timeout(300)
    found = Axe().run(person.page, options=RULES)
    assert found.violations_count == 0, found.generate_report()
    checked(person)
    context.close()


def tokens(scheme: int) -> dict[str, str]:
    """Return the colours of the style sheet, those of the light scheme (0) or the dark one (1)."""
    text = (Path(STATIC) / "app.css").read_text()
    pairs = re.findall(r"--([\w-]+): light-dark\((#\w+), (#\w+)\)", text)
    return {name: both[scheme] for name, *both in pairs}


def luminance(colour: str) -> float:
    """Return the relative luminance of WCAG."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [0, 1])
@pytest.mark.parametrize("name", ["text", "quiet", "reject", "right", "back", "tag"])
@pytest.mark.parametrize("ground", ["panel", "raised"])
def test_words_can_be_read(scheme: int, name: str, ground: str) -> None:
    """Words can be read."""
    colours = tokens(scheme)
    assert contrast(colours[name], colours[ground]) >= 4.5


@pytest.mark.parametrize("scheme", [0, 1])
@pytest.mark.parametrize("ground", ["panel", "raised"])
def test_edges_can_be_seen(scheme: int, ground: str) -> None:
    """Edges can be seen."""
    assert contrast(tokens(scheme)["edge"], tokens(scheme)[ground]) >= 3


def test_surround_is_neutral() -> None:
    """Surround is neutral."""
    for scheme in (0, 1):
        colours = tokens(scheme)
        for name in ("page", "panel", "raised", "line"):
            assert len({colours[name][at : at + 2] for at in (1, 3, 5)}) == 1
